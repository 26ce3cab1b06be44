//! Fuzz targets of PGM as plain functions: any octets in, a panic when something does not hold.
//!
//! Nothing here knows of libFuzzer. `pgm/tests/fuzz_seeds.rs` replays the committed seeds through the same functions,
//! `fuzz_targets/` hands them to the fuzzer.

mod datagram;
mod framing;
mod packet;
mod receiver;
mod source;

pub use framing::framing;
pub use packet::packet;
pub use receiver::receiver;
pub use source::source;
