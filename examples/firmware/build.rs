//! Hands the memory map to the linker, and defmt's table of texts when there is one. Says whether there are roles, and several.

use std::env;

const ROLES: [&str; 5] = ["TELEMETRY", "ACTUATOR", "RPC", "PIPELINE", "ROUTER"];

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-search={folder}");
    println!("cargo:rerun-if-changed=memory.x");
    println!("cargo:rustc-check-cfg=cfg(roles, shared)");
    let enabled = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let roles = ROLES.into_iter().filter(|role| enabled(role)).count();
    if roles > 0 {
        println!("cargo:rustc-cfg=roles");
    }
    if roles > 1 {
        println!("cargo:rustc-cfg=shared");
    }
    if enabled("DEFMT") {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
}
