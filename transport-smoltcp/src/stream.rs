//! One TCP stream from listening or dialling to its end, and again. Knows neither messages nor ZMTP.
//!
//! ```text
//!          listen            SYN           established
//! Idle ------------> Listening --> Coming -------------\
//!  |  \--connect--> Waiting ----> Dialling -----------> Up ---> Ending ---> Idle or Waiting
//!  |                   ^--- refused, no answer --/                ^ FIN or RST is on its way
//! ```

use crate::dial::Dial;
use crate::event::News;
use crate::settings::Settings;
use omnimq_core::{Failure, Instant, PipeId};
use smoltcp::iface::{Context, SocketHandle};
use smoltcp::socket::tcp;
use smoltcp::wire::IpListenEndpoint;

/// One TCP stream and what it is used for.
pub struct Stream {
    pub(crate) handle: SocketHandle,
    pub(crate) phase: Phase,
    /// The pipe of the ZeroMQ socket; a connecting stream keeps it while it is not connected.
    pub(crate) pipe: Option<PipeId>,
    pub(crate) dial: Option<Dial>,
    pub(crate) news: News,
    /// When to lose patience, in those phases that have an end.
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Listening,
    /// A SYN has come, the connection is not established.
    Coming,
    /// A SYN has gone.
    Dialling,
    /// The back-off says when to dial.
    Waiting,
    Up,
    /// FIN or RST has yet to do its work.
    Ending,
}

/// What has become of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing to do.
    Rest,
    /// It has just been connected.
    Opened,
    /// It could not be connected.
    Failed(Failure),
    /// It is connected: octets may pass.
    Carry,
}

/// What holds for all streams of a socket during one call.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) settings: &'a Settings,
    /// Where idle streams listen.
    pub(crate) listen: Option<IpListenEndpoint>,
    pub(crate) now: Instant,
}

impl Stream {
    pub(crate) const fn new(handle: SocketHandle) -> Self {
        let news = News { connected: false, succeeded: None, closed: None, failed: None, stopped: None };
        Self { handle, phase: Phase::Idle, pipe: None, dial: None, news, deadline: Instant::ZERO }
    }
    /// Whether it would listen.
    pub(crate) fn is_free(&self) -> bool {
        self.dial.is_none() && matches!(self.phase, Phase::Idle | Phase::Listening)
    }
    /// Whether it connects and has yet to be connected.
    pub(crate) fn is_dialled(&self) -> bool {
        let before = matches!(self.phase, Phase::Idle | Phase::Listening | Phase::Waiting | Phase::Dialling);
        self.dial.is_some() && before
    }
    /// Whether it is time to dial.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let due = |dial: &Dial| dial.reconnect.poll_timeout().is_none_or(|until| until <= now);
        self.phase == Phase::Waiting && self.dial.as_ref().is_some_and(due)
    }
    /// When to come back at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Coming | Phase::Dialling | Phase::Ending => Some(self.deadline),
            Phase::Waiting => self.dial.as_ref()?.reconnect.poll_timeout().or(Some(Instant::ZERO)),
            Phase::Idle | Phase::Listening | Phase::Up => None,
        }
    }
    /// Looks at the TCP socket and goes on. What is being dialled does so by [`dial`](Self::dial) and `on_dialling`.
    pub(crate) fn advance(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) -> Step {
        match self.phase {
            Phase::Idle => self.listen(tcp, around),
            Phase::Listening | Phase::Coming => return self.on_coming(tcp, around),
            Phase::Waiting | Phase::Dialling => {}
            Phase::Up => return Step::Carry,
            Phase::Ending => self.on_ending(tcp, around),
        }
        Step::Rest
    }
    /// Begins to connect.
    pub(crate) fn dial(&mut self, tcp: &mut tcp::Socket<'_>, context: &mut Context, port: u16, around: Around<'_>) -> Step {
        let Some(dial) = &mut self.dial else { return Step::Rest };
        dial.reconnect.handle_timeout(around.now);
        self.deadline = around.now + around.settings.connect;
        self.phase = Phase::Dialling;
        match tcp.connect(context, dial.remote, port) {
            Ok(()) => Step::Rest,
            Err(_) => self.failed(Failure::Unreachable),
        }
    }
    /// Looks whether the peer has answered.
    pub(crate) fn on_dialling(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) -> Step {
        match tcp.state() {
            tcp::State::SynSent | tcp::State::SynReceived if self.deadline <= around.now => {
                self.end(tcp, false, around);
                Step::Failed(Failure::Unreachable)
            }
            tcp::State::SynSent | tcp::State::SynReceived => Step::Rest,
            tcp::State::Closed => self.failed(Failure::Refused),
            _ => self.opened(tcp, around),
        }
    }
    /// Ends the TCP connection, with a FIN after what was sent or with a reset at once.
    pub(crate) fn end(&mut self, tcp: &mut tcp::Socket<'_>, politely: bool, around: Around<'_>) {
        if politely {
            tcp.close()
        } else {
            tcp.abort()
        }
        self.deadline = around.now + around.settings.connect;
        self.phase = Phase::Ending;
    }
    fn listen(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) {
        let Some(endpoint) = around.listen else { return };
        if tcp.listen(endpoint).is_ok() {
            self.phase = Phase::Listening;
        }
    }
    fn on_coming(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) -> Step {
        match tcp.state() {
            tcp::State::Listen => {
                self.phase = Phase::Listening;
                if around.listen.is_none() {
                    tcp.close();
                    self.phase = Phase::Idle;
                }
            }
            tcp::State::SynReceived if self.phase == Phase::Listening => {
                self.phase = Phase::Coming;
                self.deadline = around.now + around.settings.connect;
            }
            tcp::State::SynReceived if self.deadline <= around.now => self.end(tcp, false, around),
            tcp::State::SynReceived => {}
            tcp::State::Closed => self.phase = Phase::Idle,
            _ => return self.opened(tcp, around),
        }
        Step::Rest
    }
    fn failed(&mut self, failure: Failure) -> Step {
        self.phase = Phase::Waiting;
        Step::Failed(failure)
    }
    fn opened(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) -> Step {
        tcp.set_timeout(around.settings.silence.map(duration));
        tcp.set_keep_alive(around.settings.keep_alive.map(duration));
        self.phase = Phase::Up;
        Step::Opened
    }
    fn on_ending(&mut self, tcp: &mut tcp::Socket<'_>, around: Around<'_>) {
        // A reset leaves with the interface's next turn; until then the socket knows its peer.
        let gone = match tcp.state() {
            tcp::State::TimeWait => true,
            tcp::State::Closed => tcp.remote_endpoint().is_none(),
            _ => false,
        };
        let late = self.deadline <= around.now;
        if late && !gone {
            tcp.abort();
        }
        if gone || late {
            self.phase = if self.dial.is_some() { Phase::Waiting } else { Phase::Idle };
        }
    }
}

fn duration(span: core::time::Duration) -> smoltcp::time::Duration {
    smoltcp::time::Duration::from_micros((Instant::ZERO + span).micros())
}
