//! The one table of what the protocol leaves unbounded.

/// How much a peer may make a socket keep. Passing a limit closes that peer with
/// [`CloseReason::Limit`](crate::CloseReason::Limit), or refuses it, and raises an event; nobody else notices.
///
/// What holds a peer back instead of closing it, because it may be the application that is slow, is no less bounded:
/// messages by the high-water marks of [`Options`](crate::Options), signals by the lane that carries them (4 MiB on
/// `Heap`, one on `Fixed`), events of an XPUB by [`events`](Self::events).
///
/// `Fixed` storage has limits of its own, in its type; the lower one holds. Its topic table is shared by all peers: when
/// that is full no peer has passed a limit, and the one that asks is sent everything instead.
///
/// ```
/// let mut options = omnimq_core::Options::default();
/// options.limits.topics = 1_000; // for each peer; who asks for one more is closed
/// options.limits.peers = 64;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Limits {
    /// Distinct topics one peer may subscribe to; by default 1,048,576.
    pub topics: u32,
    /// Octets of one topic; by default 64 KiB.
    pub topic_len: u32,
    /// Octets of all topics one peer is subscribed to, together; by default 16 MiB.
    pub topic_octets: u32,
    /// Peers of one socket, connected and being connected to; by default 65,536. With it the routing ids, of which each
    /// has one.
    pub peers: u32,
    /// Octets of a handshake command's metadata; by default 8 KiB.
    pub metadata: u32,
    /// Octets a peer may send before the handshake ends, greeting included; by default 16 KiB.
    pub handshake: u32,
    /// Octets of a command in traffic phase other than SUBSCRIBE and CANCEL; by default 64 KiB.
    pub command: u32,
    /// Frames of one message; by default 65,536. What a message may take in all is this many times the longest frame
    /// allowed (ZMQ_MAXMSGSIZE), which by default is not limited.
    pub frames: u32,
    /// XPUB: octets of the topics in one peer's subscription events that wait to be received; by default 16 MiB. While
    /// those of peers that have gone come to more together, the streams of the others wait.
    pub event_octets: u32,
    /// XPUB: subscription events waiting to be received; by default 65,536. Beyond, the streams of their peers wait.
    pub events: u32,
}

impl Limits {
    /// The defaults, as each field's description says.
    pub const DEFAULT: Self = Self {
        topics: 1 << 20,
        topic_len: 1 << 16,
        topic_octets: 16 << 20,
        peers: 1 << 16,
        metadata: 8 << 10,
        handshake: 16 << 10,
        command: 1 << 16,
        frames: 1 << 16,
        event_octets: 16 << 20,
        events: 1 << 16,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
