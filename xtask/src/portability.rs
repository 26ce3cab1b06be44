//! `cargo xtask portability`: the crates check for machines and systems other than this one, and the core and the sockets
//! for firmware pass their tests on a big-endian machine of 32 bits.

use anyhow::Result;

use crate::debian;

/// Bare machines. `thumbv6m` has no compare-and-swap.
const MACHINES: [&str; 4] =
    ["thumbv6m-none-eabi", "thumbv7m-none-eabi", "thumbv7em-none-eabihf", "riscv32imc-unknown-none-elf"];

/// Everything that the sockets for firmware offer there.
const FIRMWARE: &str = "omnimq-smoltcp/ipv6,omnimq-smoltcp/embedded-io,omnimq-smoltcp/embedded-io-async,omnimq-smoltcp/nb";

/// Where the host library is to run besides.
const SYSTEMS: [&str; 4] =
    ["x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin", "x86_64-unknown-freebsd"];

/// A Cortex-M4.
const BOARD: [&str; 1] = ["thumbv7em-none-eabihf"];

/// One crate for its targets: (package, features, what to build of the standard library, targets).
const CHECKS: [(&str, &str, &str, &[&str]); 4] = [
    ("omnimq-core", "alloc", "core,alloc", &BOARD),
    ("omnimq-pgm", "", "core", &BOARD),
    ("omnimq-pgm", "alloc", "core,alloc", &BOARD),
    ("omnimq", "stream,bytes", "std,panic_abort", &SYSTEMS),
];

/// What running programs of a 32-bit big-endian machine takes.
const POWERPC: [&str; 3] = ["qemu-user", "gcc-powerpc-linux-gnu", "libc6-dev-powerpc-cross"];

/// Checks each crate for each of its targets, and runs the tests that are to pass on another machine.
pub(crate) fn run() -> Result<()> {
    check(&["omnimq-core", "omnimq-smoltcp"], FIRMWARE, "core", &MACHINES)?;
    // The standard library's imports for Windows are made by its dlltool.
    debian::install(&["binutils-mingw-w64-x86-64"])?;
    for (package, features, library, targets) in CHECKS {
        check(&[package], features, library, targets)?;
    }
    big_endian()
}

/// Checks for all targets at once: the standard library of one of them is built in a row, and leaves processors idle.
fn check(packages: &[&str], features: &str, library: &str, targets: &[&str]) -> Result<()> {
    let check = debian::cargo()?.words("check --quiet --features").arg(features).arg(format!("-Zbuild-std={library}"));
    let check = packages.iter().fold(check, |check, package| check.arg("--package").arg(package));
    targets.iter().fold(check, |check, target| check.arg("--target").arg(target)).run()
}

/// The tests of the core and of the sockets for firmware where octets stand the other way round and a word has 32 bits.
fn big_endian() -> Result<()> {
    debian::install(&POWERPC)?;
    let test = debian::cargo()?.words("test --quiet --package omnimq-core --package omnimq-smoltcp --tests --features");
    let test = test.arg(format!("omnimq-core/alloc,omnimq-smoltcp/ip,{FIRMWARE}"));
    let test = test.words("-Zbuild-std=std,panic_unwind,test --target powerpc-unknown-linux-gnu");
    // A fraction of each property's cases: a processor that is played is slow.
    let test = test.env("PROPTEST_CASES", "16");
    let test = test.env("CARGO_TARGET_POWERPC_UNKNOWN_LINUX_GNU_LINKER", "powerpc-linux-gnu-gcc");
    test.env("CARGO_TARGET_POWERPC_UNKNOWN_LINUX_GNU_RUNNER", "qemu-ppc -L /usr/powerpc-linux-gnu").run()
}
