//! What happens to a socket's connections, told to whoever asks.
//!
//! Telling never waits: a monitor keeps so many events, and from then on only how many it has missed. Who is not asked
//! pays one look at a flag.

use crate::socket::PeerId;
use crate::sync::{AtomicBool, Ordering, lock};
use omnimq_core::CloseReason;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Events that a monitor keeps until they are taken.
const KEPT: usize = 1024;

/// What has happened. The numbers in brackets are libzmq's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// Connections are accepted here (LISTENING).
    Listening {
        /// With the real port or path.
        endpoint: String,
    },
    /// A peer has connected (ACCEPTED).
    Accepted {
        /// Where it was accepted.
        endpoint: String,
        /// Whom it is to this socket.
        peer: PeerId,
        /// Where it comes from, over tcp.
        address: Option<SocketAddr>,
    },
    /// A connection could not be accepted, for want of descriptors or memory; it is tried again (ACCEPT_FAILED).
    AcceptFailed {
        /// Where.
        endpoint: String,
        /// The system's answer.
        error: Arc<io::Error>,
    },
    /// A connection to `endpoint` is under way (CONNECT_DELAYED).
    ConnectDelayed {
        /// As given to `connect`.
        endpoint: String,
    },
    /// None of the addresses that `endpoint` stands for could be connected to, or its name could not be resolved.
    ConnectFailed {
        /// As given to `connect`.
        endpoint: String,
        /// The system's last answer.
        error: Arc<io::Error>,
    },
    /// It will be tried again (CONNECT_RETRIED).
    ConnectRetried {
        /// As given to `connect`.
        endpoint: String,
        /// After this time.
        after: Duration,
    },
    /// It will not be tried again, as the options say.
    ConnectGivenUp {
        /// As given to `connect`.
        endpoint: String,
    },
    /// There is a stream; the handshake follows (CONNECTED).
    Connected {
        /// As given to `connect`.
        endpoint: String,
        /// Whom the other side is to this socket.
        peer: PeerId,
    },
    /// From here on messages pass (HANDSHAKE_SUCCEEDED).
    HandshakeSucceeded {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
    },
    /// The stream has ended before messages could pass (HANDSHAKE_FAILED_…).
    HandshakeFailed {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// The stream has ended (DISCONNECTED).
    Disconnected {
        /// Where it was accepted, or as given to `connect`.
        endpoint: String,
        /// Who.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// No more connections are accepted here (CLOSED).
    Closed {
        /// As in [`Listening`](Self::Listening).
        endpoint: String,
    },
    /// Messages were given up because the peers they were for had no room, were unknown or had gone.
    Dropped {
        /// So many since this was last told. One that several peers miss counts for each.
        messages: u64,
    },
    /// Packets of a source of a multicast session are lost for good: what comes next of it begins a message.
    Gap {
        /// As given to `bind` or `connect`.
        endpoint: String,
        /// So many.
        packets: u64,
    },
    /// A multicast session has less than its options ask for: what is lost may be beyond repair.
    Capped {
        /// As given to `bind` or `connect`.
        endpoint: String,
        /// What there is less of.
        cap: Cap,
        /// Octets asked for.
        wanted: u64,
        /// Octets that there are.
        granted: u64,
    },
    /// Events were not kept, because none were taken for long.
    Missed {
        /// So many in this place.
        events: u64,
    },
}

/// What a multicast session may have less of than its options ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cap {
    /// The kernel's buffer for what arrives, by `net.core.rmem_max`.
    ReceiveBuffer,
    /// What is kept for repair, by [`window_bytes`](crate::SocketOptions).
    Window,
}

