//! The connecting side of a stream: where to, when again, and from which port.

use crate::capacity::Capacities;
use crate::drive::{Drive, Occasion};
use crate::event::Event;
use crate::logging;
use crate::stream::{Phase, Step};
use omnimq_core::{Failure, Instant, Reconnect};
use smoltcp::iface::{Context, SocketSet};
use smoltcp::socket::{AnySocket, tcp};
use smoltcp::wire::IpEndpoint;

/// Where a stream connects to.
pub(crate) struct Dial {
    pub(crate) remote: IpEndpoint,
    pub(crate) reconnect: Reconnect,
}

/// The ports that connections go out from (RFC 6335).
const EPHEMERAL: u16 = 49_152;

/// Gives out ports one after the other, from a random one on.
pub(crate) struct Ports(u16);

impl Ports {
    pub(crate) const fn new(seed: u32) -> Self {
        let [a, b, c, d] = seed.to_le_bytes();
        Self(u16::from_le_bytes([a ^ c, b ^ d]))
    }
    /// A port that none of `sockets` uses. Their number bounds the search.
    pub(crate) fn next(&mut self, sockets: &SocketSet<'_>) -> u16 {
        loop {
            self.0 = self.0.wrapping_add(1);
            let port = EPHEMERAL | self.0;
            let used = |socket: &tcp::Socket<'_>| socket.local_endpoint().is_some_and(|local| local.port == port);
            if !sockets.iter().filter_map(|(_, socket)| tcp::Socket::downcast(socket)).any(used) {
                return port;
            }
        }
    }
}

/// What becomes of streams that connect.
impl<C: Capacities> Drive<'_, C> {
    /// All of it behind one pointer, which `connect` makes known.
    pub(crate) fn dialling(&mut self, at: usize, occasion: Occasion<'_, '_, '_>) -> Step {
        match occasion {
            Occasion::Turn(context, sockets, now) => {
                let step = self.dial(at, context, sockets, now);
                if let Step::Failed(failure) = step {
                    self.on_failed(at, failure, now);
                }
                step
            }
            Occasion::Lost(reason, now) => {
                if let Some(dial) = self.streams.get_mut(at).and_then(|stream| stream.dial.as_mut()) {
                    dial.reconnect.on_close(reason, now);
                    self.stop_if_told(at);
                }
                Step::Rest
            }
        }
    }
    fn dial(&mut self, at: usize, context: &mut Context, sockets: &mut SocketSet<'_>, now: Instant) -> Step {
        let Some(stream) = self.streams.get_mut(at) else { return Step::Rest };
        if matches!(stream.phase, Phase::Idle | Phase::Listening) {
            sockets.get_mut::<tcp::Socket>(stream.handle).abort();
            stream.phase = Phase::Waiting;
        }
        if stream.phase == Phase::Dialling {
            return stream.on_dialling(sockets.get_mut(stream.handle), self.links.around(now));
        }
        if !stream.is_due(now) {
            return Step::Rest;
        }
        let port = self.links.ports.next(sockets);
        stream.dial(sockets.get_mut(stream.handle), context, port, self.links.around(now))
    }
    fn on_failed(&mut self, at: usize, failure: Failure, now: Instant) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        stream.news.failed = Some(failure);
        logging::told(at, Event::ConnectFailed(failure));
        if let Some(dial) = &mut stream.dial {
            dial.reconnect.on_failure(failure, now);
        }
        self.stop_if_told(at);
    }
    /// Lets go of a stream that is not to be connected again.
    fn stop_if_told(&mut self, at: usize) {
        let Some(stream) = self.streams.get_mut(at) else { return };
        let Some(failure) = stream.dial.as_ref().and_then(|dial| dial.reconnect.stopped()) else { return };
        stream.dial = None;
        stream.news.stopped = Some(failure);
        if stream.phase == Phase::Waiting {
            stream.phase = Phase::Idle;
        }
        if let Some(pipe) = stream.pipe.take() {
            self.node.close(pipe);
        }
        logging::told(at, Event::Stopped(failure));
    }
}
