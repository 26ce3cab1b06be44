//! Frame headers and the decoder that finds them (RFC 37 section 3.3; RFC 15 for 2.0; RFC 13 for 1.0).
//!
//! ```text
//! 3.x, 2.0   flags, length (1 octet, or 8 big-endian with LONG)      bit 0 MORE, 1 LONG, 2 COMMAND (3.x)
//! 1.0        length of flags and body (1 octet < 255, or 255 and 8 big-endian), flags      bit 0 MORE
//! ```
//! Reserved flag bits are ignored, as libzmq does. The decoder keeps one header, never a body.

use super::WireError;

/// The framings that share one frame model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// ZMTP 1.0: length (flags octet included), then flags. PGM carries it.
    V1,
    /// ZMTP 2.0: as 3.x, without commands.
    V2,
    /// ZMTP 3.x: flags, then length.
    V3,
    /// No framing: a STREAM socket's bytes. Whatever is at hand is one frame.
    Raw,
}

/// Most octets a frame header takes in any framing.
pub const MAX_HEADER: usize = 10;

/// The longest frame body that ZMTP can announce: 2^63 - 1 octets, flags octet of 1.0 included.
pub const MAX_FRAME_LEN: u64 = u64::MAX >> 1;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What precedes a frame's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FrameHeader {
    /// More frames of the same message follow.
    pub more: bool,
    /// The body is a command (3.x only).
    pub command: bool,
    /// Octets of the body.
    pub len: u64,
}

impl FrameHeader {
    /// Reads a header from the front of `buf`, with the octets it takes; `None` while it is incomplete.
    ///
    /// In [`Framing::Raw`] all of `buf` is a body and its header takes no octets.
    ///
    /// # Errors
    /// No header begins so: see [`WireError`].
    #[inline]
    pub fn parse(framing: Framing, buf: &[u8]) -> Result<Option<(Self, usize)>, WireError> {
        match framing {
            Framing::V3 => match buf {
                [flags, len, ..] if flags & (LONG | COMMAND) == 0 => {
                    Ok(Some((Self { more: flags & MORE != 0, command: false, len: u64::from(*len) }, 2)))
                }
                _ => Self::parse_flags_first(buf, COMMAND),
            },
            Framing::V2 => Self::parse_flags_first(buf, 0),
            Framing::V1 => Self::parse_v1(buf),
            Framing::Raw => Ok((!buf.is_empty()).then_some((Self { len: buf.len() as u64, ..Self::default() }, 0))),
        }
    }

    fn parse_flags_first(buf: &[u8], command_bit: u8) -> Result<Option<(Self, usize)>, WireError> {
        let Some((&flags, rest)) = buf.split_first() else { return Ok(None) };
        let (more, command) = (flags & MORE != 0, flags & command_bit != 0);
        if more && command {
            return Err(WireError::CommandWithMore);
        }
        let (len, used) =
            if flags & LONG == 0 { (rest.first().map(|&len| u64::from(len)), 2) } else { (long_len(rest)?, 9) };
        Ok(len.map(|len| (Self { more, command, len }, used)))
    }

    fn parse_v1(buf: &[u8]) -> Result<Option<(Self, usize)>, WireError> {
        let Some((&first, rest)) = buf.split_first() else { return Ok(None) };
        let (len, flags, used) =
            if first < 0xff { (Some(u64::from(first)), rest.first(), 2) } else { (long_len(rest)?, rest.get(8), 10) };
        let Some(len) = len else { return Ok(None) };
        let len = len.checked_sub(1).ok_or(WireError::EmptyV1Frame)?;
        Ok(flags.map(|flags| (Self { more: flags & MORE != 0, command: false, len }, used)))
    }

    /// Writes the header; returns the octets used. What the framing cannot say (a command in 1.0 and 2.0) is left out.
    #[inline]
    pub fn emit(&self, framing: Framing, out: &mut [u8; MAX_HEADER]) -> usize {
        let more = u8::from(self.more);
        match framing {
            Framing::V3 => emit_flags_first(more | if self.command { COMMAND } else { 0 }, self.len, out),
            Framing::V2 => emit_flags_first(more, self.len, out),
            Framing::V1 => emit_v1(more, self.len.saturating_add(1), out),
            Framing::Raw => 0,
        }
    }
}

