//! `cargo xtask no-alloc`: the core and PGM in freestanding images, without an allocator and without a panic path, run in
//! QEMU.
//!
//! The images are in `core/no-alloc`. Their panic handler refers to a symbol that nobody defines, so an image with a
//! panic path does not link; their standard library is `core` alone, so a user of `alloc` does not compile. That both
//! traps work is shown on every run, with images in which a panic and an allocator are planted.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::image::Image;
use crate::process::Process;

const TARGET: &str = "thumbv7em-none-eabihf";
/// Checked besides, as a library: it has no compare-and-swap.
const SMALLEST: &str = "thumbv6m-none-eabi";
/// A Cortex-M4 with a floating-point unit.
const MACHINE: &str = "mps2-an386";

/// What the linker says of an image with a panic path.
const PANIC: &str = "undefined symbol: a_panic_path_survived";

/// Proves what the module says and prints the sizes; the last line is `no-alloc: text=N bss=N`.
pub(crate) fn run() -> Result<()> {
    debian::install(&["lld-22", "qemu-system-arm"])?;
    let check = debian::cargo()?.words("check --quiet --package omnimq-core -Zbuild-std=core --target");
    check.arg(SMALLEST).run()?;
    sound()?;
    for image in IMAGES {
        refuse_allocators(image)?;
    }
    for image in RUN {
        boot(image)?;
    }
    // Taken before planted images take the place of the sound ones.
    let figures = figures()?;
    plants()?;
    println!("{figures}");
    Ok(())
}

/// The images that may be linked.
const IMAGES: [&str; 4] = ["exchange", "publisher", "patterns", "multicast"];
/// Those that say by their exit status whether every message came.
const RUN: [&str; 2] = ["exchange", "multicast"];

/// Builds the images; should a panic path survive, the error says where they begin.
fn sound() -> Result<()> {
    let (done, said) = build("core", &[])?.transcript()?;
    if done {
        return Ok(());
    }
    if !said.contains(PANIC) {
        bail!("{said}");
    }
    build("core", &["--quiet", "--features", "show-panics"])?.run()?;
    let mut places = BTreeSet::new();
    for image in IMAGES {
        places.extend(read(image)?.locations());
    }
    bail!("panic paths survive: {}", Vec::from_iter(places).join(", "))
}

/// The command that builds the images with this much of the standard library.
fn build(library: &str, more: &[&str]) -> Result<Process> {
    let cargo = debian::cargo()?.words("build --release --locked --manifest-path core/no-alloc/Cargo.toml");
    let cargo = cargo.arg(format!("-Zbuild-std={library}")).words("--target").arg(TARGET);
    Ok(more.iter().fold(cargo, Process::arg))
}

fn path(image: &str) -> PathBuf {
    debian::target().join(TARGET).join("release").join(image)
}

fn read(image: &str) -> Result<Image> {
    let path = path(image);
    let file = std::fs::read(&path).with_context(|| path.display().to_string())?;
    Image::parse(&file).with_context(|| path.display().to_string())
}

fn refuse_allocators(image: &str) -> Result<()> {
    let read = read(image)?;
    let found = read.allocators();
    if !found.is_empty() {
        bail!("an allocator is linked into {image}: {}", found.join(", "));
    }
    Ok(())
}

fn boot(image: &str) -> Result<()> {
    let qemu = Process::new("timeout").words("60 qemu-system-arm -nographic -monitor none -serial none");
    let qemu = qemu.words("-semihosting-config enable=on,target=native -M").arg(MACHINE);
    qemu.arg("-kernel").arg(path(image)).run().with_context(|| format!("the image `{image}`"))
}

/// Sees a planted panic and a planted allocator refused, each for its own reason.
fn plants() -> Result<()> {
    let exchange = ["--quiet", "--bin", "exchange", "--features"];
    let planted = |library, feature| build(library, &[&exchange[..], &[feature]].concat());
    refused(planted("core", "plant-panic")?, PANIC)?;
    refused(planted("core", "plant-alloc")?, "can't find crate for `alloc`")?;
    planted("core,alloc", "plant-alloc")?.run()?;
    if refuse_allocators("exchange").is_ok() {
        bail!("a planted allocator was linked and not noticed");
    }
    println!("no-alloc: a planted panic path and a planted allocator are refused");
    Ok(())
}

fn refused(build: Process, reason: &str) -> Result<()> {
    let (done, said) = build.transcript()?;
    if done {
        bail!("what was planted was not refused: no {reason:?}");
    }
    if !said.contains(reason) {
        bail!("refused for another reason than {reason:?}:\n{said}");
    }
    Ok(())
}

fn figures() -> Result<String> {
    let mut lines = Vec::new();
    for image in RUN {
        let read = read(image)?;
        lines.extend(read.nodes().iter().map(|(name, bytes)| format!("no-alloc: node {name} bytes={bytes}")));
    }
    for image in IMAGES.into_iter().filter(|&image| image != "exchange") {
        let Image { text, bss, .. } = read(image)?;
        lines.push(format!("no-alloc: image {image} text={text} bss={bss}"));
    }
    let Image { text, bss, .. } = read("exchange")?;
    lines.push(format!("no-alloc: text={text} bss={bss}"));
    Ok(lines.join("\n"))
}
