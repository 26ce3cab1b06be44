//! `cargo xtask test`: check, then every test, each step with its time and the totals at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser};
use serde_json::Value;

use crate::process::{Process, root};
use crate::report::{Report, Totals};
use crate::{EVERYTHING, check, debian, demo, firmware, fuzz, guarantees, mutants, no_alloc, source, tsan, wine};

/// What the interoperability tests make their virtual environment with, what counts system calls, and what multicast runs
/// between and against.
const TOOLS: [&str; 10] = [
    "python3",
    "python3-venv",
    "strace",
    "gcc",
    "libc6-dev",
    "libzmq3-dev",
    "iproute2",
    "nftables",
    "tcpdump",
    "util-linux",
];

/// Runs the tests; `--full` adds those that take hours.
pub(crate) fn run(mut args: Parser) -> Result<()> {
    let mut full = false;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("full") => full = true,
            other => bail!(other.unexpected()),
        }
    }
    let mut report = Report::default();
    report.step("cargo xtask check", check::run);
    debian::install(&TOOLS)?;
    report.counted("tests of the workspace", |totals| cargo_test(Process::cargo(), EVERYTHING, totals));
    report.counted("tests of the core without an allocator", |totals| {
        cargo_test(Process::cargo(), "--package omnimq-core --no-default-features", totals)
    });
    report
        .counted("tests of PGM without an allocator", |totals| cargo_test(Process::cargo(), "--package omnimq-pgm", totals));
    report.counted("tests of the host library, as on other systems", |totals| {
        let cargo =
            Process::cargo().env("RUSTFLAGS", "--cfg portable").env("CARGO_TARGET_DIR", root().join("target/portable"));
        cargo_test(cargo, "--package omnimq --tests", totals)
    });
    if holds_models()? {
        report.counted("the hand-overs between threads, in every order that loom finds", |totals| {
            let cargo = Process::cargo().env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", root().join("target/loom"));
            cargo_test(cargo, "--release --package omnimq --test loom*", totals)
        });
    }
    report.step("cargo xtask no-alloc", no_alloc::run);
    report.step("cargo xtask firmware", firmware::run);
    report.step("cargo xtask demo", demo::run);
    proofs(&mut report);
    if full {
        hours(&mut report);
    }
    report.finish()
}

/// What takes hours: every property on many more cases, the tests as Windows programs, fuzzing, mutants and the licence tool.
fn hours(report: &mut Report) {
    report.counted("many cases of each property", |totals| {
        let cargo = Process::cargo().env("PROPTEST_CASES", "20000");
        cargo_test(cargo, &format!("--release {EVERYTHING}"), totals)
    });
    report.counted("tsan", tsan::run);
    report.counted("wine", wine::run);
    report.step("fuzz, ten minutes each", || fuzz::all(600));
    report.step("mutants", mutants::all);
    report.step("cargo deny", || {
        cargo_tool("cargo-deny", "deny")?;
        Process::cargo().words("deny check licenses bans sources").run()
    });
}

/// Installs a cargo subcommand unless this machine has it.
pub(crate) fn cargo_tool(package: &str, command: &str) -> Result<()> {
    if Process::cargo().arg(command).arg("--version").quiet().is_some() {
        return Ok(());
    }
    Process::cargo().words("install --locked").arg(package).run()
}

/// Each promise of the page was kept by a test that passed in this run.
fn proofs(report: &mut Report) {
    let (tests, steps) = (std::mem::take(&mut report.totals.tests), std::mem::take(&mut report.totals.steps));
    report.step("every guarantee has a test that passed", || {
        let tree = source::tree()?;
        let mut open = Vec::new();
        for page in guarantees::PAGES {
            let text = std::fs::read_to_string(root().join(page)).context(page)?;
            open.extend(guarantees::unproved(&text, &tree, &tests, &steps));
        }
        if !open.is_empty() {
            bail!("no such test passed: {}", open.join(", "));
        }
        Ok(())
    });
}

/// Whether the host library has tests for loom: `transport-std/tests/loom*.rs`.
fn holds_models() -> Result<bool> {
    let folder = root().join("transport-std/tests");
    let mut names = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?.flatten();
    Ok(names.any(|entry| entry.file_name().to_string_lossy().starts_with("loom")))
}

/// Builds the tests, then runs them: what cargo builds says which source a program is of.
pub(crate) fn cargo_test(cargo: Process, words: &str, totals: &mut Totals) -> Result<()> {
    let build = cargo.again().words("test --no-run --message-format json-render-diagnostics").words(words);
    totals.programs = programs(&build.capture()?)?;
    cargo.words("test --no-fail-fast").words(words).each_line_of_both(|line| {
        println!("{line}");
        totals.read(line);
    })
}

/// The sources of test programs, relative to the top folder, from what cargo says while it builds them.
fn programs(messages: &str) -> Result<BTreeMap<PathBuf, String>> {
    let mut programs = BTreeMap::new();
    for message in messages.lines() {
        let message: Value = serde_json::from_str(message).context("cargo printed what is not JSON")?;
        let (Some(executable), Some(source)) = (message["executable"].as_str(), message["target"]["src_path"].as_str())
        else {
            continue;
        };
        let source = Path::new(source).strip_prefix(root()).with_context(|| format!("{source} is not in the tree"))?;
        programs.insert(PathBuf::from(executable), source.display().to_string());
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn programs_are_known_by_their_sources() {
        let library =
            json!({"reason": "compiler-artifact", "target": {"src_path": "/elsewhere/lib.rs"}, "executable": null});
        let source = root().join("core/tests/wire.rs");
        let program = json!({"target": {"src_path": source}, "executable": "/target/debug/deps/wire-1"});
        let end = json!({"reason": "build-finished", "success": true});
        let found = programs(&format!("{library}\n{program}\n{end}\n")).unwrap();
        assert_eq!(found, BTreeMap::from([(PathBuf::from("/target/debug/deps/wire-1"), "core/tests/wire.rs".into())]));
    }
}
