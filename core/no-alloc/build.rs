//! Hands the memory map to the linker.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{folder}/image.ld");
    println!("cargo:rerun-if-changed=image.ld");
}
