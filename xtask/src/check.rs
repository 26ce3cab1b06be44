//! `cargo xtask check`: what must hold of the tree before any test runs.

use anyhow::{Context, Result, bail};

use crate::process::Process;
use crate::source::Finding;
use crate::{COMMANDS, EVERYTHING, arrows, debian, examples, guarantees, portability, quotes, source, tidy};

/// Everything, and alone what has features: in a build of everything its other users turn them on.
const BUILDS: [&str; 7] = [
    EVERYTHING,
    "--package omnimq-core",
    "--package omnimq-pgm",
    "--package omnimq-smoltcp",
    "--package omnimq",
    "--package omnimq --features stream",
    "--package omnimq --features bytes",
];

/// Crates that are workspaces of their own, because they are built with other settings.
const APART: [&str; 4] = ["core/fuzz", "core/no-alloc", "examples/firmware", "pgm/fuzz"];

/// Runs every check, the quick ones first.
pub(crate) fn run() -> Result<()> {
    rules()?;
    Process::cargo().words("fmt --all --check").run()?;
    for folder in APART {
        Process::cargo().words("fmt --check --manifest-path").arg(format!("{folder}/Cargo.toml")).run()?;
    }
    for what in BUILDS {
        Process::cargo().words("clippy --quiet --all-targets").words(what).words("-- -D warnings").run()?;
    }
    lint_apart()?;
    for what in BUILDS {
        Process::cargo().words("doc --quiet --no-deps").words(what).env("RUSTDOCFLAGS", "-D warnings").run()?;
    }
    portability::run()
}

/// Clippy for the workspaces apart: fuzz targets here, freestanding images for the machines that they are for.
fn lint_apart() -> Result<()> {
    for folder in ["core/fuzz", "pgm/fuzz"] {
        let lint = Process::cargo().words("clippy --locked --quiet --all-targets --manifest-path");
        // Nothing is linked, so the fuzzer's own library need not be built.
        let lint = lint.arg(format!("{folder}/Cargo.toml")).env("CUSTOM_LIBFUZZER_PATH", "unlinked/libfuzzer.a");
        lint.words("-- -D warnings").run()?;
    }
    let images = [
        ("core/no-alloc", "--target thumbv7em-none-eabihf -Zbuild-std=core"),
        ("examples/firmware", "--features defmt --lib --bin roles --bin echo --bin quick"),
        ("examples/firmware", "--no-default-features --features socket-pub --bin socket"),
    ];
    for (folder, what) in images {
        debian::clippy()?.within(folder).words("--locked --quiet").words(what).words("-- -D warnings").run()?;
    }
    Ok(())
}

/// The rules of the tree: tidiness, arrows, guarantees that have tests, public items that have examples, quotes that are true.
fn rules() -> Result<()> {
    let tree = source::tree()?;
    let mut findings = tidy::findings(&tree);
    findings.extend(arrows::module_findings(&tree));
    let metadata = Process::cargo().words("metadata --format-version 1").capture()?;
    let metadata = serde_json::from_str(&metadata).context("cargo metadata printed what is not JSON")?;
    findings.extend(arrows::package_findings(&metadata));
    findings.extend(guarantees::findings(&tree, &COMMANDS));
    findings.extend(examples::findings(&tree));
    findings.extend(quotes::findings(&tree));
    refuse(&findings)?;
    println!("rules: {} files follow them", tree.len());
    Ok(())
}

fn refuse(findings: &[Finding]) -> Result<()> {
    for finding in findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break the rules of the tree", findings.len());
    }
    Ok(())
}
