//! `cargo xtask firmware`: the images of `examples/firmware`, booted on two boards, each role against the real libzmq.
//!
//! The host's side is the program `firmware` of the tests' package; it decodes the boards' defmt logs and judges them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::debian;
use crate::process::{Process, root};

/// Where the firmware's workspace is.
const FOLDER: &str = "examples/firmware";

/// A machine of QEMU and the target its images are built for.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
}

/// A Cortex-M3, and a Cortex-M4 with a floating-point unit.
pub(crate) const BOARDS: [Board; 2] = [
    Board { name: "mps2-an385", target: "thumbv7m-none-eabi" },
    Board { name: "mps2-an386", target: "thumbv7em-none-eabihf" },
];

/// What is built: the name it is kept under, the program, its features, its profile.
pub(crate) type Build<'a> = (&'a str, &'a str, &'a str, &'a str);

/// All roles, and what goes with them because it has the same features.
const ROLES: &str = "telemetry,actuator,rpc,pipeline,router,defmt";

const BUILDS: [Build<'_>; 4] = [
    ("roles", "roles", ROLES, "release"),
    ("quick", "quick", ROLES, "release"),
    ("flood", "roles", "flood,defmt", "fast"),
    ("echo", "echo", "defmt", "fast"),
];

/// Builds and runs all of it; ends with a line `firmware: BOARD ROLE ok messages=N rtt_us=X` for each board and role.
pub(crate) fn run() -> Result<()> {
    debian::install(&["lld-22", "qemu-system-arm", "python3", "python3-venv"])?;
    for board in BOARDS {
        for build in BUILDS {
            image(board, build)?;
        }
    }
    let mut told = Vec::new();
    for board in BOARDS {
        host(board)?.each_line(|line| {
            println!("{line}");
            told.extend(line.starts_with("firmware: ").then(|| line.to_string()));
        })?;
    }
    println!("{}", told.join("\n"));
    Ok(())
}

/// The program that plays a board's peers.
pub(crate) fn host(board: Board) -> Result<Process> {
    let host = Process::cargo().words("run --quiet --package omnimq-tests --bin firmware --").arg(board.name);
    Ok(host.arg(folder(board)).env("DEFMT_PRINT", decoder()?))
}

/// The program that turns defmt's frames into lines. It is run and not linked: some of its libraries have licences that
/// this tree does not take.
fn decoder() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    let decoder = tools.join("bin/defmt-print");
    if !decoder.exists() {
        let install =
            Process::cargo().words("install --quiet --locked --debug --version 1.2.0 defmt-print --root").arg(&tools);
        install.without("CARGO_TARGET_DIR").run()?;
    }
    Ok(decoder)
}

/// Where a board's images are kept.
pub(crate) fn folder(board: Board) -> PathBuf {
    root().join("target/images").join(board.name)
}

/// Builds one image and keeps a copy under its name, because all programs with other features have the same file name.
pub(crate) fn image(board: Board, (name, program, features, profile): Build<'_>) -> Result<PathBuf> {
    let cargo = debian::cargo()?
        .within(FOLDER)
        .words("build --locked --quiet --no-default-features --profile")
        .arg(profile)
        .arg("--bin");
    let cargo = cargo.arg(program).arg("--features").arg(features).arg("--target").arg(board.target);
    cargo.env("DEFMT_LOG", "info").run()?;
    let built = debian::target().join(board.target).join(profile).join(program);
    let kept = folder(board).join(name);
    std::fs::create_dir_all(folder(board))?;
    std::fs::copy(&built, &kept).with_context(|| format!("{} to {}", built.display(), Path::new(&kept).display()))?;
    Ok(kept)
}