/// The eight octets of a long length, once they are there.
fn long_len(buf: &[u8]) -> Result<Option<u64>, WireError> {
    match buf.first_chunk() {
        Some(octets) => match u64::from_be_bytes(*octets) {
            len if len <= MAX_FRAME_LEN => Ok(Some(len)),
            _ => Err(WireError::LengthOverflow),
        },
        // The top octet alone tells: nobody waits for the other seven of a length that cannot be.
        None if buf.first().is_some_and(|&top| top > 0x7f) => Err(WireError::LengthOverflow),
        None => Ok(None),
    }
}

#[inline]
fn emit_flags_first(flags: u8, len: u64, out: &mut [u8; MAX_HEADER]) -> usize {
    if let Ok(short) = u8::try_from(len) {
        (out[0], out[1]) = (flags, short);
        return 2;
    }
    out[0] = flags | LONG;
    out[1..9].copy_from_slice(&len.to_be_bytes());
    9
}

fn emit_v1(flags: u8, len: u64, out: &mut [u8; MAX_HEADER]) -> usize {
    match u8::try_from(len) {
        Ok(short) if short < 0xff => {
            (out[0], out[1]) = (short, flags);
            2
        }
        _ => {
            out[0] = 0xff;
            out[1..9].copy_from_slice(&len.to_be_bytes());
            out[9] = flags;
            10
        }
    }
}

/// Finds frame headers in a stream, resumable at any octet. Bodies are the caller's business.
///
/// ```
/// use omnimq_core::wire::{Decoder, Framing};
///
/// let (mut decoder, mut at) = (Decoder::new(Framing::V3, 1 << 20), 0);
/// let stream = [1, 2, b'h', b'i', 0, 0];
/// let header = decoder.header(&stream, &mut at).unwrap().unwrap();
/// assert_eq!((header.more, header.len, at), (true, 2, 2));
/// // The body, `stream[2..4]`, is passed by the caller; until `finish` the answer repeats.
/// at += 2;
/// decoder.finish();
/// assert_eq!(decoder.header(&stream, &mut at).unwrap().unwrap().len, 0);
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    /// How the stream is framed.
    pub framing: Framing,
    /// The longest body allowed, in octets. [`Framing::Raw`] cuts its chunks to it, the others fail.
    pub max: u64,
    current: Option<FrameHeader>,
    failed: Option<WireError>,
    /// Octets of a straddling header in `scratch`; `MAX_HEADER` once the stream has failed.
    have: u8,
    scratch: [u8; MAX_HEADER],
}

impl Decoder {
    /// A decoder at the beginning of a header.
    pub const fn new(framing: Framing, max: u64) -> Self {
        Self { framing, max, current: None, failed: None, have: 0, scratch: [0; MAX_HEADER] }
    }

    /// The header of the frame in progress, read from `input[*at..]` if need be, moving `at` behind it.
    /// The answer repeats until [`finish`](Self::finish); `None` when the input ends before the header does.
    ///
    /// # Errors
    /// The stream is broken, and stays so: the same error answers every later call.
    #[inline]
    pub fn header(&mut self, input: &[u8], at: &mut usize) -> Result<Option<FrameHeader>, WireError> {
        if self.current.is_some() {
            return Ok(self.current);
        }
        let rest = input.get(*at..).unwrap_or_default();
        if self.have == 0
            && let Ok(Some((header, used))) = FrameHeader::parse(self.framing, rest)
            && header.len <= self.max
        {
            *at = at.saturating_add(used);
            self.current = Some(header);
            return Ok(self.current);
        }
        self.gather(rest, at)
    }

    /// The header of the frame in progress, if it has been found.
    #[inline]
    pub const fn current(&self) -> Option<FrameHeader> {
        self.current
    }

