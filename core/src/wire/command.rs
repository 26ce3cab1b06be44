//! Commands: frames that the two protocol ends exchange (RFC 37 section 3.4, RFC 24 PLAIN, RFC 26 CURVE, RFC 48).
//!
//! ```text
//! name length (1 octet), name, data
//! ```
//! Names are compared exactly. What a name means for the data is checked here; when a command may come is not.

use super::{Metadata, WireError, metadata};

/// One command, its data still where it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Ends the handshake. Under CURVE the data is no metadata but a nonce and a box: take its octets.
    Ready(Metadata<'a>),
    /// The handshake failed; the reason is for humans, at most 255 octets. libzmq sends a ZAP status code.
    Error(&'a [u8]),
    /// Asks for a PONG.
    Ping {
        /// After this many tenths of a second without traffic the peer should give us up; 0 = never.
        ttl: u16,
        /// What PONG is to repeat.
        context: PingContext,
    },
    /// Answers a PING.
    Pong(PingContext),
    /// The peer wants messages that begin with this topic.
    Subscribe(&'a [u8]),
    /// The peer no longer wants messages that begin with this topic.
    Cancel(&'a [u8]),
    /// The peer wants messages of this group.
    Join(&'a [u8]),
    /// The peer no longer wants messages of this group.
    Leave(&'a [u8]),
    /// PLAIN and CURVE: the client's first word.
    Hello(&'a [u8]),
    /// PLAIN and CURVE: the server's first word.
    Welcome(&'a [u8]),
    /// PLAIN and CURVE: the client's second word.
    Initiate(&'a [u8]),
    /// CURVE and GSSAPI: a sealed frame. It travels in a frame without the COMMAND flag.
    Message(&'a [u8]),
    /// Any other name of at most 255 octets. In the traffic phase such commands are ignored.
    Unknown {
        /// Its name.
        name: &'a [u8],
        /// What follows the name.
        data: &'a [u8],
    },
}

/// The names, in the order of the variants. A table: comparing in line with each takes much more room.
const NAMES: [&[u8]; 12] = [
    b"READY",
    b"ERROR",
    b"PING",
    b"PONG",
    b"SUBSCRIBE",
    b"CANCEL",
    b"JOIN",
    b"LEAVE",
    b"HELLO",
    b"WELCOME",
    b"INITIATE",
    b"MESSAGE",
];

impl<'a> Command<'a> {
    /// Reads the body of a command frame.
    ///
    /// # Errors
    /// [`WireError::BadCommand`] without a name, [`WireError::BadPing`], [`WireError::BadError`].
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let (name, data) = command(body).ok_or(WireError::BadCommand)?;
        Ok(match NAMES.iter().position(|known| *known == name) {
            Some(0) => Self::Ready(Metadata(data)),
            Some(1) => Self::Error(reason(data).ok_or(WireError::BadError)?),
            Some(2) => {
                let (ttl, context) = data.split_first_chunk().ok_or(WireError::BadPing)?;
                Self::Ping { ttl: u16::from_be_bytes(*ttl), context: PingContext::new(context) }
            }
            Some(3) => Self::Pong(PingContext::new(data)),
            Some(4) => Self::Subscribe(data),
            Some(5) => Self::Cancel(data),
            Some(6) => Self::Join(data),
            Some(7) => Self::Leave(data),
            Some(8) => Self::Hello(data),
            Some(9) => Self::Welcome(data),
            Some(10) => Self::Initiate(data),
            Some(11) => Self::Message(data),
            _ => Self::Unknown { name, data },
        })
    }

    /// Its name.
    pub const fn name(&self) -> &'a [u8] {
        match self {
            Self::Ready(_) => b"READY",
            Self::Error(_) => b"ERROR",
            Self::Ping { .. } => b"PING",
            Self::Pong(_) => b"PONG",
            Self::Subscribe(_) => b"SUBSCRIBE",
            Self::Cancel(_) => b"CANCEL",
            Self::Join(_) => b"JOIN",
            Self::Leave(_) => b"LEAVE",
            Self::Hello(_) => b"HELLO",
            Self::Welcome(_) => b"WELCOME",
            Self::Initiate(_) => b"INITIATE",
            Self::Message(_) => b"MESSAGE",
            Self::Unknown { name, .. } => name,
        }
    }

    /// What it is on the wire, without the frame header. A name or reason is cut to 255 octets.
    ///
    /// ```
    /// use omnimq_core::wire::{Command, Metadata};
    ///
    /// let ready = Command::Ready(Metadata(b"\x0bSocket-Type\0\0\0\x04PUSH"));
    /// assert_eq!(ready.pieces().slices().concat(), b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH");
    /// ```
    pub fn pieces(&self) -> CommandPieces<'a> {
        let (name_len, name) = counted(self.name());
        let mut pieces = CommandPieces { name_len: [name_len], name, fixed: [0; 18], fixed_len: 0, data: &[] };
        match self {
            Self::Ready(metadata) => pieces.data = metadata.0,
            Self::Error(reason) => {
                let (len, reason) = counted(reason);
                pieces.fix(&[&[len]]);
                pieces.data = reason;
            }
            Self::Ping { ttl, context } => pieces.fix(&[&ttl.to_be_bytes(), context.as_ref()]),
            Self::Pong(context) => pieces.fix(&[context.as_ref()]),
            Self::Subscribe(data)
            | Self::Cancel(data)
            | Self::Join(data)
            | Self::Leave(data)
            | Self::Hello(data)
            | Self::Welcome(data)
            | Self::Initiate(data)
            | Self::Message(data)
            | Self::Unknown { data, .. } => pieces.data = data,
        }
        pieces
    }

    /// Writes it to the front of `out`; returns the octets used, `None` when `out` is too short.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        metadata::put(&self.pieces().slices(), out)
    }
}

/// A command's octets in four pieces: nothing is gathered to send it.
#[derive(Clone, Copy, Debug)]
pub struct CommandPieces<'a> {
    name_len: [u8; 1],
    name: &'a [u8],
    fixed: [u8; 18],
    fixed_len: usize,
    data: &'a [u8],
}

impl CommandPieces<'_> {
    /// The pieces in their order.
    pub fn slices(&self) -> [&[u8]; 4] {
        [&self.name_len, self.name, self.fixed.get(..self.fixed_len).unwrap_or_default(), self.data]
    }

    /// Octets of all pieces: the length of the command's frame.
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> usize {
        self.name.len().saturating_add(self.fixed_len).saturating_add(self.data.len()).saturating_add(1)
    }

    fn fix(&mut self, parts: &[&[u8]]) {
        self.fixed_len = metadata::put(parts, &mut self.fixed).unwrap_or(0);
    }
}

/// What a PING wants repeated: at most 16 octets. A longer one is cut, as libzmq does.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PingContext {
    octets: [u8; 16],
    len: u8,
}

impl PingContext {
    /// The first 16 octets of `context`.
    pub fn new(context: &[u8]) -> Self {
        let mut octets = [0; 16];
        let len = context.len().min(octets.len());
        if let (Some(to), Some(from)) = (octets.get_mut(..len), context.get(..len)) {
            to.copy_from_slice(from);
        }
        Self { octets, len: len as u8 }
    }
}

impl AsRef<[u8]> for PingContext {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl core::fmt::Debug for PingContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// Splits a command body into its name and data; `None` without a whole name.
#[inline]
fn command(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = body.split_first()?;
    rest.split_at_checked(usize::from(len)).filter(|(name, _)| !name.is_empty())
}

/// A counted reason. What follows it is ignored, as libzmq does.
fn reason(data: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = data.split_first()?;
    rest.get(..usize::from(len))
}

/// As much of `text` as one octet can count, and the count.
fn counted(text: &[u8]) -> (u8, &[u8]) {
    match u8::try_from(text.len()) {
        Ok(len) => (len, text),
        Err(_) => (u8::MAX, text.get(..usize::from(u8::MAX)).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libzmq's DEALER READY: a command frame of 41 octets.
    const DEALER_READY: [u8; 43] = *b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";

    #[test]
    fn dealer_ready_of_libzmq() {
        use crate::wire::{FrameHeader, Framing, Property};
        let (header, used) = FrameHeader::parse(Framing::V3, &DEALER_READY).unwrap().unwrap();
        assert_eq!((header, used), (FrameHeader { more: false, command: true, len: 41 }, 2));
        let ready = Command::parse(&DEALER_READY[2..]).unwrap();
        let Command::Ready(metadata) = ready else { panic!("{ready:?}") };
        assert_eq!(metadata.find(Property::SOCKET_TYPE), Ok(Some(&b"DEALER"[..])));
        assert_eq!(metadata.find(Property::IDENTITY), Ok(Some(&b""[..])));
        let mut out = [0; 41];
        assert_eq!(ready.emit(&mut out), Some(41));
        assert_eq!(out, DEALER_READY[2..]);
    }

    #[test]
    fn parse_and_emit_table() {
        let table: &[(&[u8], Command<'_>)] = &[
            (b"\x05READY", Command::Ready(Metadata(b""))),
            (b"\x05ERROR\x03400", Command::Error(b"400")),
            (b"\x05ERROR\0", Command::Error(b"")),
            (b"\x04PING\0\x64", Command::Ping { ttl: 100, context: PingContext::default() }),
            (b"\x04PING\x01\0abc", Command::Ping { ttl: 256, context: PingContext::new(b"abc") }),
            (b"\x04PONG", Command::Pong(PingContext::default())),
            (b"\x04PONGabc", Command::Pong(PingContext::new(b"abc"))),
            (b"\x09SUBSCRIBE", Command::Subscribe(b"")),
            (b"\x09SUBSCRIBEtopic", Command::Subscribe(b"topic")),
            (b"\x06CANCELtopic", Command::Cancel(b"topic")),
            (b"\x04JOINgroup", Command::Join(b"group")),
            (b"\x05LEAVEgroup", Command::Leave(b"group")),
            (b"\x05HELLO\x01u\x01p", Command::Hello(b"\x01u\x01p")),
            (b"\x07WELCOME", Command::Welcome(b"")),
            (b"\x08INITIATEx", Command::Initiate(b"x")),
            (b"\x07MESSAGEx", Command::Message(b"x")),
            (b"\x05readyx", Command::Unknown { name: b"ready", data: b"x" }),
        ];
        for (octets, value) in table {
            assert_eq!(Command::parse(octets).as_ref(), Ok(value), "{octets:02x?}");
            let mut out = [0; 64];
            let used = value.emit(&mut out).unwrap();
            assert_eq!((&out[..used], value.pieces().len()), (*octets, octets.len()), "{value:?}");
            assert_eq!(value.emit(&mut out[..used - 1]), None);
        }
    }

    #[test]
    fn malformed_table() {
        let table: &[(&[u8], WireError)] = &[
            (b"", WireError::BadCommand),
            (b"\0", WireError::BadCommand),
            (b"\0data", WireError::BadCommand),
            (b"\x06READY", WireError::BadCommand),
            (b"\x04PING", WireError::BadPing),
            (b"\x04PING\0", WireError::BadPing),
            (b"\x05ERROR", WireError::BadError),
            (b"\x05ERROR\x04400", WireError::BadError),
        ];
        for (octets, error) in table {
            assert_eq!(Command::parse(octets), Err(*error), "{octets:02x?}");
        }
    }

    #[test]
    fn long_contexts_and_reasons_are_cut() {
        let ping = Command::parse(b"\x04PING\0\x010123456789abcdefXYZ").unwrap();
        assert_eq!(ping, Command::Ping { ttl: 1, context: PingContext::new(b"0123456789abcdef") });
        assert_eq!(Command::Error(&[b'r'; 300]).pieces().len(), 1 + 5 + 1 + 255);
        assert_eq!(Command::parse(b"\x05ERROR\x03400 and more"), Ok(Command::Error(b"400")));
    }
}
