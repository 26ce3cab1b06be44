//! PGM between network namespaces, with libzmq and alone.
#![cfg(target_os = "linux")]

mod behaviour;
mod matrix;
mod tcpdump;
mod unprivileged;

use std::path::Path;

/// The program that runs our side.
fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_pgm"))
}
