//! What crosses crates: a virtual wire for the core, scripted ZMTP peers and libzmq itself for the host.
//!
//! The integration tests beside this library hold the assertions; here is only what they stand on.

pub mod checksum;
pub mod libzmq;
pub mod raw;
pub mod rng;
pub mod seeds;
pub mod venv;
pub mod world;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
