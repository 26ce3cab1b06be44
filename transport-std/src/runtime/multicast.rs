//! Multicast sessions, in the I/O thread: PGM's machines and sockets at one end, lanes at the other, no connection between.
//!
//! A publisher's session has one pipe, which wants everything. A subscriber's has a pipe for each source that it hears,
//! as if each had connected; it filters for itself.

use super::io::{Command, Io, Reactor};
use super::sock::Sock;
use super::timers::Timer;
use crate::error::Error;
use crate::event::{Cap, Event};
use crate::lane::{Drain, Intake};
use crate::sync::{Ordering, entering_system};
use crate::sys::{SockId, Token};
use omnimq_core::endpoint::{Endpoint, Multicast};
use omnimq_core::{PipeId, PipeReader as _, PipeWriter as _, Side, Signal, SocketType};
use omnimq_pgm::link::{Interface, LinkError, Publisher, StreamId, Streams, Subscriber, Turn, Warning};
use omnimq_pgm::{Encapsulation, ReceiverStatistics, Session as Group, wire::Tsi};
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a publisher that has said its end hears what is missing, as long as its socket may linger.
const REPAIRS: Duration = Duration::from_millis(200);

/// How often it is looked at whether a session that ends is over.
const LOOK: Duration = Duration::from_millis(10);

/// One end of a multicast session.
pub(crate) struct Session {
    /// As it was given.
    endpoint: String,
    end: End,
    /// What its sockets are watched for is not input alone: a publisher's had no room, a subscriber rests.
    watched: bool,
    /// The application has left: what waits is sent, until then at the latest if there is an end to that.
    left: Option<Option<Instant>>,
}

enum End {
    Publish {
        publisher: Publisher,
        /// Gone when the application has left.
        pipe: Option<PipeId>,
        drain: Drain,
        /// The application has left the session, or closed the socket: the end is told behind what waits.
        closing: bool,
        /// When the end was told.
        told: Option<Instant>,
    },
    Subscribe {
        subscriber: Subscriber,
        feed: Feed,
        /// Repairs that the socket has counted.
        repaired: u64,
        /// It has been told that there are more sources than places.
        crowded: bool,
    },
}

/// The pipes of the sources that a subscriber hears.
struct Feed {
    sock: Arc<Sock>,
    /// Of the session.
    endpoint: String,
    pipes: HashMap<StreamId, (PipeId, Intake)>,
}

impl Streams for Feed {
    type Lane = Intake;
    fn on_joined(&mut self, stream: StreamId, _: Tsi, _: IpAddr) {
        // A socket with as many peers as it may have does not hear this one.
        let Some((pipe, outbox, mut intake)) = self.sock.attach_loose(Side::Bind) else { return };
        // What the socket says goes nowhere.
        drop(Drain::new(outbox));
        let _ = intake.signal(Signal::Ready(&[]));
        self.pipes.insert(stream, (pipe, intake));
    }
    fn on_left(&mut self, stream: StreamId) {
        if let Some((pipe, intake)) = self.pipes.remove(&stream) {
            drop(intake);
            self.sock.close_loose(pipe);
        }
    }
    fn on_gap(&mut self, stream: StreamId, packets: u64) {
        if let Some((_, intake)) = self.pipes.get_mut(&stream).filter(|_| self.sock.options.multicast_gaps) {
            intake.gap(packets);
        }
        self.sock.lost.fetch_add(packets, Ordering::Relaxed);
        if self.sock.watchers.any() {
            self.sock.watchers.tell(&Event::Gap { endpoint: self.endpoint.clone(), packets });
        }
    }
    fn lane(&mut self, stream: StreamId) -> Option<&mut Intake> {
        self.pipes.get_mut(&stream).map(|(_, intake)| intake)
    }
}

