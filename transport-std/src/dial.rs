//! The connecting side of a pipe: which addresses, when, and when no more.

use crate::endpoint::{Place, Source, Target};
use crate::sys::{self, StreamOptions, ipc, tcp};
use omnimq_core::reconnect::{Failure, Reconnect, ReconnectPolicy};
use omnimq_core::{CloseReason, Instant};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How long an address is given to answer while there are others to try.
const PATIENCE: Duration = Duration::from_secs(2);

enum State {
    /// Nothing is under way.
    Idle,
    /// A name is being resolved.
    Resolving,
    /// Addresses that have not been tried.
    Trying(VecDeque<SocketAddr>),
    /// One is being tried, others are left.
    Connecting(sys::Stream, VecDeque<SocketAddr>),
    /// There is a stream.
    Connected,
}

/// A pipe's way to its streams.
pub(crate) struct Dial {
    target: Target,
    reconnect: Reconnect,
    /// How long an address is given to answer.
    timeout: Option<Duration>,
    state: State,
    /// Counts the addresses tried.
    attempt: u32,
    /// How the last address failed.
    failure: Failure,
    error: Option<io::Error>,
}

/// What to do next.
pub(crate) enum Step {
    /// Have this name looked up.
    Resolve { name: String, port: u16, ipv6: bool },
    /// Wait until the stream is writable, and no longer than this if there is a limit.
    Connecting(sys::Stream, Option<Duration>),
    /// Ask again after this time.
    Later(Duration),
    /// Give up.
    Never,
    /// Nothing: something is under way.
    Wait,
}

