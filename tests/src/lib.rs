//! What crosses crates: a virtual wire for the core, and libzmq itself for the host. (Scripted ZMTP peers are a crate of
//! their own, which the host library uses as well.)
//!
//! The integration tests beside this library hold the assertions; here is only what they stand on.

pub mod checksum;
pub mod libzmq;
#[cfg(target_os = "linux")]
pub mod multicast;
pub mod venv;
pub mod world;

/// The README's examples, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
