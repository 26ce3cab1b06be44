//! The one table of what the protocol leaves unbounded.

/// How much a peer may make a socket keep. Passing a limit closes that peer with
/// [`CloseReason::Limit`](crate::CloseReason::Limit), or refuses it, and raises an event; nobody else notices.
///
/// `Fixed` storage has limits of its own, in its type; the lower one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Distinct topics one peer may subscribe to; by default 1,048,576.
    pub topics: u32,
    /// Octets of one topic; by default 64 KiB.
    pub topic_len: u32,
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
    /// XPUB: subscription events waiting to be received; by default 65,536. Beyond, that peer's stream waits.
    pub events: u32,
}

impl Limits {
    /// The defaults, as each field's description says.
    pub const DEFAULT: Self = Self {
        topics: 1 << 20,
        topic_len: 1 << 16,
        peers: 1 << 16,
        metadata: 8 << 10,
        handshake: 16 << 10,
        command: 1 << 16,
        frames: 1 << 16,
        events: 1 << 16,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
