//! What happens to a socket's connections, told to whoever asks.
//!
//! Telling never waits: a monitor keeps so many events, and from then on only how many it has missed. Who is not asked
//! pays one look at a flag.

use crate::event::{Choice, Event, EventKind};
use crate::socket::Socket;
use crate::sync::{AtomicBool, Ordering, lock};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Events that a monitor keeps until they are taken.
const KEPT: usize = 1024;

/// The events of one socket, from when it was made. A loop over it waits for each, and ends when the socket has gone; so
/// does, with the feature `stream`, the stream that it is too.
///
/// Whoever tells never waits: 1024 events are kept until they are taken, and of what comes beyond those only the
/// number, in its place ([`Event::Missed`]).
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

#[derive(Debug)]
struct Queue {
    choice: Choice,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// The socket has gone.
    ended: bool,
    /// The task that waits for an event.
    waker: Option<Waker>,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn push(&self, event: &Event) {
        if !self.choice.has(event.kind()) {
            return;
        }
        let (mut state, event) = (self.state(), event.clone());
        let kept = state.events.len();
        match (state.events.back_mut(), event) {
            (Some(Event::Dropped { messages }), Event::Dropped { messages: more }) => *messages += more,
            (Some(Event::Missed { events }), _) if kept > KEPT => *events += 1,
            _ if kept == KEPT => state.events.push_back(Event::Missed { events: 1 }),
            (_, event) => state.events.push_back(event),
        }
        self.ring(state);
    }
    /// Wakes whoever waits.
    fn ring(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Socket {
    /// What happens to its connections from here on. Several monitors are each told everything.
    ///
    /// ```
    /// use omnimq::Event;
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// # let patience = std::time::Duration::from_secs(30);
    /// let monitor = push.monitor(); // first, or the beginning is missed
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// let mut events = std::iter::from_fn(|| monitor.recv_timeout(patience));
    /// assert!(matches!(events.next(), Some(Event::ConnectDelayed { .. })));
    /// assert!(events.any(|event| matches!(event, Event::HandshakeSucceeded { .. }))); // messages pass from here on
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn monitor(&self) -> Monitor {
        self.watch(Choice::ALL)
    }
    /// As [`monitor`](Self::monitor), of some events alone.
    ///
    /// ```
    /// # use omnimq::{Context, EventKind, Router};
    /// # fn main() -> Result<(), omnimq::Error> {
    /// let mut router = Router::new(&Context::new()?)?;
    /// let monitor = router.monitor_only(&[EventKind::HandshakeFailed, EventKind::Disconnected]);
    /// router.bind("tcp://127.0.0.1:*")?;
    /// assert!(monitor.try_recv().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn monitor_only(&self, kinds: &[EventKind]) -> Monitor {
        self.watch(Choice::of(kinds))
    }
    fn watch(&self, choice: Choice) -> Monitor {
        let sock = self.sock();
        let core = lock(&sock.core);
        sock.count_dropped(&core);
        sock.watchers.add(choice)
    }
}

impl Monitor {
    /// The next event, waiting for it; `None` when the socket has gone and all has been told.
    ///
    /// ```
    /// # let context = omnimq::Context::new()?;
    /// let mut pull = omnimq::Pull::new(&context)?;
    /// let monitor = pull.monitor();
    /// let log = std::thread::spawn(move || {
    ///     while let Some(event) = monitor.recv() {
    ///         println!("{event:?}");
    ///     }
    /// });
    /// pull.bind("tcp://127.0.0.1:*")?;
    /// drop(pull);
    /// log.join().unwrap(); // it has told all
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn recv(&self) -> Option<Event> {
        let waits = |state: &mut State| state.events.is_empty() && !state.ended;
        let state = self.0.state();
        self.0.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner).events.pop_front()
    }
    /// The next event, if there is one.
    ///
    /// ```
    /// use omnimq::Event;
    /// # let context = omnimq::Context::new()?;
    /// # let (mut first, mut second) = (omnimq::Pull::new(&context)?, omnimq::Pull::new(&context)?);
    /// # let endpoint = first.bind("tcp://127.0.0.1:*")?;
    /// let monitor = second.monitor();
    /// assert!(second.bind(&endpoint).is_err());
    /// assert!(matches!(monitor.try_recv(), Some(Event::BindFailed { .. })));
    /// assert!(monitor.try_recv().is_none());
    /// # Ok::<(), omnimq::Error>(())
    /// ```
    pub fn try_recv(&self) -> Option<Event> {
        self.0.state().events.pop_front()
    }
    /// The next event, waiting for it at most `timeout`; `None` also when that is over.
    ///
    /// ```
    /// use omnimq::{Event, EventKind};
    /// # use std::time::Duration;
    /// # let context = omnimq::Context::new()?;
    /// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
    /// let monitor = pull.monitor_only(&[EventKind::HandshakeSucceeded]);
    /// push.connect(&pull.bind("tcp://127.0.0.1:*")?)?;
    /// let Some(Event::HandshakeSucceeded { peer, .. }) = monitor.recv_timeout(Duration::from_secs(30)) else {
    ///     panic!("nobody came");
    /// };
    /// assert_eq!(pull.statistics().peers[0].peer, peer);
    /// # Ok::<(), omnimq::Error>(())
    /// ```
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
    /// As [`recv`](Self::recv), for a task on any executor. Cancel-safe: dropped before it is done, it has taken no event.
    ///
    /// ```
    /// # async fn log(socket: &omnimq::Socket) {
    /// let mut monitor = socket.monitor();
    /// while let Some(event) = monitor.recv_async().await {
    ///     println!("{event:?}");
    /// }
    /// # }
    /// ```
    pub fn recv_async(&mut self) -> Watching<'_> {
        Watching { monitor: self }
    }
    pub(crate) fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut state = self.0.state();
        match state.events.pop_front() {
            None if !state.ended => {
                let known = state.waker.as_ref().is_some_and(|known| known.will_wake(context.waker()));
                let old = if known { None } else { state.waker.replace(context.waker().clone()) };
                drop(state);
                drop(old);
                Poll::Pending
            }
            event => Poll::Ready(event),
        }
    }
}

