//! `cargo xtask test`: check, then every test, each step with its time and the totals at the end.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser};

use crate::process::{Process, root};
use crate::report::{Report, Totals};
use crate::{check, debian, demo, fuzz, guarantees, mutants, no_alloc};

/// The wheel whose libzmq (4.3.5) the interoperability tests talk to.
const PYZMQ: &str = "pyzmq==27.3.0";

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
    let python = python().context("a Python with pyzmq")?;
    report.counted("tests of the workspace", |totals| {
        cargo_test("--workspace --features omnimq-core/alloc", totals, |cargo| cargo.env("OMNIMQ_PYTHON", &python))
    });
    report.counted("tests of the core without an allocator", |totals| {
        cargo_test("--package omnimq-core --no-default-features", totals, |cargo| cargo)
    });
    report.step("cargo xtask no-alloc", no_alloc::run);
    report.step("cargo xtask demo", demo::run);
    proofs(&mut report);
    if full {
        hours(&mut report, &python);
    }
    report.finish()
}

/// What takes hours: every property on many more cases, fuzzing, mutants and the licence tool.
fn hours(report: &mut Report, python: &PathBuf) {
    report.counted("many cases of each property", |totals| {
        let many = |cargo: Process| cargo.env("PROPTEST_CASES", "20000").env("OMNIMQ_PYTHON", python);
        cargo_test("--release --workspace --features omnimq-core/alloc", totals, many)
    });
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
    let names = std::mem::take(&mut report.totals.names);
    report.step("every guarantee has a test that passed", || {
        let mut open = Vec::new();
        for page in guarantees::PAGES {
            let text = std::fs::read_to_string(root().join(page)).context(page)?;
            open.extend(guarantees::unproved(&text, &names));
        }
        if !open.is_empty() {
            bail!("no such test passed: {}", open.join(", "));
        }
        Ok(())
    });
}

fn cargo_test(words: &str, totals: &mut Totals, set_up: impl FnOnce(Process) -> Process) -> Result<()> {
    let cargo = Process::cargo().words("test --no-fail-fast").words(words);
    set_up(cargo).each_line(|line| {
        println!("{line}");
        totals.read(line);
    })
}

/// The Python of a virtual environment with pyzmq, made when missing.
fn python() -> Result<PathBuf> {
    let folder = root().join("target/venv");
    let python = folder.join("bin/python");
    let installed = |python: &PathBuf| Process::new(python).words("-m pip show --quiet pyzmq").quiet().is_some();
    if !python.exists() || !installed(&python) {
        debian::install(&["python3", "python3-venv"])?;
        Process::new("python3").words("-m venv").arg(&folder).run()?;
        Process::new(&python).words("-m pip install --quiet --disable-pip-version-check").arg(PYZMQ).run()?;
    }
    let versions = "import zmq; print('pyzmq', zmq.pyzmq_version(), 'libzmq', zmq.zmq_version())";
    print!("{}", Process::new(&python).arg("-c").arg(versions).capture()?);
    Ok(python)
}