impl Feed {
    /// Tells the socket of what has come.
    fn tell(&mut self) {
        let mut any = false;
        for (pipe, intake) in self.pipes.values_mut() {
            intake.messages = 0;
            if std::mem::take(&mut intake.news) {
                self.sock.mail.push(*pipe);
                any = true;
            }
        }
        if any {
            self.sock.work();
            self.sock.ring_reader();
        }
    }
    /// Tells that a source has no place.
    fn tell_crowd(&self) {
        let granted = u64::from(self.sock.options.multicast.receiver.peers);
        if self.sock.watchers.any() {
            let (endpoint, wanted) = (self.endpoint.clone(), granted.saturating_add(1));
            self.sock.watchers.tell(&Event::Capped { endpoint, cap: Cap::Sources, wanted, granted });
        }
    }
}

/// The address that an endpoint's group or interface is written as.
fn address(text: &str) -> Option<IpAddr> {
    text.trim_matches(['[', ']']).parse().ok()
}

impl Session {
    /// Opens the sockets of a session for `sock`. Binding and connecting mean the same.
    ///
    /// # Errors
    /// [`Error::Endpoint`] for an interface that is not there, [`Error::TooManyPeers`], [`Error::System`].
    pub(crate) fn open(endpoint: &Endpoint<'_>, text: &str, sock: &Arc<Sock>) -> Result<Self, Error> {
        let (encapsulation, multicast): (_, &Multicast<'_>) = match endpoint {
            Endpoint::Pgm(multicast) => (Encapsulation::Raw, multicast),
            Endpoint::Epgm(multicast) => (Encapsulation::Udp, multicast),
            _ => return Err(Error::Transport(text.into())),
        };
        let refuse = |error: LinkError| match error {
            LinkError::NoInterface(_) | LinkError::NoAddress(_) | LinkError::PacketsTooSmall => {
                Error::malformed(text, error)
            }
            error => Error::at("open", text)(io::Error::new(error.kind(), error)),
        };
        let malformed = || Error::malformed(text, "a group or interface is no address");
        let group = address(&multicast.send.to_string()).ok_or_else(malformed)?;
        let mut options = sock.options.multicast.clone();
        options.max_frame = sock.options.max_frame.unwrap_or(options.max_frame);
        options.receive_buffer = sock.options.recv_buffer.or(options.receive_buffer);
        let session = Group { group, port: multicast.port, encapsulation, max_tpdu: options.max_tpdu };
        let mut interfaces = Vec::new();
        for host in multicast.interfaces.iter() {
            interfaces.push(Interface::find(host, group).map_err(refuse)?);
        }
        if interfaces.is_empty() {
            interfaces.push(Interface::routed(group, multicast.port).map_err(refuse)?);
        }
        let end = match sock.socket_type {
            SocketType::Pub | SocketType::XPub => {
                let publisher = Publisher::open(session, interfaces[0], &options, sock.now()).map_err(refuse)?;
                let (pipe, outbox, mut intake) =
                    sock.attach_loose(Side::Connect).ok_or_else(|| Error::TooManyPeers(text.into()))?;
                // Who listens says nothing: everything is wanted.
                let _ = intake.signal(Signal::Ready(&[]));
                let _ = intake.signal(Signal::Subscribe(&[]));
                sock.mail.push(pipe);
                sock.work();
                tell_caps(sock, text, publisher.warnings());
                let (pipe, drain) = (Some(pipe), Drain::new(outbox));
                End::Publish { publisher, pipe, drain, closing: false, told: None }
            }
            _ => {
                let groups = multicast.receive.iter().map(|group| address(&group.to_string()));
                let groups = groups.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
                let subscriber = Subscriber::open(session, &groups, &interfaces, &options).map_err(refuse)?;
                tell_caps(sock, text, subscriber.warnings());
                let feed = Feed { sock: sock.clone(), endpoint: text.into(), pipes: HashMap::new() };
                End::Subscribe { subscriber, feed, repaired: 0, crowded: false }
            }
        };
        Ok(Self { endpoint: text.into(), end, watched: false, left: None })
    }
    /// Whether the application takes part at this endpoint.
    fn is_at(&self, endpoint: &str) -> bool {
        self.left.is_none() && self.endpoint == endpoint
    }
    fn register(&self, io: &Io, sock: SockId) -> io::Result<()> {
        let token = Token::sessions(sock);
        match &self.end {
            End::Publish { publisher, .. } => {
                publisher.descriptors().try_for_each(|descriptor| io.selector().add_session(descriptor, token))
            }
            End::Subscribe { subscriber, .. } => {
                subscriber.descriptors().try_for_each(|descriptor| io.selector().add_session(descriptor, token))
            }
        }
    }
    /// Does what there is to do; `arrivals`: one of the sockets may have something to read.
    fn turn(&mut self, sock: &Sock, arrivals: bool) -> Turn {
        entering_system();
        match &mut self.end {
            End::Publish { publisher, pipe, drain, closing, told } => {
                if arrivals {
                    publisher.receive(sock.now());
                }
                let mut turn = publisher.transmit(drain, sock.now());
                if *closing && !publisher.is_closed() && drain.front().is_none() {
                    publisher.close();
                    turn = publisher.transmit(drain, sock.now());
                }
                if publisher.has_told_end() {
                    let told = *told.get_or_insert_with(Instant::now);
                    if told.elapsed() >= REPAIRS {
                        publisher.retire();
                    }
                }
                drain.settle();
                if let Some(pipe) = pipe.filter(|_| std::mem::take(&mut drain.room)) {
                    sock.tell_room(pipe);
                }
                if turn.blocked != self.watched {
                    self.watched = turn.blocked;
                    if let Some(descriptor) = publisher.descriptors().next() {
                        sock.io.selector().watch_session(descriptor, Token::sessions(sock.id), true, turn.blocked);
                    }
                }
                turn
            }
            End::Subscribe { subscriber, feed, repaired, crowded } => {
                let turn = subscriber.turn(feed, sock.now());
                feed.tell();
                let ReceiverStatistics { repaired: total, unheard, .. } = subscriber.statistics();
                if unheard > 0 && !std::mem::replace(crowded, true) {
                    feed.tell_crowd();
                }
                sock.repaired.fetch_add(total.wrapping_sub(std::mem::replace(repaired, total)), Ordering::Relaxed);
                if turn.rests != self.watched {
                    self.watched = turn.rests;
                    for descriptor in subscriber.descriptors() {
                        sock.io.selector().watch_session(descriptor, Token::sessions(sock.id), !turn.rests, false);
                    }
                }
                turn
            }
        }
    }
    fn is_finished(&self) -> bool {
        match &self.end {
            End::Publish { publisher, told, .. } => {
                told.is_some_and(|told| told.elapsed() >= REPAIRS) && publisher.is_finished()
            }
            End::Subscribe { .. } => true,
        }
    }
    /// Whether there is nothing more to do for an application that has left, or no more time.
    fn is_over(&self) -> bool {
        let late = |until: Option<Instant>| until.is_some_and(|until| until <= Instant::now());
        self.left.is_some_and(|until| self.is_finished() || late(until))
    }
    /// The application leaves the session. Returns whether there is something left to do: a publisher sends what waits,
    /// says its end and repairs, as long as its socket may linger.
    fn leave(&mut self, sock: &Sock) -> bool {
        let End::Publish { pipe, closing, .. } = &mut self.end else { return false };
        // What is staged goes out before the pipe does.
        sock.work();
        if let Some(pipe) = pipe.take() {
            sock.close_loose(pipe);
        }
        *closing = true;
        // A span beyond the clock's range has no end.
        self.left = Some(sock.live.linger().and_then(|linger| Instant::now().checked_add(linger)));
        true
    }
    /// Takes its pipes away from the socket.
    fn detach(self, sock: &Sock) {
        match self.end {
            End::Publish { pipe, drain, .. } => {
                drop(drain);
                if let Some(pipe) = pipe {
                    sock.close_loose(pipe);
                }
            }
            End::Subscribe { mut feed, .. } => {
                let streams: Vec<_> = feed.pipes.keys().copied().collect();
                streams.into_iter().for_each(|stream| feed.on_left(stream));
            }
        }
    }
}

