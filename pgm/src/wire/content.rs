//! What follows the common header, by packet type (RFC 3208 section 8, 13 and 15; ACK of the PGMCC draft).

use super::WireError;
use super::cursor::{Reader, Writer};
use super::options::{OptionKind, Options, Sqns};
use crate::sqn::Sqn;
use core::net::IpAddr;

/// What follows the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Source path message.
    Spm(Spm<'a>),
    /// A question to receivers or network elements.
    Poll(Poll<'a>),
    /// The answer to it.
    Polr(Polr<'a>),
    /// Original data.
    Odata(Data<'a>),
    /// Repaired data.
    Rdata(Data<'a>),
    /// Negative acknowledgement: asks for repairs.
    Nak(Nak<'a>),
    /// Null negative acknowledgement: says that a repair is under way.
    Nnak(Nak<'a>),
    /// Confirms a NAK to all.
    Ncf(Nak<'a>),
    /// Asks for an SPM.
    Spmr(Options<'a>),
    /// Acknowledgement for congestion control.
    Ack(Ack<'a>),
}

/// The source's window and the way back to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spm<'a> {
    /// Number of this SPM.
    pub sqn: Sqn,
    /// The earliest packet that can be repaired.
    pub trail: Sqn,
    /// The last packet sent.
    pub lead: Sqn,
    /// Where NAKs are to be sent.
    pub path: IpAddr,
    /// Options.
    pub options: Options<'a>,
}

/// Data, and the source's trailing edge when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Number of this packet.
    pub sqn: Sqn,
    /// The earliest packet that can be repaired.
    pub trail: Sqn,
    /// Options.
    pub options: Options<'a>,
    /// The data, up to 65,535 octets.
    pub tsdu: &'a [u8],
}

/// What is missing, of which source and group. More numbers than one are in the option NAK_LIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nak<'a> {
    /// The first number.
    pub sqn: Sqn,
    /// The source, as its SPM said.
    pub source: IpAddr,
    /// The group.
    pub group: IpAddr,
    /// Options.
    pub options: Options<'a>,
}

/// A question to receivers or network elements (RFC 3208 section 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll<'a> {
    /// Number of this question.
    pub sqn: Sqn,
    /// Its round.
    pub round: u16,
    /// What is asked.
    pub subtype: u16,
    /// Who asks.
    pub path: IpAddr,
    /// Back-off of the answer in microseconds.
    pub back_off: u32,
    /// Random string that is compared.
    pub random: u32,
    /// The part of it that has to match.
    pub mask: u32,
    /// Options.
    pub options: Options<'a>,
}

/// The answer to a [`Poll`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polr<'a> {
    /// Number of the question.
    pub sqn: Sqn,
    /// Its round.
    pub round: u16,
    /// Options.
    pub options: Options<'a>,
}

/// What a receiver has, for congestion control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack<'a> {
    /// The highest number received.
    pub highest: Sqn,
    /// Which of the 32 numbers up to it have come.
    pub bitmap: u32,
    /// Options.
    pub options: Options<'a>,
}

impl Spm<'_> {
    /// Whether the stream ends with the packet `lead`.
    pub fn ends(&self) -> bool {
        self.options.find(OptionKind::FIN).is_some()
    }
}

impl<'a> Nak<'a> {
    /// All numbers: the first one, then those of the list.
    pub fn sqns(&self) -> impl Iterator<Item = Sqn> + use<'a> {
        core::iter::once(self.sqn).chain(self.options.nak_list().unwrap_or(Sqns::NONE))
    }
    fn parse(reader: &mut Reader<'a>, options: bool) -> Result<Self, WireError> {
        let sqn = reader.sqn()?;
        let (source, group) = (reader.address()?, reader.address()?);
        Ok(Self { sqn, source, group, options: Options::parse(reader, options)? })
    }
}

impl<'a> Content<'a> {
    const SPM: u8 = 0x00;
    const POLL: u8 = 0x01;
    const POLR: u8 = 0x02;
    const ODATA: u8 = 0x04;
    const RDATA: u8 = 0x05;
    const NAK: u8 = 0x08;
    const NNAK: u8 = 0x09;
    const NCF: u8 = 0x0a;
    const SPMR: u8 = 0x0c;
    const ACK: u8 = 0x0d;

    /// Whether packets of this type carry data, and with it a mandatory checksum.
    pub(super) const fn is_data(kind: u8) -> bool {
        matches!(kind, Self::ODATA | Self::RDATA)
    }
    /// The type on the wire.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Spm(_) => Self::SPM,
            Self::Poll(_) => Self::POLL,
            Self::Polr(_) => Self::POLR,
            Self::Odata(_) => Self::ODATA,
            Self::Rdata(_) => Self::RDATA,
            Self::Nak(_) => Self::NAK,
            Self::Nnak(_) => Self::NNAK,
            Self::Ncf(_) => Self::NCF,
            Self::Spmr(_) => Self::SPMR,
            Self::Ack(_) => Self::ACK,
        }
    }
    /// The options, if any.
    pub const fn options(&self) -> Options<'a> {
        match self {
            Self::Spm(spm) => spm.options,
            Self::Poll(poll) => poll.options,
            Self::Polr(polr) => polr.options,
            Self::Odata(data) | Self::Rdata(data) => data.options,
            Self::Nak(nak) | Self::Nnak(nak) | Self::Ncf(nak) => nak.options,
            Self::Spmr(options) => *options,
            Self::Ack(ack) => ack.options,
        }
    }
    /// What the header says of the length of the data; `None` when it is too long.
    pub(super) fn len(&self) -> Option<u16> {
        match self {
            Self::Odata(data) | Self::Rdata(data) => u16::try_from(data.tsdu.len()).ok(),
            _ => Some(0),
        }
    }
    pub(super) fn parse(kind: u8, options: bool, mut reader: Reader<'a>, len: u16) -> Result<Self, WireError> {
        let reader = &mut reader;
        Ok(match kind {
            Self::SPM => {
                let (sqn, trail, lead) = (reader.sqn()?, reader.sqn()?, reader.sqn()?);
                let path = reader.address()?;
                Self::Spm(Spm { sqn, trail, lead, path, options: Options::parse(reader, options)? })
            }
            Self::POLL => Self::Poll(Poll::parse(reader, options)?),
            Self::POLR => {
                let (sqn, round) = (reader.sqn()?, reader.u16()?);
                reader.u16()?;
                Self::Polr(Polr { sqn, round, options: Options::parse(reader, options)? })
            }
            Self::ODATA | Self::RDATA => {
                let (sqn, trail) = (reader.sqn()?, reader.sqn()?);
                let options = Options::parse(reader, options)?;
                let tsdu = reader.0;
                if tsdu.len() != usize::from(len) {
                    return Err(WireError::Length);
                }
                let data = Data { sqn, trail, options, tsdu };
                if kind == Self::ODATA { Self::Odata(data) } else { Self::Rdata(data) }
            }
            Self::NAK => Self::Nak(Nak::parse(reader, options)?),
            Self::NNAK => Self::Nnak(Nak::parse(reader, options)?),
            Self::NCF => Self::Ncf(Nak::parse(reader, options)?),
            Self::SPMR => Self::Spmr(Options::parse(reader, options)?),
            Self::ACK => {
                let (highest, bitmap) = (reader.sqn()?, reader.u32()?);
                Self::Ack(Ack { highest, bitmap, options: Options::parse(reader, options)? })
            }
            _ => return Err(WireError::Type),
        })
    }
    pub(super) fn emit(&self, writer: &mut Writer<'_>) -> Option<()> {
        match self {
            Self::Spm(spm) => {
                writer.sqn(spm.sqn)?;
                writer.sqn(spm.trail)?;
                writer.sqn(spm.lead)?;
                writer.address(spm.path)?;
            }
            Self::Poll(poll) => poll.emit(writer)?,
            Self::Polr(polr) => {
                writer.sqn(polr.sqn)?;
                writer.u16(polr.round)?;
                writer.u16(0)?;
            }
            Self::Odata(data) | Self::Rdata(data) => {
                writer.sqn(data.sqn)?;
                writer.sqn(data.trail)?;
                writer.put(data.options.octets())?;
                return writer.put(data.tsdu);
            }
            Self::Nak(nak) | Self::Nnak(nak) | Self::Ncf(nak) => {
                writer.sqn(nak.sqn)?;
                writer.address(nak.source)?;
                writer.address(nak.group)?;
            }
            Self::Spmr(_) => {}
            Self::Ack(ack) => {
                writer.sqn(ack.highest)?;
                writer.u32(ack.bitmap)?;
            }
        }
        writer.put(self.options().octets())
    }
}

impl<'a> Poll<'a> {
    fn parse(reader: &mut Reader<'a>, options: bool) -> Result<Self, WireError> {
        let (sqn, round, subtype) = (reader.sqn()?, reader.u16()?, reader.u16()?);
        let path = reader.address()?;
        let (back_off, random, mask) = (reader.u32()?, reader.u32()?, reader.u32()?);
        Ok(Self { sqn, round, subtype, path, back_off, random, mask, options: Options::parse(reader, options)? })
    }
    fn emit(&self, writer: &mut Writer<'_>) -> Option<()> {
        writer.sqn(self.sqn)?;
        writer.u16(self.round)?;
        writer.u16(self.subtype)?;
        writer.address(self.path)?;
        writer.u32(self.back_off)?;
        writer.u32(self.random)?;
        writer.u32(self.mask)
    }
}
