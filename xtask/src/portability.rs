//! `cargo xtask portability`: the crates check for machines and systems other than this one.

use anyhow::Result;

use crate::debian;

/// One crate for one target: (package, features, what to build of the standard library, target).
///
/// `thumbv6m` has no compare-and-swap, so `alloc` has no `Arc` there and the core goes without that feature.
const CHECKS: [(&str, &str, &str, &str); 5] = [
    ("omnimq-core", "", "core", "thumbv7em-none-eabihf"),
    ("omnimq-core", "alloc", "core,alloc", "thumbv7em-none-eabihf"),
    ("omnimq-core", "", "core", "thumbv6m-none-eabi"),
    ("omnimq", "", "std,panic_abort", "x86_64-pc-windows-gnu"),
    ("omnimq", "", "std,panic_abort", "aarch64-apple-darwin"),
];

/// Checks each crate for each of its targets.
pub(crate) fn run() -> Result<()> {
    for (package, features, library, target) in CHECKS {
        let check = debian::cargo()?.words("check --quiet").arg(format!("-Zbuild-std={library}"));
        check.words("--package").arg(package).words("--features").arg(features).words("--target").arg(target).run()?;
    }
    Ok(())
}
