//! The peer's greeting, octet by octet (RFC 37 section 3.2).
//!
//! Only the twelve octets that tell the version are kept; of the rest the mechanism is compared, and as-server and the
//! padding are passed over.

use crate::error::CloseReason;
use crate::wire::{GREETING_LEN, Mechanism, Recognition, SIGNATURE_LEN, Version};

/// How far the peer's greeting has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    at: u8,
    head: [u8; Self::HEAD],
}

impl Incoming {
    /// Octets that tell the version.
    const HEAD: usize = 12;
    /// Nothing has come.
    pub(super) const START: Self = Self { at: 0, head: [0; Self::HEAD] };

    /// Takes the next octet. Answers as soon as the version calls for it: 3.x when the greeting is over, older ones when
    /// they are recognised.
    pub(super) fn push(&mut self, octet: u8, mechanism: Mechanism) -> Result<Option<Version>, CloseReason> {
        let at = usize::from(self.at);
        self.at = self.at.saturating_add(1);
        if let Some(place) = self.head.get_mut(at) {
            *place = octet;
            return Ok(match self.recognised() {
                Recognition::Is(version @ (Version::V1Unversioned | Version::V1 | Version::V2)) => Some(version),
                Recognition::Is(Version::V3_0 | Version::V3_1) => None,
                Recognition::Undecided | Recognition::Signed | Recognition::Modern => None,
            });
        }
        let announced = at.checked_sub(Self::HEAD).and_then(|at| mechanism.octets().get(at).copied());
        if announced.is_some_and(|own| own != octet) {
            return Err(CloseReason::MechanismMismatch);
        }
        Ok(match self.recognised() {
            Recognition::Is(version) if usize::from(self.at) >= GREETING_LEN => Some(version),
            _ => None,
        })
    }
    /// How many octets of the own greeting may go out: the signature at once, since two peers that both waited would
    /// wait for ever; the major version after a signature; the rest when the peer is known to speak 3.x.
    pub(super) fn allows(&self) -> usize {
        match self.recognised() {
            Recognition::Undecided => SIGNATURE_LEN,
            Recognition::Signed => SIGNATURE_LEN + 1,
            Recognition::Modern | Recognition::Is(_) => GREETING_LEN,
        }
    }
    fn recognised(&self) -> Recognition {
        Recognition::of(self.head.get(..usize::from(self.at)).unwrap_or(&self.head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(octets: &[u8]) -> (Incoming, Result<Option<Version>, CloseReason>) {
        let mut incoming = Incoming::START;
        let mut answer = Ok(None);
        for &octet in octets {
            assert_eq!(answer, Ok(None), "no octet after an answer");
            answer = incoming.push(octet, Mechanism::NULL);
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
    fn modern_versions_answer_at_the_end_and_old_ones_at_once() {
        for (major, minor, version) in [
            (3, 0, Version::V3_0),
            (3, 1, Version::V3_1),
            (3, 9, Version::V3_1),
            (2, 0, Version::V3_1),
            (4, 0, Version::V3_1),
            (255, 255, Version::V3_1),
        ] {
            let octets = greeting(major, minor);
            assert_eq!(feed(&octets[..63]).1, Ok(None), "{major}.{minor}");
            assert_eq!(feed(&octets).1, Ok(Some(version)), "{major}.{minor}");
        }
        assert_eq!(feed(&greeting(0, 0)[..11]).1, Ok(Some(Version::V1)));
        assert_eq!(feed(&greeting(1, 0)[..11]).1, Ok(Some(Version::V2)));
        assert_eq!(feed(b"\x01").1, Ok(Some(Version::V1Unversioned)));
        assert_eq!(feed(b"\xff\0\0\0\0\0\0\0\x01\0").1, Ok(Some(Version::V1Unversioned)));
    }

    #[test]
    fn own_greeting_goes_as_far_as_the_peers_has_come() {
        let octets = greeting(3, 1);
        for len in 0..64 {
            let allowed = match len {
                ..10 => 10,
                10 => 11,
                _ => 64,
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
            assert_eq!(feed(&octets).1, Ok(Some(Version::V3_1)), "octet {at}");
        }
    }
}
