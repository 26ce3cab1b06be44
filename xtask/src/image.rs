//! What a linked image holds: its size in flash and RAM, and whose code is in it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind, elf};

/// Parts of symbols that only an allocator, or a user of one, brings in: the compiler's entry points, C's, and the
/// `alloc` crate under both manglings.
const ALLOCATORS: [&str; 8] =
    ["__rust_alloc", "__rust_realloc", "__rust_dealloc", "__rg_alloc", "__rdl_alloc", "malloc", "_5alloc", "_ZN5alloc"];

struct Symbol {
    name: String,
    octets: u64,
    /// It names code.
    code: bool,
}

/// An ELF image.
pub(crate) struct Image {
    /// Octets of flash: code, constants, vectors, unwinding tables and the initial values of `data`.
    pub(crate) text: u64,
    /// Octets of RAM that begin as zeros.
    pub(crate) bss: u64,
    symbols: Vec<Symbol>,
    constants: Vec<(u64, Vec<u8>)>,
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
        let constants = file.sections().filter_map(|section| Some((section.address(), section.data().ok()?.to_vec())));
        let constants = constants.collect();
        let symbols = file.symbols().filter_map(|symbol| {
            let code = symbol.kind() == SymbolKind::Text;
            Some(Symbol { name: symbol.name().ok()?.to_string(), octets: symbol.size(), code })
        });
        Ok(Self { text, bss, symbols: symbols.collect(), constants })
    }

    /// The symbols that show an allocator.
    pub(crate) fn allocators(&self) -> Vec<&str> {
        let names = self.symbols.iter().map(|symbol| symbol.name.as_str());
        names.filter(|name| shows_an_allocator(name)).collect()
    }

    /// The places in source that a 32-bit image names, `core::panic::Location`s: pointer to and length of the file's
    /// name, line, column.
    pub(crate) fn locations(&self) -> BTreeSet<String> {
        let words = self.constants.iter().flat_map(|(_, data)| {
            data.windows(16).step_by(4).filter_map(|bytes| {
                let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?));
                let (file, line) = (self.text_at(word(0)?, word(4)?)?, word(8)?);
                file.ends_with(".rs").then(|| format!("{file}:{line}"))
            })
        });
        words.collect()
    }

    fn text_at(&self, address: u32, len: u32) -> Option<&str> {
        let len = usize::try_from(len).ok().filter(|len| (4..300).contains(len))?;
        self.constants.iter().find_map(|(start, data)| {
            let at = usize::try_from(u64::from(address).checked_sub(*start)?).ok()?;
            std::str::from_utf8(data.get(at..at.checked_add(len)?)?).ok()
        })
    }

    /// The names of the symbols that have a size.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter().filter(|symbol| symbol.octets > 0).map(|symbol| symbol.name.as_str())
    }

    /// Name and octets of the functions.
    pub(crate) fn code(&self) -> impl Iterator<Item = (&str, u64)> {
        self.symbols.iter().filter(|symbol| symbol.code).map(|symbol| (symbol.name.as_str(), symbol.octets))
    }

    /// Name and octets of the statics called `NODE_…`.
    pub(crate) fn nodes(&self) -> Vec<(&str, u64)> {
        let nodes = self.symbols.iter().filter_map(|symbol| Some((symbol.name.split_once("NODE_")?.1, symbol.octets)));
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
