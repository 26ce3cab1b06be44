//! Greetings: what a peer's first octets are (RFC 37 section 3.2; RFC 15 for 2.0).
//!
//! ```text
//!         0     1..8                    9     10  11      12..31     32         33..63
//! 3.x     FF    identity length + 1     7F    3   minor   mechanism  as-server  zeros
//! 2.0     FF    identity length + 1     7F    1   socket type, then an identity frame
//! 1.0     an identity frame; "with revision": as 2.0 with octet 10 = 0 and 1.0 framing
//! ```
//! Octets 1 to 8 are padding in 3.x; filled so, a 1.0 peer reads them as the length of an identity frame.

use super::{FrameHeader, Framing, MAX_HEADER, WireError};

/// Octets of a 3.x greeting.
pub const GREETING_LEN: usize = 64;

/// Octets that a side must send without waiting: two that wait for one another never begin.
pub const SIGNATURE_LEN: usize = 10;

/// Most octets before the identity in a greeting of 2.0 and 1.0.
pub const GREETING_V2_HEAD: usize = 12 + MAX_HEADER;

/// What a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 1.0 from the first octet: that octet begins its identity frame.
    V1Unversioned,
    /// 1.0 after a greeting of the 2.0 form with revision 0.
    V1,
    /// 2.0.
    V2,
    /// 3.0: subscriptions are messages.
    V3_0,
    /// 3.1: subscriptions are commands. Also what revision 2 and those above 3 are answered with.
    V3_1,
}

impl Version {
    /// How its frames look once the greeting is over.
    pub const fn framing(self) -> Framing {
        match self {
            Self::V1Unversioned | Self::V1 => Framing::V1,
            Self::V2 => Framing::V2,
            Self::V3_0 | Self::V3_1 => Framing::V3,
        }
    }
}

/// What a peer's first octets tell about its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recognition {
    /// Too few to tell.
    Undecided,
    /// A signature: at least the 2.0 form. Its revision, and ours in turn, are to follow.
    Signed,
    /// A greeting of 3.x whose minor version is to follow: ours may go out whole.
    Modern,
    /// This version.
    Is(Version),
}

impl Recognition {
    /// Looks at the first octets of a stream. At most 12 matter; more of them never change what fewer decided.
    ///
    /// ```
    /// use omnimq_core::wire::{Recognition, Version};
    ///
    /// assert_eq!(Recognition::of(&[0xff, 0, 0]), Recognition::Undecided);
    /// assert_eq!(Recognition::of(b"\x01\0"), Recognition::Is(Version::V1Unversioned));
    /// assert_eq!(Recognition::of(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01"), Recognition::Is(Version::V3_1));
    /// ```
    pub fn of(octets: &[u8]) -> Self {
        match octets {
            [first, ..] if *first != 0xff => Self::Is(Version::V1Unversioned),
            // A long 1.0 length ends in its flags octet, which has bit 0 clear: an identity is one frame.
            [_, _, _, _, _, _, _, _, _, last, ..] if last & 1 == 0 => Self::Is(Version::V1Unversioned),
            [_, _, _, _, _, _, _, _, _, _, 0, ..] => Self::Is(Version::V1),
            [_, _, _, _, _, _, _, _, _, _, 1, ..] => Self::Is(Version::V2),
            [_, _, _, _, _, _, _, _, _, _, 3, 0, ..] => Self::Is(Version::V3_0),
            [_, _, _, _, _, _, _, _, _, _, 3] => Self::Modern,
            [_, _, _, _, _, _, _, _, _, _, _, ..] => Self::Is(Version::V3_1),
            [_, _, _, _, _, _, _, _, _, _] => Self::Signed,
            _ => Self::Undecided,
        }
    }
}

/// The name of a security mechanism: 1 to 20 octets, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mechanism([u8; 20]);

