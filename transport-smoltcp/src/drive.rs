//! Between TCP streams and the node: the same code for every pattern of a program.

use crate::capacity::Capacities;
use crate::dial::{Dial, Ports};
use crate::door;
use crate::event::{BindError, ConnectError, Event};
use crate::logging;
use crate::settings::Settings;
use crate::stream::{Around, Phase, Step, Stream};
use omnimq_core::node::Streams;
use omnimq_core::wire::MAX_HEADER;
use omnimq_core::{CloseReason, Instant, PipeId, PipeReader, Reconnect, Side, Sink};
use smoltcp::iface::{Context, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::{IpEndpoint, IpListenEndpoint};

/// What a socket knows of its streams beside the streams.
///
/// What connecting and closing need is reached through pointers that `connect` and `close` put here: a program that calls
/// neither does not carry their code.
pub(crate) struct Links<C: Capacities> {
    pub(crate) settings: Settings,
    pub(crate) listen: Option<IpListenEndpoint>,
    door: SocketHandle,
    refused: Option<IpEndpoint>,
    pub(crate) ports: Ports,
    seed: u32,
    dialling: Option<Dialling<C>>,
    /// When what has not left by then is given up, and how that is done.
    closing: Option<(Instant, Lingering<C>)>,
}

type Dialling<C> = for<'a> fn(&mut Drive<'a, C>, usize, Occasion<'_, '_, '_>) -> Step;
type Lingering<C> = for<'a> fn(&mut Drive<'a, C>, usize, &mut tcp::Socket<'_>, Instant, Instant);

/// Why a stream that connects is looked at.
pub(crate) enum Occasion<'a, 'b, 'c> {
    /// It may be time to dial, or the peer may have answered.
    Turn(&'a mut Context, &'b mut SocketSet<'c>, Instant),
    /// Its connection has ended.
    Lost(CloseReason, Instant),
}

impl<C: Capacities> Links<C> {
    pub(crate) const fn new(settings: &Settings, seed: u32, door: SocketHandle) -> Self {
        let ports = Ports::new(seed);
        Self { settings: *settings, listen: None, door, refused: None, ports, seed, dialling: None, closing: None }
    }
    pub(crate) fn bind(&mut self, endpoint: IpListenEndpoint) -> Result<(), BindError> {
        if self.closing.is_some() {
            return Err(BindError::Closed);
        }
        if endpoint.port == 0 {
            return Err(BindError::NoPort);
        }
        if self.listen.is_some() {
            return Err(BindError::AlreadyBound);
        }
        self.listen = Some(endpoint);
        Ok(())
    }
    pub(crate) fn unbind(&mut self) {
        self.listen = None;
    }
    pub(crate) fn close(&mut self, now: Instant) {
        self.closing
            .get_or_insert((now + self.settings.linger, |drive, at, tcp, until, now| drive.linger(at, tcp, until, now)));
        self.listen = None;
    }
    pub(crate) fn is_closed(&self, streams: &[Stream]) -> bool {
        self.closing.is_some() && streams.iter().all(|stream| stream.phase == Phase::Idle)
    }
    pub(crate) fn poll_timeout(&self, streams: &[Stream]) -> Option<Instant> {
        let closing = self.closing.map(|(until, _)| until).filter(|_| !self.is_closed(streams));
        streams.iter().filter_map(Stream::poll_timeout).chain(closing).min()
    }
    pub(crate) fn poll_event(&mut self, streams: &mut [Stream]) -> Option<(usize, Event)> {
        let places = streams.len();
        let event = streams.iter_mut().enumerate().find_map(|(at, stream)| Some((at, stream.news.pop()?)));
        event.or_else(|| Some((places, Event::Refused(self.refused.take()?))))
    }
    pub(crate) fn around(&self, now: Instant) -> Around<'_> {
        Around { settings: &self.settings, listen: self.listen, now }
    }
}

/// One turn of a socket.
pub(crate) struct Drive<'a, C: Capacities> {
    pub(crate) node: Streams<'a, C>,
    pub(crate) streams: &'a mut [Stream],
    pub(crate) links: &'a mut Links<C>,
}

