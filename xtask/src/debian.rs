//! Tools of the machine: Debian packages, and Debian's Rust, which can build `core` and `std` for other targets.
//!
//! `-Zbuild-std` wants the compiler and the library source of one version. Debian packages both (rustc-web, rust-web-src);
//! with `RUSTC_BOOTSTRAP=1` its compiler takes the unstable option.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::{Process, root};

/// Installs those of the packages that the machine lacks.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    as_root("apt-get").words("update -qq").run().context("apt-get update")?;
    let mut install = as_root("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    install = install.words("install -y -qq --no-install-recommends").words(&missing.join(" "));
    install.run().with_context(|| format!("installing {}", missing.join(", ")))
}

fn installed(package: &str) -> bool {
    let query = Process::new("dpkg-query").words("-W -f ${db:Status-Status}").arg(package);
    query.quiet().is_some_and(|status| status.starts_with("installed"))
}

/// A program as the superuser: through sudo unless this user is the superuser.
fn as_root(program: &str) -> Process {
    let superuser = Process::new("id").arg("-u").quiet().is_some_and(|id| id.trim() == "0");
    if superuser { Process::new(program) } else { Process::new("sudo").arg("-E").arg(program) }
}

/// Bare machines that images are linked for, as cargo's variables call them.
const LINKED: [&str; 2] = ["THUMBV7M_NONE_EABI", "THUMBV7EM_NONE_EABIHF"];

/// Where Debian's cargo builds.
pub(crate) fn target() -> PathBuf {
    root().join("target/debian")
}

/// Debian's cargo with Debian's compiler, installed when missing, in a target folder of its own.
pub(crate) fn cargo() -> Result<Process> {
    install(&["rustc-web", "cargo-web", "rust-web-src"])?;
    Ok(with_its_compiler(Process::new(CARGO)).without("CARGO"))
}

/// Clippy of the same version. Cargo would look for it among rustup's programs first, so it is called itself.
pub(crate) fn clippy() -> Result<Process> {
    install(&["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"])?;
    Ok(with_its_compiler(Process::new("/usr/bin/cargo-clippy")).env("CARGO", CARGO).arg("clippy"))
}

const CARGO: &str = "/usr/bin/cargo";

fn with_its_compiler(cargo: Process) -> Process {
    let cargo = cargo
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTDOC", "/usr/bin/rustdoc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", target());
    // Not every version of its compiler brings the linker that it asks for.
    let cargo = LINKED.into_iter().fold(cargo, |cargo, name| cargo.env(&format!("CARGO_TARGET_{name}_LINKER"), "ld.lld-22"));
    ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "RUSTC_WRAPPER"].into_iter().fold(cargo, Process::without)
}
