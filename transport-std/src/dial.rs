//! The connecting side of a pipe: which addresses, when, and when no more.

use crate::endpoint::{Place, Target};
use crate::sys::{self, tcp};
use omnimq_core::reconnect::{Failure, Reconnect, ReconnectPolicy};
use omnimq_core::{CloseReason, Instant};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

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
    state: State,
    /// How the last address failed.
    failure: Failure,
}

/// What to do next.
pub(crate) enum Step {
    /// Have this name resolved.
    Resolve(String, u16),
    /// Wait until the stream is writable.
    Connecting(sys::Stream),
    /// Ask again after this time.
    Later(Duration),
    /// Give up.
    Never,
    /// Nothing: something is under way.
    Wait,
}

impl Dial {
    pub(crate) fn new(target: Target, policy: ReconnectPolicy, seed: u64) -> Self {
        let reconnect = Reconnect::new(policy, seed);
        Self { target, reconnect, state: State::Idle, failure: Failure::Unreachable }
    }
    pub(crate) fn endpoint(&self) -> &str {
        &self.target.endpoint
    }
    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(..))
    }
    pub(crate) fn on_resolved(&mut self, addresses: Vec<SocketAddr>) {
        if matches!(self.state, State::Resolving) {
            self.state = State::Trying(addresses.into());
        }
    }
    /// The wait is over.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        self.reconnect.handle_timeout(now);
    }
    /// The next step; an address that fails at once is passed over.
    pub(crate) fn next(&mut self, options: &tcp::TcpOptions, now: Instant) -> Step {
        if matches!(self.state, State::Idle) {
            self.state = match &self.target.place {
                Place::At(address) => State::Trying([*address].into()),
                Place::Named(name) => {
                    let name = name.clone();
                    self.state = State::Resolving;
                    return Step::Resolve(name, self.target.port);
                }
            };
        }
        let State::Trying(left) = &mut self.state else { return Step::Wait };
        while let Some(address) = left.pop_front() {
            match tcp::connect(address, self.target.source, options) {
                Ok(stream) => return Step::Connecting(stream),
                Err(error) => self.failure = failure(&error),
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
        self.state = State::Connecting(stream, left);
    }
    /// The stream that was being connected, or `None` when that failed: ask for the next step.
    pub(crate) fn connected(&mut self) -> Option<sys::Stream> {
        let State::Connecting(stream, left) = std::mem::replace(&mut self.state, State::Connected) else { return None };
        let error = match (stream.take_error(), stream.peer_addr()) {
            (Ok(None), Ok(_)) => return Some(stream),
            (Ok(Some(error)) | Err(error), _) | (_, Err(error)) => error,
        };
        self.failure = failure(&error);
        self.state = State::Trying(left);
        None
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

fn failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::ConnectionRefused { Failure::Refused } else { Failure::Unreachable }
}

/// Resolves a name on a thread of its own: it may take long, and nothing here can wait.
///
/// # Errors
/// No thread could be made; `done` is not called.
pub(crate) fn resolve(host: String, port: u16, done: impl FnOnce(Vec<SocketAddr>) + Send + 'static) -> io::Result<()> {
    let work = move || done((host.as_str(), port).to_socket_addrs().map(Iterator::collect).unwrap_or_default());
    std::thread::Builder::new().name("omnimq-resolve".into()).spawn(work).map(drop)
}