/// What the application asks for.
impl<C: Capacities> Drive<'_, C> {
    pub(crate) fn connect(&mut self, remote: IpEndpoint) -> Result<usize, ConnectError> {
        if self.links.closing.is_some() {
            return Err(ConnectError::Closed);
        }
        if remote.port == 0 || remote.addr.is_unspecified() {
            return Err(ConnectError::NoPort);
        }
        let mut places = self.streams.iter_mut().enumerate().rev();
        let (at, stream) = places.find(|(_, stream)| stream.is_free()).ok_or(ConnectError::NoRoom)?;
        stream.pipe = Some(self.node.attach(Side::Connect, Instant::ZERO).ok_or(ConnectError::NoRoom)?);
        // One back-off differs from another.
        self.links.seed = self.links.seed.wrapping_mul(0x9e37_79b9).wrapping_add(1);
        let reconnect = Reconnect::new(self.links.settings.reconnect, self.links.seed.into());
        stream.dial = Some(Dial { remote, reconnect });
        self.links.dialling = Some(|drive, at, occasion| drive.dialling(at, occasion));
        Ok(at)
    }
    pub(crate) fn disconnect(&mut self, at: usize, sockets: &mut SocketSet<'_>, now: Instant) {
        let around = self.links.around(now);
        let Some(stream) = self.streams.get_mut(at) else { return };
        stream.dial = None;
        if let Some(pipe) = stream.pipe.take() {
            self.node.close(pipe);
            stream.end(sockets.get_mut(stream.handle), true, around);
        }
    }
}

/// What the loop asks for.
impl<C: Capacities> Drive<'_, C> {
    /// Carries octets between the streams and the queues, and acts on time.
    pub(crate) fn poll(&mut self, context: &mut Context, sockets: &mut SocketSet<'_>, now: Instant) {
        self.node.handle_timeout(now);
        for at in 0..self.streams.len() {
            self.poll_stream(at, context, sockets, now);
        }
        while let Some((pipe, event)) = self.node.poll_event() {
            self.on_event(pipe, event, sockets, now);
        }
        let taken = !self.streams.iter().any(Stream::is_free);
        let remote = door::keep(sockets.get_mut(self.links.door), self.links.listen, taken);
        self.on_refused(remote);
    }
    fn poll_stream(&mut self, at: usize, context: &mut Context, sockets: &mut SocketSet<'_>, now: Instant) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        let handle = stream.handle;
        let step = match self.links.dialling.filter(|_| stream.is_dialled()) {
            Some(dialling) => dialling(self, at, Occasion::Turn(context, sockets, now)),
            None => stream.advance(sockets.get_mut(handle), self.links.around(now)),
        };
        let tcp = sockets.get_mut::<tcp::Socket>(handle);
        match step {
            Step::Rest | Step::Failed(_) => {}
            Step::Opened => self.on_opened(at, tcp, now),
            Step::Carry => self.carry(at, tcp, now),
        }
        if let Some((until, linger)) = self.links.closing {
            linger(self, at, tcp, until, now);
        }
    }
    /// Octets in, octets out.
    fn carry(&mut self, at: usize, tcp: &mut tcp::Socket<'_>, now: Instant) {
        let Some(pipe) = self.streams.get(at).and_then(|stream| stream.pipe) else { return };
        if self.node.is_stalled(pipe) {
            // A frame waits in the connection for room in its queue.
            self.node.handle_input(pipe, [].as_slice(), now);
        }
        while tcp.can_recv() {
            let taken = tcp.recv(|octets| {
                let taken = self.node.handle_input(pipe, &*octets, now);
                (taken, taken)
            });
            if taken.is_ok_and(|taken| taken > 0) {
                continue;
            }
            break;
        }
        if !tcp.may_recv() && !self.node.is_stalled(pipe) {
            self.node.handle_eof(pipe);
        }
        let mut outlet = Outlet::new(tcp);
        self.node.poll_transmit(pipe, &mut outlet);
        outlet.flush();
    }
}