/// An event to come: see [`Monitor::recv_async`].
///
/// ```
/// # let context = omnimq::Context::new()?;
/// # let mut pull = omnimq::Pull::new(&context)?;
/// # smol::block_on(async {
/// let mut monitor = pull.monitor();
/// drop(monitor.recv_async()); // has taken nothing
/// pull.bind("tcp://127.0.0.1:*")?;
/// assert!(matches!(monitor.recv_async().await, Some(omnimq::Event::Listening { .. })));
/// # Ok::<(), omnimq::Error>(())
/// # })?;
/// # Ok::<(), omnimq::Error>(())
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub struct Watching<'a> {
    monitor: &'a mut Monitor,
}

impl Future for Watching<'_> {
    type Output = Option<Event>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().monitor.poll_recv(context)
    }
}

/// The events of a [`Monitor`], one after the other: waits for each, and ends when the socket has gone.
///
/// ```
/// use omnimq::Event;
/// # let context = omnimq::Context::new()?;
/// let mut pull = omnimq::Pull::new(&context)?;
/// let monitor = pull.monitor();
/// pull.bind("tcp://127.0.0.1:*")?;
/// drop(pull);
/// let told: Vec<_> = monitor.into_iter().collect(); // a lent monitor, `&monitor`, will do as well
/// assert!(matches!(told[..], [Event::Listening { .. }, Event::Closed { .. }]));
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Debug)]
pub struct Events<M>(M);

impl<M: std::borrow::Borrow<Monitor>> Iterator for Events<M> {
    type Item = Event;
    fn next(&mut self) -> Option<Event> {
        self.0.borrow().recv()
    }
}

impl IntoIterator for Monitor {
    type Item = Event;
    type IntoIter = Events<Self>;
    fn into_iter(self) -> Events<Self> {
        Events(self)
    }
}

impl<'a> IntoIterator for &'a mut Monitor {
    type Item = Event;
    type IntoIter = Events<&'a Monitor>;
    fn into_iter(self) -> Events<&'a Monitor> {
        Events(self)
    }
}

impl<'a> IntoIterator for &'a Monitor {
    type Item = Event;
    type IntoIter = Events<&'a Monitor>;
    fn into_iter(self) -> Events<Self> {
        Events(self)
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
    /// Another one, who hears of these.
    pub(crate) fn add(&self, choice: Choice) -> Monitor {
        let queue = Arc::new(Queue { choice, state: Mutex::default(), changed: Condvar::new() });
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
                queue.push(event);
            }
            there.is_some()
        });
        self.any.store(!queues.is_empty(), Ordering::Release);
    }
    /// There is nothing more to tell.
    pub(crate) fn end(&self) {
        for queue in lock(&self.queues).drain(..).filter_map(|queue| queue.upgrade()) {
            let mut state = queue.state();
            state.ended = true;
            queue.ring(state);
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
        let monitor = watchers.add(Choice::ALL);
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
        let (monitor, other) = (watchers.add(Choice::ALL), watchers.add(Choice::ALL));
        for messages in 1..=3 {
            watchers.tell(&Event::Dropped { messages });
        }
        watchers.end();
        for monitor in [monitor, other] {
            let mut events = monitor.into_iter();
            assert!(matches!(events.next(), Some(Event::Dropped { messages: 6 })));
            assert!(events.next().is_none(), "the socket has gone");
        }
    }
}
