//! PGM packets on the wire: values and slices, no storage, no state (RFC 3208 section 8 and 9).
//!
//! Every value that can be represented can be emitted and parsed back. Parsing never panics, whatever came, and does
//! bounded work.

mod checksum;
mod content;
mod cursor;
mod error;
mod options;
mod packet;
mod tsi;

pub use checksum::checksum;
pub use content::{Ack, Content, Data, Nak, Poll, Polr, Spm};
pub use error::WireError;
pub use options::{Fragment, MAX_LISTED, Opt, OptionBuffer, OptionKind, Options, Sqns};
pub use packet::{DATA_HEAD_LEN, Flags, HEADER_LEN, Packet};
pub use tsi::{Gsi, Tsi};