    /// The body has been dealt with: the next octet begins a header.
    #[inline]
    pub fn finish(&mut self) {
        self.current = None;
    }

    /// Forgets all that has come, a failure too: the next octet begins a header.
    pub const fn reset(&mut self) {
        (self.current, self.failed, self.have) = (None, None, 0);
    }

    /// The slow way: an incomplete header, a broken one, or a chunk longer than `max`.
    #[cold]
    fn gather(&mut self, rest: &[u8], at: &mut usize) -> Result<Option<FrameHeader>, WireError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.framing == Framing::Raw {
            // A limit of 0 cannot stop a stream that has no frames to refuse.
            let chunk = FrameHeader { len: self.max.max(1), ..FrameHeader::default() };
            self.current = (!rest.is_empty()).then_some(chunk);
            return Ok(self.current);
        }
        for &octet in rest {
            let Some(slot) = self.scratch.get_mut(usize::from(self.have)) else { break };
            *slot = octet;
            self.have = self.have.saturating_add(1);
            *at = at.saturating_add(1);
            let have = self.scratch.get(..usize::from(self.have)).unwrap_or_default();
            match FrameHeader::parse(self.framing, have) {
                Ok(None) => {}
                Ok(Some((header, _))) if header.len <= self.max => {
                    self.have = 0;
                    self.current = Some(header);
                    break;
                }
                Ok(Some(_)) => return self.fail(WireError::Oversize),
                Err(error) => return self.fail(error),
            }
        }
        Ok(self.current)
    }

    fn fail(&mut self, error: WireError) -> Result<Option<FrameHeader>, WireError> {
        self.failed = Some(error);
        self.have = MAX_HEADER as u8;
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(more: bool, command: bool, len: u64) -> FrameHeader {
        FrameHeader { more, command, len }
    }

    const LONG_256: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 1, 0];

    #[test]
    fn parse_table() {
        type Parsed = Result<Option<(FrameHeader, usize)>, WireError>;
        let table: &[(Framing, &[u8], Parsed)] = &[
            (Framing::V3, &[], Ok(None)),
            (Framing::V3, &[0], Ok(None)),
            (Framing::V3, &[0, 0], Ok(Some((header(false, false, 0), 2)))),
            (Framing::V3, &[1, 255, 9], Ok(Some((header(true, false, 255), 2)))),
            (Framing::V3, &[4, 41], Ok(Some((header(false, true, 41), 2)))),
            (Framing::V3, &[0xf8, 3], Ok(Some((header(false, false, 3), 2)))),
            (Framing::V3, &LONG_256, Ok(Some((header(false, false, 256), 9)))),
            (Framing::V3, &[6, 0, 0, 0, 0, 0, 0, 0, 5], Ok(Some((header(false, true, 5), 9)))),
            (Framing::V3, &[3, 0, 0, 0, 0, 0, 0, 0], Ok(None)),
            (Framing::V3, &[2, 0x7f, 255, 255, 255, 255, 255, 255, 255], Ok(Some((header(false, false, MAX_FRAME_LEN), 9)))),
            (Framing::V3, &[2, 0x80, 0, 0, 0, 0, 0, 0, 0], Err(WireError::LengthOverflow)),
            (Framing::V3, &[2, 0x80], Err(WireError::LengthOverflow)),
            (Framing::V3, &[5], Err(WireError::CommandWithMore)),
            (Framing::V2, &[5, 1], Ok(Some((header(true, false, 1), 2)))),
            (Framing::V2, &LONG_256, Ok(Some((header(false, false, 256), 9)))),
            (Framing::V1, &[1], Ok(None)),
            (Framing::V1, &[1, 0], Ok(Some((header(false, false, 0), 2)))),
            (Framing::V1, &[254, 1], Ok(Some((header(true, false, 253), 2)))),
            (Framing::V1, &[0, 0], Err(WireError::EmptyV1Frame)),
            (Framing::V1, &[255, 0, 0, 0, 0, 0, 0, 0, 0, 0], Err(WireError::EmptyV1Frame)),
            (Framing::V1, &[255, 0, 0, 0, 0, 0, 0, 1, 0], Ok(None)),
            (Framing::V1, &[255, 0, 0, 0, 0, 0, 0, 1, 0, 1], Ok(Some((header(true, false, 255), 10)))),
            (Framing::V1, &[255, 0xff], Err(WireError::LengthOverflow)),
            (Framing::Raw, &[], Ok(None)),
            (Framing::Raw, &[7, 7, 7], Ok(Some((header(false, false, 3), 0)))),
        ];
        for (framing, octets, expected) in table {
            assert_eq!(FrameHeader::parse(*framing, octets), *expected, "{framing:?} {octets:02x?}");
        }
    }

    #[test]
    fn emit_table() {
        let table: &[(Framing, FrameHeader, &[u8])] = &[
            (Framing::V3, header(false, false, 0), &[0, 0]),
            (Framing::V3, header(true, false, 255), &[1, 255]),
            (Framing::V3, header(false, true, 256), &[6, 0, 0, 0, 0, 0, 0, 1, 0]),
            (Framing::V2, header(true, true, 3), &[1, 3]),
            (Framing::V1, header(false, false, 253), &[254, 0]),
            (Framing::V1, header(true, false, 254), &[255, 0, 0, 0, 0, 0, 0, 0, 255, 1]),
            (Framing::Raw, header(false, false, 9), &[]),
        ];
        for (framing, value, expected) in table {
            let mut out = [0xaa; MAX_HEADER];
            let used = value.emit(*framing, &mut out);
            assert_eq!(&out[..used], *expected, "{framing:?} {value:?}");
        }
    }

    #[test]
    fn answers_repeat_until_finish() {
        let (mut decoder, mut at) = (Decoder::new(Framing::V3, 10), 0);
        for _ in 0..3 {
            assert_eq!(decoder.header(&[1, 5], &mut at), Ok(Some(header(true, false, 5))));
            assert_eq!((at, decoder.current()), (2, Some(header(true, false, 5))));
        }
        decoder.finish();
        assert_eq!(decoder.current(), None);
        assert_eq!(decoder.header(&[], &mut 0), Ok(None));
    }

    #[test]
    fn resumes_inside_a_header() {
        for cut in 0..LONG_256.len() {
            let (mut decoder, mut at) = (Decoder::new(Framing::V3, 256), 0);
            let (first, second) = LONG_256.split_at(cut);
            assert_eq!(decoder.header(first, &mut at), Ok(None));
            assert_eq!(at, cut);
            at = 0;
            assert_eq!(decoder.header(second, &mut at), Ok(Some(header(false, false, 256))), "cut at {cut}");
            assert_eq!(at, second.len());
        }
    }

    #[test]
    fn errors_are_final() {
        let table: &[(Framing, &[u8], WireError)] = &[
            (Framing::V3, &[0, 11], WireError::Oversize),
            (Framing::V3, &[5, 1], WireError::CommandWithMore),
            (Framing::V1, &[0, 0], WireError::EmptyV1Frame),
            (Framing::V1, &[12, 0], WireError::Oversize),
        ];
        for (framing, octets, error) in table {
            let (mut decoder, mut at) = (Decoder::new(*framing, 10), 0);
            assert_eq!(decoder.header(octets, &mut at), Err(*error));
            decoder.finish();
            assert_eq!(decoder.header(&[0, 0], &mut 0), Err(*error), "an error was forgotten");
        }
    }

    #[test]
    fn raw_chunks_are_cut_to_the_limit() {
        let (mut decoder, mut at) = (Decoder::new(Framing::Raw, 4), 0);
        assert_eq!(decoder.header(&[1, 2, 3, 4, 5, 6], &mut at), Ok(Some(header(false, false, 4))));
        decoder.finish();
        at += 4;
        assert_eq!(decoder.header(&[1, 2, 3, 4, 5, 6], &mut at), Ok(Some(header(false, false, 2))));
        assert_eq!(Decoder::new(Framing::Raw, 0).header(&[1, 2], &mut 0), Ok(Some(header(false, false, 1))));
    }
}
