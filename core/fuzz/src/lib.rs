//! Fuzz targets of the core as plain functions: any octets in, a panic when something does not hold.
//!
//! Nothing here knows of libFuzzer. `core/tests/fuzz_seeds.rs` replays the committed seeds through the same functions,
//! `fuzz_targets/` hands them to the fuzzer.

mod command_metadata;
mod connection;
mod decoder;
mod endpoint;
mod frames;
mod greeting;
mod node_pair;
mod topics;

pub use command_metadata::command_metadata;
pub use connection::connection;
pub use decoder::decoder;
pub use endpoint::endpoint;
pub use greeting::greeting;
pub use node_pair::node_pair;
pub use topics::topics;
