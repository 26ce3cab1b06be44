//! Fragments put together again (RFC 3208 section 9.3). OpenPGM makes at most 16 of at most 65,535 octets in all.

use super::window::Slot;
use crate::ring::Ring;
use crate::sqn::Sqn;
use crate::storage::{Cells, append};
use omnimq_core::{Body, Draft};

/// Most fragments of a unit.
const MOST: u32 = 1024;
/// Octets of the longest unit.
const LONGEST: u32 = 65_535;

/// What the fragments at the front of a window make.
#[derive(Debug)]
pub(super) enum Assembly<P> {
    /// Others are missing, the first of which is this.
    Incomplete(Sqn),
    /// Nothing that could ever be whole.
    Broken,
    /// All of the first `count` packets.
    Whole { packet: P, count: u32 },
}

/// Puts the fragments at the front together.
pub(super) fn assemble<P: Body, C: Cells<Slot<P>>>(ring: &Ring<Slot<P>, C>) -> Assembly<P> {
    let first = ring.first();
    let Some(Slot::Here(_, Some(unit))) = ring.get(first) else { return Assembly::Broken };
    if unit.first != first || unit.offset != 0 || unit.len == 0 || unit.len > LONGEST {
        return Assembly::Broken;
    }
    let Some(mut draft) = P::Draft::with_len(unit.len as usize) else { return Assembly::Broken };
    for count in 1..=MOST {
        let sqn = first.plus(count.saturating_sub(1));
        let (packet, fragment) = match ring.get(sqn) {
            Some(Slot::Here(packet, Some(fragment))) => (packet.as_ref(), fragment),
            Some(Slot::Missing(_)) | None => return Assembly::Incomplete(sqn),
            Some(Slot::Here(_, None) | Slot::Lost) => return Assembly::Broken,
        };
        let filled = draft.bytes().len();
        let fits = !packet.is_empty() && packet.len() <= draft.missing();
        if !fits || (fragment.first, fragment.len) != (unit.first, unit.len) || fragment.offset as usize != filled {
            return Assembly::Broken;
        }
        append(&mut draft, packet);
        if draft.missing() == 0 {
            return Assembly::Whole { packet: draft.freeze(0), count };
        }
    }
    Assembly::Broken
}
