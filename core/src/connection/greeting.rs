//! The peer's greeting, octet by octet (RFC 37 section 3.2), and which protocol it tells of.
//!
//! Nothing is gathered. The tests come in libzmq's order, so that a peer of any age is told from the fewest octets:
//!
//! ```text
//! octet 0 not FF                1.0 without greeting: that octet was the length of a short identity
//! octet 9 with bit 0 clear      1.0 without greeting, long identity
//! octet 10 = 0, 1               1.0 after a greeting, 2.0
//! octet 10 = 3                  3.0 if octet 11 is 0, else 3.1
//! octet 10 = 2 or more than 3   answered as 3.1
//! ```

use crate::error::CloseReason;
use crate::wire::Framing;

/// Octets of the signature, sent without waiting: two peers that both waited would wait for ever.
pub(super) const SIGNATURE: usize = 10;
/// Octets of a whole ZMTP 3.x greeting.
pub(super) const GREETING: usize = 64;

/// The protocol spoken with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// 1.0 from the first octet on: no greeting.
    Bare,
    /// 1.0 framing after a greeting with revision 0.
    V1,
    /// 2.0.
    V2,
    /// 3.0: subscriptions are messages.
    V3,
    /// 3.1: subscriptions are commands.
    V31,
}

impl Dialect {
    /// The framing of what follows the greeting.
    pub(super) const fn framing(self) -> Framing {
        match self {
            Self::Bare | Self::V1 => Framing::V1,
            Self::V2 | Self::V3 | Self::V31 => Framing::V3,
        }
    }
    /// The minor version of 3.x.
    pub(super) const fn minor(self) -> u8 {
        match self {
            Self::Bare | Self::V1 | Self::V2 | Self::V3 => 0,
            Self::V31 => 1,
        }
    }
}

/// How far the peer's greeting has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    at: u8,
    dialect: Dialect,
}

impl Incoming {
    pub(super) const START: Self = Self { at: 0, dialect: Dialect::V31 };

    /// Takes the next octet. Answers as soon as the peer's protocol calls for it: 3.x when its greeting is over, older
    /// ones when they are recognised.
    pub(super) fn push(&mut self, octet: u8, mechanism: &str) -> Result<Option<Dialect>, CloseReason> {
        let at = usize::from(self.at);
        match (at, octet) {
            (0, octet) if octet != 0xff => return Ok(Some(Dialect::Bare)),
            (9, octet) if octet & 1 == 0 => return Ok(Some(Dialect::Bare)),
            (10, 0) => return Ok(Some(Dialect::V1)),
            (10, 1) => return Ok(Some(Dialect::V2)),
            (10, 3) => self.dialect = Dialect::V3,
            // With major 3, whose minor version counts; any other major is answered as 3.1.
            (11, minor) if minor > 0 => self.dialect = Dialect::V31,
            (12..32, octet) => {
                let own = mechanism.as_bytes().get(at.saturating_sub(12)).copied().unwrap_or(0);
                if octet != own {
                    return Err(CloseReason::MechanismMismatch);
                }
            }
            // Padding, and as-server, which libzmq leaves 0 even for servers.
            _ => {}
        }
        self.at = self.at.saturating_add(1);
        Ok((usize::from(self.at) >= GREETING).then_some(self.dialect))
    }
    /// How many octets of the own greeting the peer's octets so far allow.
    pub(super) fn allows(self) -> usize {
        match usize::from(self.at) {
            ..SIGNATURE => SIGNATURE,
            SIGNATURE => SIGNATURE + 1,
            _ => GREETING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(octets: &[u8]) -> (Incoming, Result<Option<Dialect>, CloseReason>) {
        let mut incoming = Incoming::START;
        let mut answer = Ok(None);
        for &octet in octets {
            assert_eq!(answer, Ok(None), "no octet after an answer");
            answer = incoming.push(octet, "NULL");
        }
        (incoming, answer)
    }

    fn greeting(major: u8, minor: u8) -> [u8; 64] {
        let mut octets = [0; 64];
        (octets[0], octets[9], octets[10], octets[11]) = (0xff, 0x7f, major, minor);
        octets[12..16].copy_from_slice(b"NULL");
        octets
    }

    #[test]
    fn dialects() {
        for (major, minor, dialect) in [
            (3, 0, Dialect::V3),
            (3, 1, Dialect::V31),
            (3, 9, Dialect::V31),
            (2, 0, Dialect::V31),
            (4, 0, Dialect::V31),
            (255, 255, Dialect::V31),
        ] {
            assert_eq!(feed(&greeting(major, minor)).1, Ok(Some(dialect)), "{major}.{minor}");
        }
        assert_eq!(feed(&greeting(0, 0)[..11]).1, Ok(Some(Dialect::V1)));
        assert_eq!(feed(&greeting(1, 0)[..11]).1, Ok(Some(Dialect::V2)));
        assert_eq!(feed(b"\x01").1, Ok(Some(Dialect::Bare)));
        assert_eq!(feed(b"\xff\0\0\0\0\0\0\0\x01\0").1, Ok(Some(Dialect::Bare)));
    }

    #[test]
    fn own_greeting_goes_as_far_as_the_peers_has_come() {
        let octets = greeting(3, 1);
        for len in 0..64 {
            let allowed = if len < 10 {
                10
            } else if len == 10 {
                11
            } else {
                64
            };
            assert_eq!(feed(&octets[..len]).0.allows(), allowed, "after {len} octets");
        }
    }

    #[test]
    fn mechanism_is_compared_whole_and_as_server_is_not_looked_at() {
        for at in 12..32 {
            let mut octets = greeting(3, 1);
            octets[at] ^= 1;
            assert_eq!(feed(&octets[..=at]).1, Err(CloseReason::MechanismMismatch), "octet {at}");
        }
        for at in (1..9).chain(32..64) {
            let mut octets = greeting(3, 1);
            octets[at] ^= 0xff;
            assert_eq!(feed(&octets).1, Ok(Some(Dialect::V31)), "octet {at}");
        }
    }

    #[test]
    fn framing_and_minor_version() {
        let table = [Dialect::Bare, Dialect::V1, Dialect::V2, Dialect::V3, Dialect::V31]
            .map(|dialect| (dialect.framing(), dialect.minor()));
        let (v1, v3) = (Framing::V1, Framing::V3);
        assert_eq!(table, [(v1, 0), (v1, 0), (v3, 0), (v3, 0), (v3, 1)]);
    }
}
