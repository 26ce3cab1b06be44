//! A ZeroMQ socket over several TCP streams of smoltcp: what applications call.

use crate::capacity::Capacities;
use crate::drive::{Drive, Links, instant};
use crate::event::{BindError, ConnectError, Event};
use crate::settings::Settings;
use core::fmt;
use omnimq_core::{FilterError, Filters, Frame, Node, Options, Pattern, Receives, RecvError, SendErrorKind, Sends};
use smoltcp::iface::{Context, SocketSet};
use smoltcp::time::Instant;
use smoltcp::wire::{IpEndpoint, IpListenEndpoint};

/// A ZeroMQ socket over smoltcp's TCP.
///
/// It listens on one port with all places that are free, and connects to as many endpoints as it has places. Nothing
/// happens but in [`poll`](Self::poll): call it after each `poll` of the interface, and once more before the next when the
/// application has sent or received. When neither has anything to do, sleep until a packet comes, or until the earlier
/// of [`poll_timeout`](Self::poll_timeout) and the interface's `poll_at`.
///
/// One call of `poll` takes at most `RX` octets from each stream and gives at most `TX` octets to each; beside these
/// copies it does a fixed amount of work for each of the `PEERS` places, and for each topic that is outstanding.
///
/// ```
/// use omnimq_smoltcp::core::{Options, Pub};
/// use omnimq_smoltcp::{Capacities, Capacity, Settings, Socket};
/// use smoltcp::iface::{Config, Interface, SocketSet, SocketStorage};
/// use smoltcp::phy::{Loopback, Medium};
/// use smoltcp::time::Instant;
/// use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};
///
/// type Sizes = Capacity<2, 8, 0, 66, 16, 16, 256, 512>;
///
/// let now = Instant::ZERO; // a board counts
/// let mut device = Loopback::new(Medium::Ethernet); // a board has a driver
/// let config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 1]).into());
/// let mut interface = Interface::new(config, &mut device, now);
/// interface.update_ip_addrs(|addresses| addresses.push(IpCidr::new(IpAddress::v4(10, 0, 2, 15), 24)).unwrap());
///
/// let mut memory = <Sizes as Capacities>::Memory::new();
/// let mut storage = [SocketStorage::EMPTY; 3]; // one for each peer, and one
/// let mut sockets = SocketSet::new(&mut storage[..]);
/// let mut telemetry = Socket::<Pub, Sizes>::new(Pub, Options::new(7), &Settings::DEFAULT, &mut memory, &mut sockets);
/// telemetry.bind(5556).unwrap();
///
/// # let mut turns = 0;
/// loop {
///     interface.poll(now, &mut device, &mut sockets);
///     telemetry.poll(interface.context(), &mut sockets, now);
///     while let Some((_peer, _event)) = telemetry.poll_event() {}
///     telemetry.send(b"temperature 21").unwrap(); // who subscribed gets it
///     # turns += 1; if turns == 3 { break }
///     // then sleep until interface.poll_at(now, &sockets) or telemetry.poll_timeout()
/// }
/// ```
pub struct Socket<P: Pattern, C: Capacities> {
    node: Node<P, C>,
    streams: C::Streams,
    links: Links<C>,
}

