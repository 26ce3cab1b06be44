//! `cargo xtask wine`: the core's tests, and those of the host library over tcp and inproc, as Windows programs under Wine.
//!
//! Wine is not Windows: what passes here is evidence of portability, no more.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::debian;
use crate::process::{Process, root};
use crate::report::Totals;
use crate::test::cargo_test;

/// Wine, and what links for Windows.
const PACKAGES: [&str; 3] = ["wine64", "wine", "gcc-mingw-w64-x86-64-posix"];

const BUILD: &str = "-Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu";

/// What is tested.
const TESTS: [&str; 2] =
    ["--package omnimq-core --features alloc --tests", "--package omnimq --lib --test tcp --test inproc"];

/// Where Rust takes its random numbers from: Wine 8 lacks this library of Windows.
const RANDOM: &str = "
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T len)
{
    for (; len > 0; data++, len--)
        if (!SystemFunction036(data, 1)) return FALSE;
    return TRUE;
}
";

/// `cargo xtask wine`.
pub(crate) fn command() -> Result<()> {
    let mut totals = Totals::default();
    let outcome = run(&mut totals);
    println!("wine: {}", totals.line());
    outcome
}

/// Runs them, adding to the totals.
pub(crate) fn run(totals: &mut Totals) -> Result<()> {
    debian::install(&PACKAGES)?;
    let folder = root().join("target/wine");
    random(&folder)?;
    // A fraction of each property's cases: they are the same on any machine.
    let cargo = || -> Result<Process> {
        let cargo = debian::cargo()?.env("WINEPREFIX", folder.join("prefix")).env("WINEDEBUG", "-all");
        let cargo = cargo.env("WINEPATH", format!("Z:{}", folder.display()).replace('/', "\\")).env("PROPTEST_CASES", "16");
        Ok(cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "/usr/lib/wine/wine64"))
    };
    for tests in TESTS {
        cargo_test(cargo()?, &format!("{BUILD} {tests}"), totals)?;
    }
    Ok(())
}

/// Makes the library that Wine lacks.
fn random(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let (source, library) = (folder.join("random.c"), folder.join("bcryptprimitives.dll"));
    std::fs::write(&source, RANDOM)?;
    let compile = Process::new("x86_64-w64-mingw32-gcc").words("-shared -O1 -o").arg(&library).arg(&source);
    compile.words("-ladvapi32").run()?;
    Ok(library)
}
