//! ThreadSanitizer: data races that it sees while the threads of the host library meet.
//!
//! The standard library is built with it too: what a lock orders would be unknown otherwise. That takes Debian's Rust,
//! and clang's runtime, for Rust's own lacks the hooks of a linker that is not Rust's.

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::process::{Process, root};
use crate::report::Totals;
use crate::test::cargo_test;

/// Clang as the linker, and its runtime.
const PACKAGES: [&str; 2] = ["clang-22", "libclang-rt-22-dev"];

const FLAGS: &str = "-Zsanitizer=thread -Zexternal-clangrt -Clink-arg=-fsanitize=thread";

const BUILD: &str = "-Zbuild-std --target x86_64-unknown-linux-gnu";

/// The tests in which threads meet. Those that measure delays, system calls or memory would measure the sanitizer.
const TESTS: &str = "--lib --test conflate --test futures --test immediate --test inproc --test ipc --test linger --test marks \
                     --test monitor --test patterns --test poller --test reconnect --test split --test stress --test tcp";

/// A program with a race, which has to be reported: else nothing was looked for.
const RACE: &str = "
static mut COUNT: u32 = 0;
fn main() {
    let count = || (0..1000).for_each(|_| unsafe { COUNT += 1 });
    let other = std::thread::spawn(count);
    count();
    other.join().unwrap();
}
";

/// `cargo xtask tsan`.
pub(crate) fn command() -> Result<()> {
    let mut totals = Totals::default();
    let outcome = run(&mut totals);
    println!("tsan: {}", totals.line());
    outcome
}

/// The planted race is reported, and nothing is in the tests.
pub(crate) fn run(totals: &mut Totals) -> Result<()> {
    debian::install(&PACKAGES)?;
    let (passed, said) = cargo()?.words("run").words(BUILD).arg("--manifest-path").arg(plant()?).transcript()?;
    if passed || !said.contains("WARNING: ThreadSanitizer: data race") {
        bail!("a planted race was not reported:\n{said}");
    }
    println!("a planted race was reported");
    // Whatever is reported makes its test program fail.
    cargo_test(cargo()?, &format!("{BUILD} --package omnimq {TESTS}"), totals)
}

fn cargo() -> Result<Process> {
    let cargo = debian::cargo()?.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", root().join("target/tsan"));
    Ok(cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", PACKAGES[0]))
}

/// Writes the package with the race; returns its manifest.
fn plant() -> Result<std::path::PathBuf> {
    let folder = root().join("target/tsan/race");
    let manifest = folder.join("Cargo.toml");
    std::fs::create_dir_all(folder.join("src")).with_context(|| folder.display().to_string())?;
    std::fs::write(folder.join("src/main.rs"), RACE)?;
    std::fs::write(&manifest, "[package]\nname = \"race\"\nedition = \"2024\"\n\n[workspace]\n")?;
    Ok(manifest)
}
