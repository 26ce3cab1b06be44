//! `cargo xtask check`: what must hold of the tree before any test runs.

use anyhow::Result;

use crate::process::Process;

/// Runs every check, the quick ones first.
pub(crate) fn run() -> Result<()> {
    Process::cargo().words("fmt --all --check").run()?;
    Process::cargo().words("clippy --workspace --all-targets --features omnimq-core/alloc -- -D warnings").run()
}
