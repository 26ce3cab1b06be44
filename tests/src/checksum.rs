//! Bodies too large to carry from one process to another by word: made from a seed, compared by CRC-32.

use omnimq_seeds::Rng;

/// Octets of the repeated block of a pattern: prime, so that a shift by any power of two shows.
const BLOCK: usize = 4093;

/// The octets that `size` and `seed` stand for: a random block, repeated.
pub fn pattern(size: usize, seed: u64) -> Vec<u8> {
    let block = Rng::new(seed).bytes(size.min(BLOCK));
    let mut octets = Vec::with_capacity(size);
    while octets.len() < size {
        octets.extend_from_slice(&block[..block.len().min(size - octets.len())]);
    }
    octets
}

/// CRC-32 as of zlib, eight octets at a step.
pub fn crc32(octets: &[u8]) -> u32 {
    static TABLES: [[u32; 256]; 8] = tables();
    let mut chunks = octets.chunks_exact(8);
    let mut crc = !0_u32;
    for chunk in &mut chunks {
        let (low, high) = chunk.split_at(4);
        let low = crc ^ u32::from_le_bytes([low[0], low[1], low[2], low[3]]);
        let octets = low.to_le_bytes().into_iter().chain(high.iter().copied());
        crc = octets.zip(TABLES.iter().rev()).fold(0, |crc, (octet, table)| crc ^ table[usize::from(octet)]);
    }
    for octet in chunks.remainder() {
        crc = crc >> 8 ^ TABLES[0][usize::from(crc.to_le_bytes()[0] ^ octet)];
    }
    !crc
}

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at as u32, 0);
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        tables[0][at] = crc;
        at += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut at = 0;
        while at < 256 {
            let before = tables[table - 1][at];
            tables[table][at] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            at += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_pattern_has_its_size_and_its_seed_matters() {
        for size in [0, 1, 7, 8, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            assert_eq!(pattern(size, 3).len(), size);
        }
        assert_ne!(crc32(&pattern(100, 1)), crc32(&pattern(100, 2)));
        assert_eq!(pattern(BLOCK + 3, 1)[BLOCK..], pattern(3, 1));
    }
}
