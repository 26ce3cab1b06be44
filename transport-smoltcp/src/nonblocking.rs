//! The calls of `nb`: "not now" is `WouldBlock`, everything else an error or done.

use nb::Error;
use omnimq_core::{Frame, Node, NodeStorage, Pattern, Receives, RecvError, SendErrorKind, Sends};

/// A node with the calls of `nb`: `Nb(socket.node())`, whatever the socket runs over.
///
/// ```
/// use omnimq_smoltcp::core::{Fixed, Node, Options, Pull};
/// use omnimq_smoltcp::nonblocking::Nb;
///
/// let mut node = Node::<Pull, Fixed<1, 4, 64>>::new(Pull, Options::default());
/// assert_eq!(Nb(&mut node).recv().map(|_| ()), Err(nb::Error::WouldBlock));
/// ```
#[derive(Debug)]
pub struct Nb<'a, P: Pattern, S: NodeStorage>(pub &'a mut Node<P, S>);

impl<P: Pattern, S: NodeStorage> Nb<'_, P, S> {
    /// Sends one frame; with `more` another of the same message is to follow.
    ///
    /// # Errors
    /// `WouldBlock` while nobody has room.
    pub fn send(&mut self, octets: &[u8], more: bool) -> nb::Result<(), SendErrorKind>
    where
        P: Sends,
    {
        self.0.send_bytes(octets, more).map_err(|kind| match kind {
            SendErrorKind::Again => Error::WouldBlock,
            other => Error::Other(other),
        })
    }
    /// Receives one frame.
    ///
    /// # Errors
    /// `WouldBlock` while there is none.
    pub fn recv(&mut self) -> nb::Result<Frame<S::Body>, RecvError>
    where
        P: Receives,
    {
        self.0.recv().map_err(|error| match error {
            RecvError::Again => Error::WouldBlock,
            other => Error::Other(other),
        })
    }
}