/// From one end of a socket's life to the other.
impl<P: Pattern, C: Capacities> Socket<P, C> {
    /// A socket whose TCP streams are in `sockets`, with `memory` for buffers. `options.seed` is to be drawn at random: ports,
    /// routing ids and back-offs begin there.
    ///
    /// # Panics
    /// As `SocketSet::add` does, when `sockets` has no room for `PEERS` + 1 more.
    pub fn new<'a>(
        pattern: P,
        options: Options,
        settings: &Settings,
        memory: &'a mut C::Memory,
        sockets: &mut SocketSet<'a>,
    ) -> Self {
        let (streams, door) = C::open(memory, sockets);
        let links = Links::new(settings, options.seed, door);
        Self { node: Node::configured(pattern, options, settings.connection), streams, links }
    }
    /// Listens on a port, or on a port of one address.
    ///
    /// # Errors
    /// Why it does not.
    pub fn bind(&mut self, endpoint: impl Into<IpListenEndpoint>) -> Result<(), BindError> {
        self.links.bind(endpoint.into())
    }
    /// Stops listening. Peers that have come stay.
    pub fn unbind(&mut self) {
        self.links.unbind();
    }
    /// Connects, and again when the connection is lost. What is sent before the peer answers waits for it, up to the mark.
    /// Answers with the place taken, by which events and [`disconnect`](Self::disconnect) name it.
    ///
    /// # Errors
    /// Why it does not.
    pub fn connect(&mut self, remote: impl Into<IpEndpoint>) -> Result<usize, ConnectError> {
        self.drive().connect(remote.into())
    }
    /// Ends the connection of this place, whichever side made it, with all that is queued for the peer. The place is free
    /// when its stream has ended.
    pub fn disconnect(&mut self, at: usize, sockets: &mut SocketSet<'_>, now: Instant) {
        self.drive().disconnect(at, sockets, instant(now));
    }
    /// Stops listening and connecting, and ends each connection when what was sent on it has left and has been acknowledged,
    /// or [`Settings::linger`] is over. Go on calling `poll` until [`is_closed`](Self::is_closed).
    pub fn close(&mut self, now: Instant) {
        self.links.close(instant(now));
    }
    /// Whether `close` has been called and all has ended.
    pub fn is_closed(&self) -> bool {
        self.links.is_closed(self.streams.as_ref())
    }
}

/// What drives it.
impl<P: Pattern, C: Capacities> Socket<P, C> {
    /// Carries octets between the streams and the queues, and acts on time.
    pub fn poll(&mut self, context: &mut Context, sockets: &mut SocketSet<'_>, now: Instant) {
        self.drive().poll(context, sockets, instant(now));
    }
    /// When `poll` is to be called at the latest, if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = self.links.poll_timeout(self.streams.as_ref()).into_iter().chain(self.node.poll_timeout()).min()?;
        Some(Instant::from_micros(i64::try_from(next.micros()).unwrap_or(i64::MAX)))
    }
    /// What has happened since, and at which place; a peer that was refused has the place after the last. Of each kind a
    /// place keeps the last event.
    pub fn poll_event(&mut self) -> Option<(usize, Event)> {
        self.links.poll_event(self.streams.as_mut())
    }
    fn drive(&mut self) -> Drive<'_, C> {
        Drive { node: self.node.streams(), streams: self.streams.as_mut(), links: &mut self.links }
    }
}

/// Messages.
impl<P: Pattern, C: Capacities> Socket<P, C> {
    /// Sends a message of one frame.
    ///
    /// # Errors
    /// Why it was not sent.
    pub fn send(&mut self, octets: &[u8]) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        self.node.send_bytes(octets, false)
    }
    /// Sends one frame; with `more` another of the same message is to follow.
    ///
    /// # Errors
    /// Why it was not sent. `Again` only for the first frame of a message.
    pub fn send_part(&mut self, octets: &[u8], more: bool) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        self.node.send_bytes(octets, more)
    }
    /// Receives one frame.
    ///
    /// # Errors
    /// Why there is none.
    pub fn recv(&mut self) -> Result<Frame<C::Body>, RecvError>
    where
        P: Receives,
    {
        self.node.recv()
    }
    /// Asks for messages that begin with `topic`.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.node.subscribe(topic)
    }
    /// Takes one `subscribe` back.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.node.unsubscribe(topic)
    }
    /// The core's node: routing ids, options, what was dropped, whether a call would find something to do.
    pub fn node(&mut self) -> &mut Node<P, C> {
        &mut self.node
    }
}

impl<P: Pattern, C: Capacities> fmt::Debug for Socket<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("node", &self.node).finish_non_exhaustive()
    }
}
