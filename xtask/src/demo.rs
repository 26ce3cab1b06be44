//! `cargo xtask demo`: the gateway of a game company, its game servers and its clients, as processes of this machine.

use anyhow::Result;

use crate::process::{Process, released};

/// Builds the examples and plays the gateway; its verdict is ours.
pub(crate) fn run() -> Result<()> {
    Process::cargo().words("build --quiet --release --package omnimq-examples --bins").run()?;
    Process::new(released("gateway")).run()
}
