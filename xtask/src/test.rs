//! `cargo xtask test`: check, then every test.

use anyhow::Result;

use crate::check;
use crate::process::Process;

/// Runs the tests.
pub(crate) fn run() -> Result<()> {
    check::run()?;
    Process::cargo().words("test --workspace --features omnimq-core/alloc").run()
}