impl Mechanism {
    /// No security (RFC 37).
    pub const NULL: Self = Self(*b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    /// User name and password (RFC 24).
    pub const PLAIN: Self = Self(*b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    /// Elliptic-curve encryption (RFC 25, 26).
    pub const CURVE: Self = Self(*b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

    /// Reads the mechanism field of a greeting.
    ///
    /// # Errors
    /// [`WireError::BadMechanism`] unless it is visible ASCII, at least one octet, then zeros.
    pub fn parse(field: &[u8; 20]) -> Result<Self, WireError> {
        let len = field.iter().position(|&octet| octet == 0).unwrap_or(field.len());
        let (name, padding) = field.split_at_checked(len).ok_or(WireError::BadMechanism)?;
        let named = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        if named && padding.iter().all(|&octet| octet == 0) { Ok(Self(*field)) } else { Err(WireError::BadMechanism) }
    }

    /// The mechanism field of a greeting.
    pub const fn octets(&self) -> &[u8; 20] {
        &self.0
    }

    /// The name without its padding.
    pub fn name(&self) -> &str {
        let name = self.0.split(|&octet| octet == 0).next().unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }
}

impl core::fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::fmt::Display for Mechanism {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A greeting of ZMTP 3.x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Greeting {
    /// The major version: 3.
    pub major: u8,
    /// The minor version: 0 or 1.
    pub minor: u8,
    /// What the peer wants security done with.
    pub mechanism: Mechanism,
    /// Whether the peer takes the server's part in it. libzmq never says so, even when it does: not to be checked.
    pub as_server: bool,
}

impl Greeting {
    /// What is announced here: ZMTP 3.1.
    pub const fn new(mechanism: Mechanism, as_server: bool) -> Self {
        Self { major: 3, minor: 1, mechanism, as_server }
    }

    /// Reads a whole greeting.
    ///
    /// # Errors
    /// [`WireError::BadGreeting`] without a signature or with an older revision, [`WireError::BadMechanism`].
    pub fn parse(octets: &[u8; GREETING_LEN]) -> Result<Self, WireError> {
        match Recognition::of(octets) {
            Recognition::Is(Version::V3_0 | Version::V3_1) => {}
            _ => return Err(WireError::BadGreeting),
        }
        let mechanism = octets[12..].first_chunk().ok_or(WireError::BadMechanism)?;
        Ok(Self {
            major: octets[10],
            minor: octets[11],
            mechanism: Mechanism::parse(mechanism)?,
            as_server: octets[32] & 1 != 0,
        })
    }

    /// Its octets; the signature tells a 1.0 peer to expect an identity of `identity_len` octets.
    pub fn emit(&self, identity_len: u8) -> [u8; GREETING_LEN] {
        let mut out = [0; GREETING_LEN];
        out[..SIGNATURE_LEN].copy_from_slice(&signature(identity_len));
        (out[10], out[11]) = (self.major, self.minor);
        out[12..32].copy_from_slice(self.mechanism.octets());
        out[32] = u8::from(self.as_server);
        out
    }

    /// What this peer speaks.
    pub const fn version(&self) -> Version {
        match (self.major, self.minor) {
            (3, 0) => Version::V3_0,
            _ => Version::V3_1,
        }
    }
}

/// A greeting of ZMTP 2.0, or of 1.0 with revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GreetingV2<'a> {
    /// 1 for 2.0, 0 for 1.0. A peer that speaks 3.x has sent its 3 before it knew, and keeps it.
    pub revision: u8,
    /// The zmq.h number of the socket's type. libzmq does not check it.
    pub socket_type: u8,
    /// The routing id, at most 255 octets.
    pub identity: &'a [u8],
}

impl<'a> GreetingV2<'a> {
    /// Reads it from the front of `buf`, the identity frame framed as `framing` says; returns the octets used with
    /// it, `None` while it is incomplete.
    ///
    /// # Errors
    /// [`WireError::BadGreeting`] without a signature, [`WireError::BadIdentity`], or a broken frame.
    pub fn parse(framing: Framing, buf: &'a [u8]) -> Result<Option<(Self, usize)>, WireError> {
        if let Recognition::Is(Version::V1Unversioned) = Recognition::of(buf) {
            return Err(WireError::BadGreeting);
        }
        let Some((head, rest)) = buf.split_first_chunk::<12>() else { return Ok(None) };
        let Some((header, used)) = FrameHeader::parse(framing, rest)? else { return Ok(None) };
        let len = u8::try_from(header.len).map_err(|_| WireError::BadIdentity)?;
        if header.more || header.command {
            return Err(WireError::BadIdentity);
        }
        let identity = rest.get(used..).and_then(|rest| rest.get(..usize::from(len)));
        let [.., revision, socket_type] = *head;
        Ok(identity.map(|identity| {
            let used = head.len().saturating_add(used).saturating_add(identity.len());
            (Self { revision, socket_type, identity }, used)
        }))
    }

    /// What precedes the identity on the wire: a buffer and the octets used of it. `None` when the identity is longer
    /// than 255 octets.
    pub fn head(&self, framing: Framing) -> Option<([u8; GREETING_V2_HEAD], usize)> {
        let len = u8::try_from(self.identity.len()).ok()?;
        let mut frame = [0; MAX_HEADER];
        let used = FrameHeader { len: u64::from(len), ..FrameHeader::default() }.emit(framing, &mut frame);
        let mut out = [0; GREETING_V2_HEAD];
        out[..SIGNATURE_LEN].copy_from_slice(&signature(len));
        (out[10], out[11]) = (self.revision, self.socket_type);
        out[12..].copy_from_slice(&frame);
        Some((out, used.saturating_add(12)))
    }
}

/// The first ten octets of any greeting, for an identity of `identity_len` octets.
const fn signature(identity_len: u8) -> [u8; SIGNATURE_LEN] {
    let [high, low] = (identity_len as u16 + 1).to_be_bytes();
    [0xff, 0, 0, 0, 0, 0, 0, high, low, 0x7f]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];

    fn signed<const N: usize>(rest: [u8; N]) -> ([u8; 24], usize) {
        let mut octets = [0; 24];
        octets[..10].copy_from_slice(&SIGNED);
        octets[10..10 + N].copy_from_slice(&rest);
        (octets, 10 + N)
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn mechanisms_are_shown_by_their_names() {
        use alloc::format;
        assert_eq!(format!("{} {:?} {:>6}", Mechanism::NULL, Mechanism::PLAIN, Mechanism::CURVE), "NULL PLAIN  CURVE");
    }

    #[test]
    fn recognition_table() {
        let table: &[(&[u8], Recognition)] = &[
            (&[], Recognition::Undecided),
            (&[0xff], Recognition::Undecided),
            (&SIGNED[..9], Recognition::Undecided),
            (&SIGNED, Recognition::Signed),
            (&[1, 0], Recognition::Is(Version::V1Unversioned)),
            (&[0], Recognition::Is(Version::V1Unversioned)),
            (&[0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0], Recognition::Is(Version::V1Unversioned)),
            (&[0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 1], Recognition::Is(Version::V1Unversioned)),
        ];
        for (octets, expected) in table {
            assert_eq!(Recognition::of(octets), *expected, "{octets:02x?}");
        }
        let table: &[([u8; 2], Recognition)] = &[
            ([0, 5], Recognition::Is(Version::V1)),
            ([1, 5], Recognition::Is(Version::V2)),
            ([2, 0], Recognition::Is(Version::V3_1)),
            ([3, 0], Recognition::Is(Version::V3_0)),
            ([3, 1], Recognition::Is(Version::V3_1)),
            ([3, 9], Recognition::Is(Version::V3_1)),
            ([4, 0], Recognition::Is(Version::V3_1)),
            ([255, 0], Recognition::Is(Version::V3_1)),
        ];
        for (octets, expected) in table {
            let (octets, len) = signed(*octets);
            assert_eq!(Recognition::of(&octets[..len]), *expected, "{:02x?}", &octets[10..len]);
        }
        let (octets, len) = signed([3]);
        assert_eq!(Recognition::of(&octets[..len]), Recognition::Modern);
    }

    /// libzmq 4.3 as a NULL client without identity.
    #[test]
    fn greeting_of_libzmq() {
        let mut octets = [0; 64];
        octets[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL");
        let greeting = Greeting::new(Mechanism::NULL, false);
        assert_eq!(Greeting::parse(&octets), Ok(greeting));
        assert_eq!(greeting.emit(0), octets);
        assert_eq!(greeting.version(), Version::V3_1);
    }

    #[test]
    fn malformed_greetings() {
        let good = Greeting::new(Mechanism::CURVE, true).emit(7);
        let table = [
            (0, 0xfe, WireError::BadGreeting),
            (9, 0x7e, WireError::BadGreeting),
            (10, 0, WireError::BadGreeting),
            (10, 1, WireError::BadGreeting),
            (12, 0, WireError::BadMechanism),
            (13, b' ', WireError::BadMechanism),
            (13, 0x80, WireError::BadMechanism),
            (31, b'x', WireError::BadMechanism),
        ];
        for (at, octet, error) in table {
            let mut bad = good;
            bad[at] = octet;
            assert_eq!(Greeting::parse(&bad), Err(error), "octet {at} = {octet}");
        }
        assert_eq!(Greeting::parse(&good).unwrap().mechanism.name(), "CURVE");
    }

    #[test]
    fn signature_counts_the_identity() {
        assert_eq!(signature(0), SIGNED);
        assert_eq!(signature(254), [0xff, 0, 0, 0, 0, 0, 0, 0, 255, 0x7f]);
        assert_eq!(signature(255), [0xff, 0, 0, 0, 0, 0, 0, 1, 0, 0x7f]);
    }

    #[test]
    fn version_2_table() {
        let octets = b"\xff\0\0\0\0\0\0\0\x04\x7f\x01\x05\0\x03abcrest";
        let value = GreetingV2 { revision: 1, socket_type: 5, identity: b"abc" };
        for cut in 0..17 {
            assert_eq!(GreetingV2::parse(Framing::V2, &octets[..cut]), Ok(None), "cut at {cut}");
        }
        assert_eq!(GreetingV2::parse(Framing::V2, octets), Ok(Some((value, 17))));
        let (head, used) = value.head(Framing::V2).unwrap();
        assert_eq!(head[..used], octets[..14]);
        let v1 = GreetingV2 { revision: 0, ..value };
        let (head, used) = v1.head(Framing::V1).unwrap();
        assert_eq!(head[10..used], [0, 5, 4, 0]);
        let (head, used) = GreetingV2 { identity: &[7; 254], ..v1 }.head(Framing::V1).unwrap();
        assert_eq!(head[10..used], [0, 5, 0xff, 0, 0, 0, 0, 0, 0, 0, 255, 0]);
        assert_eq!(GreetingV2 { identity: &[7; 256], ..value }.head(Framing::V2), None);
        assert_eq!(GreetingV2::parse(Framing::V2, b"\x01\0"), Err(WireError::BadGreeting));
        let (more, len) = signed([1, 5, 1, 0]);
        assert_eq!(GreetingV2::parse(Framing::V2, &more[..len]), Err(WireError::BadIdentity));
        let (long, len) = signed([1, 5, 2, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(GreetingV2::parse(Framing::V2, &long[..len]), Err(WireError::BadIdentity));
    }
}
