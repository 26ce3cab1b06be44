//! What a linked image holds: its size in flash and RAM, and whose code is in it.

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, elf};

/// Parts of symbols that only an allocator, or a user of one, brings in: the compiler's entry points, C's, and the
/// `alloc` crate under both manglings.
const ALLOCATORS: [&str; 8] =
    ["__rust_alloc", "__rust_realloc", "__rust_dealloc", "__rg_alloc", "__rdl_alloc", "malloc", "_5alloc", "_ZN5alloc"];

/// An ELF image.
pub(crate) struct Image {
    /// Octets of flash: code, constants, vectors, unwinding tables and the initial values of `data`.
    pub(crate) text: u64,
    /// Octets of RAM that begin as zeros.
    pub(crate) bss: u64,
    symbols: Vec<(String, u64)>,
}

impl Image {
    /// Reads an ELF file.
    pub(crate) fn parse(file: &[u8]) -> Result<Self> {
        let file = object::File::parse(file).context("not an ELF file")?;
        let (mut text, mut bss) = (0, 0);
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
            if sh_flags & u64::from(elf::SHF_ALLOC) == 0 {
                continue;
            }
            match section.file_range() {
                Some(_) => text += section.size(),
                None => bss += section.size(),
            }
        }
        let symbols = file.symbols().filter_map(|symbol| Some((symbol.name().ok()?.to_string(), symbol.size()))).collect();
        Ok(Self { text, bss, symbols })
    }

    /// The symbols that show an allocator.
    pub(crate) fn allocators(&self) -> Vec<&str> {
        let names = self.symbols.iter().map(|(name, _)| name.as_str());
        names.filter(|name| shows_an_allocator(name)).collect()
    }

    /// Name and octets of the statics called `NODE_…`.
    pub(crate) fn nodes(&self) -> Vec<(&str, u64)> {
        let nodes = self.symbols.iter().filter_map(|(name, size)| Some((name.split_once("NODE_")?.1, *size)));
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_unstable();
        nodes
    }
}

fn shows_an_allocator(symbol: &str) -> bool {
    ALLOCATORS.iter().any(|part| symbol.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocators_are_known_by_their_symbols() {
        for symbol in [
            "_RNvCs5jGLQl5kUyP_7___rustc12___rust_alloc",
            "__rust_dealloc",
            "malloc",
            "_RNvMs_NtCs1oFKzgbQVHx_5alloc7raw_vecINtB4_6RawVechE8grow_oneCs4uwQjFWxoFc_9publisher",
            "_ZN5alloc7raw_vec12handle_error17h0123456789abcdefE",
        ] {
            assert!(shows_an_allocator(symbol), "{symbol}");
        }
    }

    #[test]
    fn layouts_and_our_own_names_are_no_allocators() {
        for symbol in
            ["_RNvNtNtCs1oFKzgbQVHx_4core5alloc6layout6Layout", "_RNvCsf3DpeCnutTs_15omnimq_no_alloc4main", "__aeabi_memcpy"]
        {
            assert!(!shows_an_allocator(symbol), "{symbol}");
        }
    }

    #[test]
    fn this_program_has_an_allocator_and_its_sections_have_sizes() {
        let file = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let image = Image::parse(&file).unwrap();
        assert!(!image.allocators().is_empty());
        assert!(image.text > 100_000 && image.text < file.len() as u64);
        assert!(Image::parse(b"not an image").is_err());
    }
}
