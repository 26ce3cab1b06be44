//! What a socket has sent and received, in all and by peer.
//!
//! Nothing is counted for this alone that a message would pay for: what is handed over in one go, under a lock that this
//! needs anyway, is counted in one go.

use crate::lane::Traffic;
use crate::socket::{PeerId, Socket};

/// What a socket has done so far: see [`Socket::statistics`].
///
/// ```
/// # use omnimq::{Context, Push};
/// # let context = Context::new()?;
/// let mut push = Push::new(&context)?;
/// # push.set_linger(Some(std::time::Duration::ZERO));
/// push.connect("inproc://nobody")?;
/// push.send("work")?;
/// let statistics = push.statistics();
/// assert_eq!((statistics.sent.messages, statistics.dropped), (1, 0));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// What it took to send to its peers, those included that have gone. Of several peers that one message goes to each
    /// counts.
    pub sent: Traffic,
    /// What came from its peers, those included that have gone, and whether or not it has been received by the
    /// application.
    pub received: Traffic,
    /// Messages given up because the peers they were for had no room, were unknown or had gone. One that several peers
    /// miss counts for each.
    pub dropped: u64,
    /// Messages, both ways, whose place a later one has taken before they were written, or received by the application:
    /// see [`conflate`](crate::SocketOptions::conflate). They count as sent or received, too.
    pub replaced: u64,
    /// Its peers, those included from which all that is left is messages to be received.
    pub peers: Vec<PeerStatistics>,
}

/// One peer of a socket.
///
/// ```
/// # use omnimq::{Context, PeerStatistics, Push};
/// # let context = Context::new()?;
/// # let mut push = Push::new(&context)?;
/// # push.set_linger(Some(std::time::Duration::ZERO));
/// /// The peer for which most waits.
/// fn slowest(peers: &[PeerStatistics]) -> Option<&PeerStatistics> {
///     peers.iter().max_by_key(|peer| peer.unsent)
/// }
/// push.connect("inproc://nobody")?;
/// push.send("work")?;
/// # push.flush();
/// let peers = push.statistics().peers;
/// assert_eq!(slowest(&peers).map(|peer| (peer.endpoint.as_deref(), peer.unsent)), Some((Some("inproc://nobody"), 1)));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerStatistics {
    /// Who.
    pub peer: PeerId,
    /// Where it was accepted, or as given to `connect`. `None` for a multicast session, and for a peer that has gone.
    pub endpoint: Option<String>,
    /// How far its connection is.
    pub state: PeerState,
    /// What the socket took to send to it.
    pub sent: Traffic,
    /// What came from it.
    pub received: Traffic,
    /// Messages to it that the kernel, or the other socket of this process, has not been given.
    pub unsent: u32,
    /// Messages from it that the application has not received.
    pub unreceived: u32,
}

/// How far the connection to a peer is.
///
/// ```
/// # use omnimq::{Context, PeerState, Pull, Push};
/// # let context = Context::new()?;
/// # let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
/// push.connect("inproc://work")?;
/// assert_eq!(push.statistics().peers[0].state, PeerState::Connecting); // nobody has bound the name
/// pull.bind("inproc://work")?;
/// assert_eq!(push.statistics().peers[0].state, PeerState::Connected);
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerState {
    /// There is no stream: it is being connected, again and again, or nobody has bound the name.
    Connecting,
    /// There is a stream, and the handshake goes on.
    Handshaking,
    /// Messages pass.
    Connected,
    /// It has gone; what came from it may be received.
    Gone,
}

impl Socket {
    /// What the socket has sent and received so far. Takes as long as it has peers, about; calls to send and to receive
    /// wait that long at most.
    ///
    /// ```
    /// use omnimq::{Context, PeerState, Pull, Push};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let context = Context::new()?;
    /// let (mut pull, mut push) = (Pull::new(&context)?, Push::new(&context)?);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// # pull.set_recv_timeout(Some(std::time::Duration::from_secs(30)));
    /// push.send("hello")?;
    /// pull.recv()?;
    /// let statistics = pull.statistics();
    /// assert_eq!((statistics.received.messages, statistics.received.octets), (1, 7)); // a header of two octets
    /// assert_eq!(statistics.peers[0].state, PeerState::Connected);
    /// # Ok(())
    /// # }
    /// ```
    pub fn statistics(&self) -> Statistics {
        self.sock().statistics()
    }
}
