//! `cargo xtask test`: check, then every test, each step with its time and the totals at the end.

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser};

use crate::process::{Process, root};
use crate::report::{Report, Totals};
use crate::{EVERYTHING, check, debian, demo, firmware, fuzz, guarantees, mutants, no_alloc, tsan};

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

/// What takes hours: every property on many more cases, fuzzing, mutants and the licence tool.
fn hours(report: &mut Report) {
    report.counted("many cases of each property", |totals| {
        let cargo = Process::cargo().env("PROPTEST_CASES", "20000");
        cargo_test(cargo, &format!("--release {EVERYTHING}"), totals)
    });
    report.counted("tsan", tsan::run);
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

/// Whether the host library has tests for loom: `transport-std/tests/loom*.rs`.
fn holds_models() -> Result<bool> {
    let folder = root().join("transport-std/tests");
    let mut names = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?.flatten();
    Ok(names.any(|entry| entry.file_name().to_string_lossy().starts_with("loom")))
}

pub(crate) fn cargo_test(cargo: Process, words: &str, totals: &mut Totals) -> Result<()> {
    cargo.words("test --no-fail-fast").words(words).each_line(|line| {
        println!("{line}");
        totals.read(line);
    })
}
