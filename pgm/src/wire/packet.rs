//! The common header (RFC 3208 section 8): ports, type, flags, checksum, source, length of the data.

use super::checksum::checksum;
use super::content::Content;
use super::cursor::{Reader, Writer};
use super::{Gsi, Tsi, WireError};

/// Octets of the header that all packets begin with.
pub const HEADER_LEN: usize = 16;

/// Octets before the data of a packet without options.
pub const DATA_HEAD_LEN: usize = HEADER_LEN + 8;

const CHECKSUM_AT: usize = 6;

/// The options octet of the header, as it is on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// Options are present. [`Packet::emit`] sets and clears it by itself.
    pub const PRESENT: Self = Self(0x01);
    /// Some of the options are for network elements too.
    pub const SIGNIFICANT: Self = Self(0x02);
    /// Parity for packets of variable length.
    pub const VARIABLE: Self = Self(0x40);
    /// A parity packet, or about parity.
    pub const PARITY: Self = Self(0x80);

    /// Whether all of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    const fn with(self, other: Self, on: bool) -> Self {
        if on { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }
}

/// A PGM packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The sender's port: of downstream packets, the port of the source.
    pub source_port: u16,
    /// The receiver's port: of upstream packets (NAK, NNAK, SPMR, POLR, ACK), the port of the source.
    pub destination_port: u16,
    /// The source of the stream, in both directions.
    pub gsi: Gsi,
    /// The options octet.
    pub flags: Flags,
    /// What follows the header.
    pub content: Content<'a>,
}

impl<'a> Packet<'a> {
    /// Reads a packet, which takes all of `octets`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(octets: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader(octets);
        let (source_port, destination_port) = (reader.u16()?, reader.u16()?);
        let [kind, flags] = reader.array()?;
        let announced = reader.u16()?;
        let gsi = Gsi(reader.array()?);
        let len = reader.u16()?;
        if (announced == 0 && Content::is_data(kind)) || (announced != 0 && checksum(octets) != 0xffff) {
            return Err(WireError::Checksum);
        }
        let flags = Flags(flags);
        let content = Content::parse(kind, flags.contains(Flags::PRESENT), reader, len)?;
        Ok(Self { source_port, destination_port, gsi, flags, content })
    }
    /// Writes the packet with its checksum; returns its length, or `None` when `out` is too short.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let len = self.emit_unsealed(out, self.content.len()?)?;
        seal(out.get_mut(..len)?);
        Some(len)
    }
    /// Writes what precedes the data of a packet whose last `tsdu` octets of data stand in `out` already, behind the
    /// room that the header and the options take; returns the length of the whole.
    pub fn emit_before(&self, out: &mut [u8], tsdu: usize) -> Option<usize> {
        let len = self.emit_unsealed(out, u16::try_from(tsdu).ok()?)?.checked_add(tsdu)?;
        seal(out.get_mut(..len)?);
        Some(len)
    }
    fn emit_unsealed(&self, out: &mut [u8], tsdu: u16) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.u16(self.source_port)?;
        writer.u16(self.destination_port)?;
        let flags = self.flags.with(Flags::PRESENT, !self.content.options().is_empty());
        writer.put(&[self.content.kind(), flags.0])?;
        writer.u16(0)?;
        writer.put(&self.gsi.0)?;
        writer.u16(tsdu)?;
        self.content.emit(&mut writer)?;
        Some(writer.len())
    }
    /// The session, of a packet from the source.
    pub const fn downstream(&self) -> Tsi {
        Tsi { gsi: self.gsi, port: self.source_port }
    }
    /// The session, of a packet to the source.
    pub const fn upstream(&self) -> Tsi {
        Tsi { gsi: self.gsi, port: self.destination_port }
    }
}

/// Puts the checksum into a packet that has none. The sum 0 stands for "absent", so it goes out as its equal 0xffff.
fn seal(packet: &mut [u8]) {
    let sum = match !checksum(packet) {
        0 => 0xffff,
        sum => sum,
    };
    if let Some(field) = packet.get_mut(CHECKSUM_AT..).and_then(<[u8]>::first_chunk_mut) {
        *field = sum.to_be_bytes();
    }
}