impl Dial {
    pub(crate) fn new(target: Target, policy: ReconnectPolicy, timeout: Option<Duration>, seed: u64) -> Self {
        let reconnect = Reconnect::new(policy, seed);
        Self { target, reconnect, timeout, state: State::Idle, attempt: 0, failure: Failure::Unreachable, error: None }
    }
    pub(crate) fn endpoint(&self) -> &str {
        &self.target.endpoint
    }
    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(..))
    }
    /// Tells attempts apart.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }
    /// How the last address failed, once.
    pub(crate) fn take_error(&mut self) -> io::Error {
        self.error.take().unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }
    pub(crate) fn on_resolved(&mut self, addresses: io::Result<Vec<SocketAddr>>) {
        if !matches!(self.state, State::Resolving) {
            return;
        }
        let addresses = addresses.unwrap_or_else(|error| {
            self.failed(error);
            Vec::new()
        });
        self.state = State::Trying(addresses.into());
    }
    /// The wait is over.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        self.reconnect.handle_timeout(now);
    }
    /// The address of that attempt has had its time; true when it was still being tried: ask for the next step.
    pub(crate) fn on_silence(&mut self, attempt: u32) -> bool {
        if attempt != self.attempt || !self.is_connecting() {
            return false;
        }
        self.failed(io::ErrorKind::TimedOut.into());
        true
    }
    /// The next step; an address that fails at once is passed over.
    pub(crate) fn next(&mut self, options: &StreamOptions, now: Instant) -> Step {
        if matches!(self.state, State::Idle) {
            match &self.target.place {
                Place::At(address) => self.state = State::Trying([*address].into()),
                Place::Named(name, port) => {
                    self.state = State::Resolving;
                    return Step::Resolve { name: name.clone(), port: *port, ipv6: self.target.ipv6 };
                }
                Place::Ipc(address) => match ipc::connect(address, options) {
                    Ok(stream) => {
                        self.state = State::Trying(VecDeque::new());
                        return Step::Connecting(stream, None);
                    }
                    Err(error) => self.failed(error),
                },
            }
        }
        if !matches!(self.state, State::Idle | State::Trying(_)) {
            return Step::Wait;
        }
        while let State::Trying(left) = &mut self.state
            && let Some(address) = left.pop_front()
        {
            let patience =
                if left.is_empty() { self.timeout } else { Some(self.timeout.map_or(PATIENCE, |it| it.min(PATIENCE))) };
            let sources = self.target.source.as_ref().map_or(Ok(Vec::new()), Source::addresses);
            match sources.and_then(|sources| tcp::connect(address, &sources, options)) {
                Ok(stream) => return Step::Connecting(stream, patience),
                Err(error) => self.failed(error),
            }
        }
        self.state = State::Idle;
        self.reconnect.on_failure(self.failure, now).map_or(Step::Never, Step::Later)
    }
    /// `stream` is registered and will be writable when it is connected or has failed.
    pub(crate) fn wait_for(&mut self, stream: sys::Stream) {
        let left = match &mut self.state {
            State::Trying(left) => std::mem::take(left),
            _ => VecDeque::new(),
        };
        self.attempt = self.attempt.wrapping_add(1);
        self.state = State::Connecting(stream, left);
    }
    /// The stream that was being connected, or `None` when that failed: ask for the next step.
    pub(crate) fn connected(&mut self) -> Option<sys::Stream> {
        let State::Connecting(stream, left) = std::mem::replace(&mut self.state, State::Connected) else { return None };
        match sys::outcome(&stream) {
            Ok(()) => Some(stream),
            Err(error) => {
                self.state = State::Connecting(stream, left);
                self.failed(error);
                None
            }
        }
    }
    /// The address being tried, or the name, is of no use.
    fn failed(&mut self, error: io::Error) {
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        self.failure = if refused { Failure::Refused } else { Failure::Unreachable };
        self.error = Some(error);
        if let State::Connecting(_, left) = &mut self.state {
            self.state = State::Trying(std::mem::take(left));
        }
    }
    /// The handshake is over: the back-off begins anew.
    pub(crate) fn on_ready(&mut self) {
        self.reconnect.on_handshake();
    }
    /// The stream was lost; when to ask for the next step, or `None`: never.
    pub(crate) fn on_lost(&mut self, reason: CloseReason, now: Instant) -> Option<Duration> {
        self.state = State::Idle;
        self.reconnect.on_close(reason, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const NOW: Instant = Instant::ZERO;

    fn dial(endpoint: &str) -> Dial {
        Dial::new(crate::endpoint::connect(endpoint, true).unwrap(), ReconnectPolicy::DEFAULT, None, 1)
    }
    fn address(listener: &TcpListener) -> SocketAddr {
        listener.local_addr().unwrap()
    }
    /// An address that refuses.
    fn nobody() -> SocketAddr {
        address(&TcpListener::bind("127.0.0.1:0").unwrap())
    }
    /// Goes on until a stream is connected or a wait is due; the stream, and how many addresses were tried.
    fn drive(dial: &mut Dial) -> (Option<sys::Stream>, u32) {
        let before = dial.attempt();
        loop {
            match dial.next(&StreamOptions::default(), NOW) {
                Step::Connecting(stream, _) => {
                    dial.wait_for(stream);
                    // On this machine alone: the answer is there at once.
                    if let Some(stream) = dial.connected() {
                        return (Some(stream), dial.attempt() - before);
                    }
                }
                Step::Later(_) => return (None, dial.attempt() - before),
                Step::Resolve { .. } | Step::Never | Step::Wait => panic!("not expected"),
            }
        }
    }
    fn asks(dial: &mut Dial) -> String {
        match dial.next(&StreamOptions::default(), NOW) {
            Step::Resolve { name, port, ipv6 } => format!("{name} {port} {ipv6}"),
            _ => panic!("not a question"),
        }
    }

    #[test]
    fn all_addresses_are_tried_and_looked_up_again_each_time() {
        let mut dial = dial("tcp://host:5555");
        assert_eq!(asks(&mut dial), "host 5555 true");
        assert!(matches!(dial.next(&StreamOptions::default(), NOW), Step::Wait), "the answer is awaited");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        dial.on_resolved(Ok(vec![nobody(), nobody(), address(&listener), nobody()]));
        let (stream, tried) = drive(&mut dial);
        assert!(stream.is_some());
        assert_eq!(tried, 3);
        assert!(dial.on_lost(CloseReason::EndOfStream, NOW).is_some());
        dial.on_timeout(NOW);
        assert_eq!(asks(&mut dial), "host 5555 true");
        dial.on_resolved(Ok(vec![nobody()]));
        assert!(drive(&mut dial).0.is_none());
        assert_eq!(asks(&mut dial), "host 5555 true");
        dial.on_resolved(Err(io::ErrorKind::NotFound.into()));
        assert_eq!(drive(&mut dial).1, 0, "a name that stands for nothing");
        assert_eq!(dial.take_error().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn an_address_that_does_not_answer_gives_way_to_the_next() {
        let mut dial = dial("tcp://host:5555");
        asks(&mut dial);
        // A queue that is full: the kernel answers nobody.
        let options = StreamOptions { backlog: 0, ..StreamOptions::default() };
        let (_silent, full) = tcp::listen(SocketAddr::from(([127, 0, 0, 1], 0)), &options).unwrap();
        let _first = std::net::TcpStream::connect(full).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        dial.on_resolved(Ok(vec![full, address(&listener)]));
        let Step::Connecting(stream, patience) = dial.next(&StreamOptions::default(), NOW) else { panic!("it is tried") };
        assert_eq!(patience, Some(PATIENCE));
        dial.wait_for(stream);
        let attempt = dial.attempt();
        assert!(!dial.on_silence(attempt.wrapping_sub(1)), "another attempt's time");
        assert!(dial.on_silence(attempt));
        let Step::Connecting(stream, patience) = dial.next(&StreamOptions::default(), NOW) else { panic!("the next") };
        assert_eq!(patience, None, "the last is given as long as the system gives it");
        dial.wait_for(stream);
        assert!(dial.connected().is_some());
        assert!(!dial.on_silence(dial.attempt()), "it has answered");
    }
}
