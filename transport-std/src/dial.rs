//! The connecting side of a pipe: which addresses, when, and when no more.

use crate::options::SocketOptions;
use crate::sys::{self, tcp};
use omnimq_core::CloseReason;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

/// Where to connect to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The endpoint as it was given.
    pub(crate) endpoint: String,
    /// Host and port, to be resolved each time.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where to connect from.
    pub(crate) source: Option<SocketAddr>,
}

enum State {
    /// Nothing is under way.
    Idle,
    /// Names are being resolved.
    Resolving,
    /// Addresses that have not been tried.
    Trying(Vec<SocketAddr>),
    /// One is being tried, others are left.
    Connecting(sys::Stream, Vec<SocketAddr>),
    /// There is a stream.
    Connected,
}

/// A pipe's way to its streams.
pub(crate) struct Dial {
    target: Target,
    backoff: crate::backoff::Backoff,
    state: State,
}

/// What to do next.
pub(crate) enum Step {
    /// Have [`Dial::name`] resolved.
    Resolve,
    /// Wait until the stream is writable.
    Connecting(sys::Stream),
    /// Ask again at once.
    Failed,
    /// Ask again after this time.
    Later(Duration),
    /// Give up.
    Never,
    /// Nothing: something is under way.
    Wait,
}

impl Dial {
    pub(crate) fn new(target: Target, options: &SocketOptions, seed: u32) -> Self {
        let backoff = crate::backoff::Backoff::new(options.reconnect, options.reconnect_max, seed);
        Self { target, backoff, state: State::Idle }
    }
    pub(crate) fn endpoint(&self) -> &str {
        &self.target.endpoint
    }
    pub(crate) fn name(&self) -> (String, u16) {
        (self.target.host.clone(), self.target.port)
    }
    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting(..))
    }
    pub(crate) fn on_resolved(&mut self, addresses: Vec<SocketAddr>) {
        if matches!(self.state, State::Resolving) {
            self.state = State::Trying(addresses);
        }
    }
    pub(crate) fn next(&mut self, options: &tcp::TcpOptions) -> Step {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {
                self.state = match self.target.host.parse() {
                    Ok(address) => State::Trying(vec![SocketAddr::new(address, self.target.port)]),
                    Err(_) => State::Resolving,
                };
                if matches!(self.state, State::Resolving) { Step::Resolve } else { Step::Failed }
            }
            State::Trying(mut left) if !left.is_empty() => {
                let address = left.remove(0);
                match tcp::connect(address, self.target.source, options) {
                    Ok(stream) => {
                        self.state = State::Trying(left);
                        Step::Connecting(stream)
                    }
                    Err(_) => {
                        self.state = State::Trying(left);
                        Step::Failed
                    }
                }
            }
            State::Trying(_) => self.backoff.next().map_or(Step::Never, Step::Later),
            busy @ (State::Resolving | State::Connecting(..) | State::Connected) => {
                self.state = busy;
                Step::Wait
            }
        }
    }
    /// `stream` is registered and will be writable when it is connected or has failed.
    pub(crate) fn wait_for(&mut self, stream: sys::Stream) {
        let left = match std::mem::replace(&mut self.state, State::Idle) {
            State::Trying(left) => left,
            _ => Vec::new(),
        };
        self.state = State::Connecting(stream, left);
    }
    /// The stream that was being connected, or `None` when that failed: ask for the next step.
    pub(crate) fn connected(&mut self) -> Option<sys::Stream> {
        let State::Connecting(stream, left) = std::mem::replace(&mut self.state, State::Connected) else { return None };
        match (stream.take_error(), stream.peer_addr()) {
            (Ok(None), Ok(_)) => Some(stream),
            _ => {
                self.state = State::Trying(left);
                None
            }
        }
    }
    /// The handshake is over: the back-off begins anew.
    pub(crate) fn on_ready(&mut self) {
        self.backoff.reset();
    }
    /// The stream was lost; when to ask for the next step, or `None`: never.
    pub(crate) fn on_lost(&mut self, reason: CloseReason) -> Option<Duration> {
        self.state = State::Idle;
        match reason {
            CloseReason::EndOfStream | CloseReason::HandshakeTimeout => self.backoff.next(),
            _ => None,
        }
    }
}

/// Resolves a name on a thread of its own: it may take long, and nothing here can wait.
///
/// # Errors
/// No thread could be made; `done` is not called.
pub(crate) fn resolve(
    (host, port): (String, u16),
    done: impl FnOnce(io::Result<Vec<SocketAddr>>) + Send + 'static,
) -> io::Result<()> {
    let work = move || {
        let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        done(addresses);
    };
    std::thread::Builder::new().name("omnimq-resolve".into()).spawn(work).map(drop)
}