/// Tells what is less than was asked for.
fn tell_caps(sock: &Sock, endpoint: &str, warnings: &[Warning]) {
    if !sock.watchers.any() {
        return;
    }
    for warning in warnings {
        let (cap, wanted, granted) = match *warning {
            Warning::ReceiveBuffer { wanted, granted } => (Cap::ReceiveBuffer, wanted as u64, granted as u64),
            Warning::Window { wanted, granted } => (Cap::Window, wanted, granted as u64),
            _ => continue,
        };
        sock.watchers.tell(&Event::Capped { endpoint: endpoint.into(), cap, wanted, granted });
    }
}

/// The sessions of one socket.
#[derive(Default)]
pub(super) struct Sessions {
    all: Vec<Session>,
    /// When a timer will call.
    armed: Option<Instant>,
}

impl Sessions {
    pub(super) fn close(&mut self) {
        for session in &mut self.all {
            if let End::Publish { closing, .. } = &mut session.end {
                *closing = true;
            }
        }
    }
    pub(super) fn is_finished(&self) -> bool {
        self.all.iter().all(Session::is_finished)
    }
}

impl Reactor {
    pub(super) fn join(&mut self, sock: SockId, session: Session) -> io::Result<()> {
        let Some(served) = self.served.get_mut(&sock) else { return Ok(()) };
        if served.sock.connects_once() && served.sessions.all.iter().any(|other| other.is_at(&session.endpoint)) {
            session.detach(&served.sock);
            return Ok(());
        }
        if let Err(error) = session.register(&self.io, sock) {
            session.detach(&served.sock);
            return Err(error);
        }
        served.sock.places.joined.add(&session.endpoint);
        served.sessions.all.push(session);
        self.turn(sock, true);
        Ok(())
    }
    /// Ends the session at an endpoint; whether there was one.
    pub(super) fn leave(&mut self, sock: SockId, endpoint: &str) -> bool {
        let Some(served) = self.served.get_mut(&sock) else { return false };
        let Some(at) = served.sessions.all.iter().position(|session| session.is_at(endpoint)) else { return false };
        served.sock.places.joined.remove(endpoint);
        if served.sessions.all[at].leave(&served.sock) {
            self.turn(sock, false);
        } else {
            served.sessions.all.swap_remove(at).detach(&served.sock);
        }
        true
    }
    /// Turns to each session of a socket; `arrivals`: some of theirs may have something to read.
    pub(super) fn turn(&mut self, sock: SockId, arrivals: bool) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        served.sock.turn_fired();
        let (mut due, mut more) = (None, false);
        for session in &mut served.sessions.all {
            let turn = session.turn(&served.sock, arrivals);
            due = due.into_iter().chain(turn.due).min();
            more |= turn.more;
        }
        if more {
            // Others have their turn first.
            self.io.send(Command::Turn { sock });
        }
        for over in served.sessions.all.extract_if(.., |session| session.is_over()) {
            over.detach(&served.sock);
        }
        let leaving = served.sessions.all.iter().any(|session| session.left.is_some());
        let closing = served.closing && !served.sessions.all.is_empty();
        let now = Instant::now();
        let soon = (closing || leaving).then(|| now + LOOK);
        let due = due.and_then(|due| self.io.instant(due)).into_iter().chain(soon).min();
        if let Some(due) = due.filter(|due| served.sessions.armed.is_none_or(|armed| *due < armed)) {
            served.sessions.armed = Some(due);
            self.timers.at(due, Timer::Sessions { sock });
        }
        if served.closing && served.sessions.is_finished() {
            self.close(sock);
        }
    }
    pub(super) fn sessions_due(&mut self, sock: SockId) {
        if let Some(served) = self.served.get_mut(&sock) {
            served.sessions.armed = None;
            self.turn(sock, false);
        }
    }
}
