//! What a socket is told before it has pipes, and may be told again later.

use crate::limits::Limits;

/// Which subscriptions an XPUB shows to its application (ZMQ_XPUB_VERBOSE, ZMQ_XPUB_VERBOSER; the last one set wins).
///
/// ```
/// use omnimq_core::{Options, Verbosity};
/// let mut options = Options::default();
/// assert_eq!(options.verbosity, Verbosity::Changes);
/// options.verbosity = Verbosity::All; // for an XPUB that counts its subscribers
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verbosity {
    /// The first subscription to a topic and the last cancellation, over all peers.
    #[default]
    Changes,
    /// Every subscription, and the last cancellation (ZMQ_XPUB_VERBOSE).
    Subscriptions,
    /// Every subscription and every cancellation (ZMQ_XPUB_VERBOSER).
    All,
}

/// Options of a socket that its pattern and pipes look at. Defaults are libzmq's: what is on or off is off.
///
/// The high-water marks hold for pipes made afterwards; all others take effect at once when given to
/// [`Socket::configure`](crate::Socket::configure). Two options carry octets and are calls of their own:
/// [`connect_routing_id`](crate::Socket::connect_routing_id) and [`welcome`](crate::Socket::welcome).
/// ZMQ_CONFLATE is a property of a pipe, not of a pattern: a driver that offers it attaches lanes that keep the last
/// message only. ZMQ_ONLY_FIRST_SUBSCRIBE is always on: a subscription is looked for in a message's first part.
///
/// ```
/// use omnimq_core::{Fixed, Node, Options, Router, SendErrorKind};
/// let mut options = Options::default();
/// options.mandatory = true;
/// let mut router = Node::<Router, Fixed<1, 4, 64>>::new(Router, options);
/// assert_eq!(router.send_bytes(b"nobody", true), Err(SendErrorKind::Unroutable));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Options {
    /// Outbound high-water mark per pipe in messages; 0 = no limit (ZMQ_SNDHWM; by default 1000).
    pub send_hwm: u32,
    /// Inbound high-water mark per pipe in messages; 0 = no limit (ZMQ_RCVHWM; by default 1000).
    pub recv_hwm: u32,
    /// ROUTER: report unroutable messages and full peers instead of dropping (ZMQ_ROUTER_MANDATORY).
    pub mandatory: bool,
    /// ROUTER: a newcomer takes a known routing id over (ZMQ_ROUTER_HANDOVER).
    pub handover: bool,
    /// ROUTER, DEALER, REQ: send one empty message on each new pipe (ZMQ_PROBE_ROUTER).
    pub probe_router: bool,
    /// REQ: number the requests and match the replies (ZMQ_REQ_CORRELATE).
    pub correlate: bool,
    /// REQ: a new request may be sent before the reply has come (ZMQ_REQ_RELAXED).
    pub relaxed: bool,
    /// XPUB: which subscriptions are shown. By default [`Verbosity::Changes`].
    pub verbosity: Verbosity,
    /// XPUB: subscriptions are only shown; the application applies them to whom it likes, as
    /// [`subscribe`](crate::Socket::subscribe) says (ZMQ_XPUB_MANUAL).
    pub manual: bool,
    /// PUB and XPUB: a message goes to all peers that want it or to none (ZMQ_XPUB_NODROP).
    pub nodrop: bool,
    /// PUB, XPUB, SUB: what matches is kept back, the rest goes (ZMQ_INVERT_MATCHING). To be set on both sides.
    pub invert_matching: bool,
    /// Where generated routing ids and request ids begin: draw it at random. By default 1.
    pub seed: u32,
    /// What peers may make the socket keep. By default [`Limits::DEFAULT`].
    pub limits: Limits,
}

impl Options {
    /// libzmq's defaults, with generated ids beginning at `seed`.
    pub const fn new(seed: u32) -> Self {
        Self {
            send_hwm: 1000,
            recv_hwm: 1000,
            mandatory: false,
            handover: false,
            probe_router: false,
            correlate: false,
            relaxed: false,
            verbosity: Verbosity::Changes,
            manual: false,
            nodrop: false,
            invert_matching: false,
            seed,
            limits: Limits::DEFAULT,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new(1)
    }
}