/// What becomes of streams.
impl<C: Capacities> Drive<'_, C> {
    fn on_opened(&mut self, at: usize, tcp: &mut tcp::Socket<'_>, now: Instant) {
        let around = self.links.around(now);
        let Some(stream) = self.streams.get_mut(at) else { return };
        match stream.pipe {
            Some(pipe) => self.node.reconnect(pipe, now),
            None => stream.pipe = self.node.attach(Side::Bind, now),
        }
        if stream.pipe.is_none() {
            // The places of peers that have gone are taken until their last messages have been read.
            let remote = tcp.remote_endpoint();
            stream.end(tcp, false, around);
            self.on_refused(remote);
            return;
        }
        stream.news.connected = true;
        logging::told(at, Event::Connected);
        self.carry(at, tcp, now);
    }
    #[cold]
    #[inline(never)]
    fn on_refused(&mut self, remote: Option<IpEndpoint>) {
        let Some(remote) = remote else { return };
        self.links.refused = Some(remote);
        logging::told(self.streams.len(), Event::Refused(remote));
    }
    fn on_event(&mut self, pipe: PipeId, event: omnimq_core::Event, sockets: &mut SocketSet<'_>, now: Instant) {
        let mut streams = self.streams.iter_mut().enumerate();
        let up = |stream: &Stream| stream.pipe == Some(pipe) && stream.phase == Phase::Up;
        let Some((at, stream)) = streams.find(|(_, stream)| up(stream)) else { return };
        match event {
            omnimq_core::Event::HandshakeSucceeded { minor } => {
                stream.news.succeeded = Some(minor);
                if let Some(dial) = &mut stream.dial {
                    dial.reconnect.on_handshake();
                }
                logging::told(at, Event::HandshakeSucceeded { minor });
            }
            omnimq_core::Event::Closed(reason) => {
                let tcp = sockets.get_mut(stream.handle);
                self.on_closed(at, reason, tcp, now);
            }
            _ => {}
        }
    }
    fn on_closed(&mut self, at: usize, reason: CloseReason, tcp: &mut tcp::Socket<'_>, now: Instant) {
        let around = self.links.around(now);
        let Some(stream) = self.streams.get_mut(at) else { return };
        stream.news.closed = Some(reason);
        logging::told(at, Event::Closed(reason));
        stream.end(tcp, reason == CloseReason::EndOfStream, around);
        if stream.dial.is_none() {
            if let Some(pipe) = stream.pipe.take() {
                self.node.close(pipe);
            }
        } else if let Some(dialling) = self.links.dialling {
            dialling(self, at, Occasion::Lost(reason, now));
        }
    }
    /// Ends a stream that has nothing left to send, or no time.
    fn linger(&mut self, at: usize, tcp: &mut tcp::Socket<'_>, until: Instant, now: Instant) {
        let around = self.links.around(now);
        let Some(stream) = self.streams.get_mut(at) else { return };
        let owes = stream.pipe.and_then(|pipe| self.node.pipe(pipe)).is_some_and(|pipe| pipe.tx.front().is_some());
        let late = until <= now;
        if late || !(owes || stream.phase == Phase::Up && tcp.send_queue() > 0) {
            stream.dial = None;
            if let Some(pipe) = stream.pipe.take() {
                self.node.close(pipe);
            }
            match stream.phase {
                Phase::Up => stream.end(tcp, !late, around),
                Phase::Dialling | Phase::Coming => stream.end(tcp, false, around),
                Phase::Waiting => stream.phase = Phase::Idle,
                Phase::Idle | Phase::Listening | Phase::Ending => {}
            }
        }
        if late && stream.phase == Phase::Ending {
            tcp.abort();
        }
    }
}

/// The send buffer of a TCP socket. What is as short as the header of a frame is kept, and goes with what follows.
struct Outlet<'a, 'b> {
    tcp: &'a mut tcp::Socket<'b>,
    kept: [u8; MAX_HEADER],
    len: usize,
}

impl<'a, 'b> Outlet<'a, 'b> {
    fn new(tcp: &'a mut tcp::Socket<'b>) -> Self {
        Self { tcp, kept: [0; MAX_HEADER], len: 0 }
    }
    /// Hands on what was kept, for which there is room.
    fn flush(&mut self) {
        let kept = self.kept.get(..self.len).unwrap_or_default();
        if !kept.is_empty() {
            let _ = self.tcp.send_slice(kept);
            self.len = 0;
        }
    }
    fn keep(&mut self, octets: &[u8]) -> bool {
        let room = self.tcp.send_capacity().saturating_sub(self.tcp.send_queue());
        let Some(place) = self.kept.get_mut(..octets.len()).filter(|_| room >= octets.len() && self.tcp.may_send()) else {
            return false;
        };
        place.copy_from_slice(octets);
        self.len = octets.len();
        true
    }
}

impl<B> Sink<B> for Outlet<'_, '_> {
    fn put(&mut self, octets: &[u8]) -> usize {
        if self.len == 0 && self.keep(octets) {
            return octets.len();
        }
        let kept = self.kept.get(..self.len).unwrap_or_default();
        let whole = kept.len().saturating_add(octets.len());
        let together =
            self.tcp.send(|space| match space.get_mut(..whole).and_then(|space| space.split_at_mut_checked(kept.len())) {
                Some((head, body)) => {
                    head.copy_from_slice(kept);
                    body.copy_from_slice(octets);
                    (whole, true)
                }
                None => (0, false),
            });
        if together == Ok(true) {
            self.len = 0;
            return octets.len();
        }
        // At the end of the buffer, or where there is not room for all.
        self.flush();
        self.tcp.send_slice(octets).unwrap_or(0)
    }
}

/// Time as smoltcp counts it, in the core's type; what is before its origin is at its origin.
pub(crate) fn instant(now: smoltcp::time::Instant) -> Instant {
    Instant::from_micros(u64::try_from(now.total_micros()).unwrap_or_default())
}
