//! ZeroMQ messages in the data of PGM packets, as libzmq has them.
//!
//! ```text
//! offset (2 octets, big-endian)   where the first message that begins in this packet begins; 0xffff: none does
//! stream                          frames in ZMTP 1.0 framing, cut wherever a packet is full
//! ```
//! There is no greeting and no command. Who joins, or has missed a packet, begins at the next offset.

mod packer;
mod run;
mod unpacker;

pub use packer::Packer;
pub use unpacker::{Unpacked, Unpacker};

/// Octets of the offset.
const OFFSET_LEN: usize = 2;
/// No message begins in the packet.
const NONE: u16 = 0xffff;