/// The events of one socket, from when it was made. An iterator over it waits for each, and ends when the socket has gone.
///
/// ```
/// use omnimq::{Context, Event, Pull};
/// # fn main() -> Result<(), omnimq::Error> {
/// let context = Context::new()?;
/// let mut pull = Pull::new(&context)?;
/// let monitor = pull.monitor();
/// let endpoint = pull.bind("tcp://127.0.0.1:*")?;
/// assert!(matches!(monitor.recv(), Some(Event::Listening { endpoint: at }) if at == endpoint));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// The socket has gone.
    ended: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn push(&self, event: Event) {
        let mut state = self.state();
        let kept = state.events.len();
        match (state.events.back_mut(), event) {
            (Some(Event::Dropped { messages }), Event::Dropped { messages: more }) => *messages += more,
            (Some(Event::Missed { events }), _) if kept > KEPT => *events += 1,
            _ if kept == KEPT => state.events.push_back(Event::Missed { events: 1 }),
            (_, event) => state.events.push_back(event),
        }
        drop(state);
        self.changed.notify_one();
    }
}

impl Monitor {
    /// The next event, waiting for it; `None` when the socket has gone and all has been told.
    pub fn recv(&self) -> Option<Event> {
        let waits = |state: &mut State| state.events.is_empty() && !state.ended;
        let state = self.0.state();
        self.0.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner).events.pop_front()
    }
    /// The next event, if there is one.
    pub fn try_recv(&self) -> Option<Event> {
        self.0.state().events.pop_front()
    }
    /// The next event, waiting for it at most `timeout`.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Event> {
        let Some(until) = Instant::now().checked_add(timeout) else { return self.recv() };
        let mut state = self.0.state();
        while state.events.is_empty() && !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.events.pop_front()
    }
}

impl Iterator for Monitor {
    type Item = Event;
    fn next(&mut self) -> Option<Event> {
        self.recv()
    }
}

/// Who is told of a socket's events.
#[derive(Default)]
pub(crate) struct Watchers {
    /// Whether anybody is.
    any: AtomicBool,
    queues: crate::sync::Mutex<Vec<Weak<Queue>>>,
}

impl Watchers {
    pub(crate) fn add(&self) -> Monitor {
        let queue = Arc::<Queue>::default();
        lock(&self.queues).push(Arc::downgrade(&queue));
        self.any.store(true, Ordering::Release);
        Monitor(queue)
    }
    /// Whether anybody is told.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }
    /// Tells those who are there.
    #[cold]
    pub(crate) fn tell(&self, event: &Event) {
        let mut queues = lock(&self.queues);
        queues.retain(|queue| {
            let there = queue.upgrade();
            if let Some(queue) = &there {
                queue.push(event.clone());
            }
            there.is_some()
        });
        self.any.store(!queues.is_empty(), Ordering::Release);
    }
    /// There is nothing more to tell.
    pub(crate) fn end(&self) {
        for queue in lock(&self.queues).drain(..).filter_map(|queue| queue.upgrade()) {
            queue.state().ended = true;
            queue.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(n: usize) -> Event {
        Event::Listening { endpoint: n.to_string() }
    }

    #[test]
    fn what_is_not_taken_is_counted_where_it_is_missing() {
        let watchers = Watchers::default();
        assert!(!watchers.any());
        let monitor = watchers.add();
        for n in 0..KEPT + 5 {
            watchers.tell(&listening(n));
        }
        for n in 0..KEPT {
            assert!(matches!(monitor.try_recv(), Some(Event::Listening { endpoint }) if endpoint == n.to_string()));
        }
        watchers.tell(&listening(9));
        assert!(matches!(monitor.recv(), Some(Event::Missed { events: 5 })));
        assert!(matches!(monitor.recv(), Some(Event::Listening { .. })));
        assert!(monitor.try_recv().is_none());
        assert!(monitor.recv_timeout(Duration::from_millis(1)).is_none());
        drop(monitor);
        watchers.tell(&listening(0));
        assert!(!watchers.any(), "whoever has gone is forgotten");
    }

    #[test]
    fn counts_in_a_row_are_one_count() {
        let watchers = Watchers::default();
        let (monitor, other) = (watchers.add(), watchers.add());
        for messages in 1..=3 {
            watchers.tell(&Event::Dropped { messages });
        }
        watchers.end();
        for mut monitor in [monitor, other] {
            assert!(matches!(monitor.next(), Some(Event::Dropped { messages: 6 })));
            assert!(monitor.next().is_none(), "the socket has gone");
        }
    }
}
