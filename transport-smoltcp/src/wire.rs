//! What sockets over byte streams have in common: octets that were read and are not used, octets that are to be written.

use omnimq_core::{Instant, Node, NodeStorage, Pattern, PipeId, Sink};

/// Octets that are read or written at once: what passes through costs this much memory beside the message in progress.
pub(crate) const PIECE: usize = 64;

/// Up to [`PIECE`] octets, taken from the front and put to the back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    octets: [u8; PIECE],
    len: usize,
}

impl Piece {
    pub(crate) const EMPTY: Self = Self { octets: [0; PIECE], len: 0 };

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
    /// Where more octets go.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.octets.get_mut(self.len..).unwrap_or_default()
    }
    /// `n` octets of `space` have been filled.
    pub(crate) fn filled(&mut self, n: usize) {
        self.len = self.len.saturating_add(n).min(PIECE);
    }
    /// The first `n` octets have been used.
    pub(crate) fn used(&mut self, n: usize) {
        let n = n.min(self.len);
        self.octets.copy_within(n..self.len, 0);
        self.len -= n;
    }
}

impl<B> Sink<B> for Piece {
    fn put(&mut self, octets: &[u8]) -> usize {
        let n = self.space().len().min(octets.len());
        self.space().iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        self.filled(n);
        n
    }
}

/// Hands what was read to the node; whether more may be read.
pub(crate) fn feed<P: Pattern, S: NodeStorage>(node: &mut Node<P, S>, id: PipeId, inbox: &mut Piece, now: Instant) -> bool {
    let used = node.handle_input(id, inbox.octets(), now);
    inbox.used(used);
    inbox.octets().is_empty() && !node.is_stalled(id)
}
