//! Sockets of one context that meet at a name: what one publishes goes straight into the other's lane.
//!
//! Each lane is one queue between the two, of as many messages as the sender's and the receiver's marks together. Who
//! connects may come first: then its messages wait with it, up to its own mark, until somebody binds the name. No stream
//! and no I/O thread takes part; whoever publishes tells the other socket, and never holds the lock of both.

use super::io::Command;
use super::sock::{Core, Sock};
use crate::event::Event;
use crate::lane::{Inbox, News, Outlet};
use crate::socket::PeerId;
use crate::statistics::PeerState;
use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use omnimq_core::{CloseReason, Limit, PipeId, Side, Signal, SocketType};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

/// What stands before a name in an endpoint.
const INPROC: &str = "inproc://";

/// The names of one context.
#[derive(Default)]
pub(crate) struct Names(Mutex<Book>);

#[derive(Default)]
struct Book {
    bound: HashMap<String, Arc<Sock>>,
    waiting: HashMap<String, Vec<Waiting>>,
}

/// A connection to a name that nobody has bound.
struct Waiting {
    meeting: Arc<Meeting>,
    /// Of the one who waits.
    inbox: Arc<Inbox>,
}

/// Two pipes of two sockets, or the first of them.
struct Meeting {
    name: String,
    connector: End,
    binder: OnceLock<End>,
    /// The connector has left before anybody came, and what it sent waits.
    left: AtomicBool,
}

struct End {
    sock: Weak<Sock>,
    pipe: PipeId,
}

/// One socket's end of a meeting.
#[derive(Clone)]
pub(crate) struct Companion {
    meeting: Arc<Meeting>,
    side: Side,
}

/// The mark of a lane between two sockets; 0 = none.
fn sum(send: u32, recv: u32) -> u32 {
    if send == 0 || recv == 0 { 0 } else { send.saturating_add(recv) }
}

impl Names {
    /// Binds the socket to a name, and introduces it to those who wait there; false when the name is taken.
    pub(crate) fn bind(&self, name: &str, sock: &Arc<Sock>) -> bool {
        let mut book = lock(&self.0);
        if book.bound.contains_key(name) {
            return false;
        }
        book.bound.insert(name.into(), sock.clone());
        sock.places.bound.add(&format!("{INPROC}{name}"));
        let waiting = book.waiting.remove(name).unwrap_or_default();
        let met: Vec<_> = waiting.into_iter().map(|waiting| (waiting.introduce(sock), waiting.meeting)).collect();
        drop(book);
        for (met, meeting) in met {
            meeting.begin(met, sock);
        }
        true
    }
    /// Gives a name back; false when it is not this socket's. Those who have met stay together.
    pub(crate) fn unbind(&self, name: &str, sock: &Sock) -> bool {
        let mut book = lock(&self.0);
        let found = book.bound.get(name).is_some_and(|binder| binder.id == sock.id);
        let binder = found.then(|| book.bound.remove(name));
        if found {
            sock.places.bound.remove(&format!("{INPROC}{name}"));
        }
        // Its last handle may be this one.
        drop(book);
        binder.is_some()
    }
    /// Connects the socket to a name, bound or not; false when it has as many pipes as it may.
    pub(crate) fn connect(&self, name: &str, sock: &Arc<Sock>) -> bool {
        let mut book = lock(&self.0);
        let mut core = lock(&sock.core);
        let Some(id) = core.socket.vacant() else { return false };
        let outlet = Outlet::inproc(id, sock.generation(), sock.send_hwm(), &sock.notices);
        let (inbox, inlet) = Inbox::inproc(id, sock.recv_hwm(), &sock.notices);
        let connector = End { sock: Arc::downgrade(sock), pipe: id };
        let meeting =
            Arc::new(Meeting { name: name.into(), connector, binder: OnceLock::new(), left: AtomicBool::new(false) });
        let companion = Companion { meeting: meeting.clone(), side: Side::Connect };
        if core.socket.attach(outlet, inlet, Side::Connect).is_none() {
            return false;
        }
        core.accompany(id, Some(companion));
        sock.roster.fetch_add(1, Ordering::Release);
        drop(core);
        let waiting = Waiting { meeting: meeting.clone(), inbox };
        let Some(binder) = book.bound.get(name).cloned() else {
            book.waiting.entry(name.into()).or_default().push(waiting);
            return true;
        };
        let met = waiting.introduce(&binder);
        drop(book);
        meeting.begin(met, &binder);
        true
    }
    /// Forgets the names and the waiting connections of a socket.
    pub(crate) fn leave(&self, sock: &Sock) {
        let mut book = lock(&self.0);
        let left: Vec<_> = book.bound.extract_if(|_, binder| binder.id == sock.id).collect();
        drop(book);
        for (name, binder) in left {
            binder.places.bound.remove(&format!("{INPROC}{name}"));
        }
    }
    fn forget(&self, meeting: &Arc<Meeting>) {
        let mut book = lock(&self.0);
        if let Some(waiting) = book.waiting.get_mut(&meeting.name) {
            waiting.retain(|waiting| !Arc::ptr_eq(&waiting.meeting, meeting));
            if waiting.is_empty() {
                book.waiting.remove(&meeting.name);
            }
        }
    }
}

impl Waiting {
    /// Gives the binder its end, and each end the other's lane. Where that cannot be, the meeting stays without a binder.
    ///
    /// # Errors
    /// Why it cannot be.
    fn introduce(&self, binder: &Arc<Sock>) -> Result<(), CloseReason> {
        let connector = self.meeting.connector.sock.upgrade().ok_or(CloseReason::Unwanted)?;
        if !connector.socket_type.pairs_with(binder.socket_type) {
            return Err(CloseReason::IncompatiblePeer);
        }
        let there = sum(connector.send_hwm(), binder.recv_hwm());
        let back = sum(binder.send_hwm(), connector.recv_hwm());
        let mut core = lock(&binder.core);
        let id = core.socket.vacant().ok_or(CloseReason::Limit(Limit::Peers))?;
        let (inbox, inlet) = Inbox::inproc(id, there, &binder.notices);
        if connector.notices.conflates || binder.notices.conflates {
            inbox.conflate();
            self.inbox.conflate();
        }
        let mut outlet = Outlet::inproc(id, binder.generation(), back, &binder.notices);
        outlet.meet(self.inbox.clone(), back);
        inbox.tell(Signal::Ready(connector.options.routing_id.clone()));
        core.socket.attach(outlet, inlet, Side::Bind).ok_or(CloseReason::Limit(Limit::Peers))?;
        core.accompany(id, Some(Companion { meeting: self.meeting.clone(), side: Side::Bind }));
        binder.roster.fetch_add(1, Ordering::Release);
        let _ = self.meeting.binder.set(End { sock: Arc::downgrade(binder), pipe: id });
        drop(core);
        self.inbox.set_hwm(back);
        self.inbox.tell(Signal::Ready(binder.options.routing_id.clone()));
        let mut core = lock(&connector.core);
        if let Some(pipe) = core.socket.pipe(self.meeting.connector.pipe) {
            pipe.tx.meet(inbox, there);
        }
        Ok(())
    }
}

impl Meeting {
    /// Both ends have their lanes: they learn of one another. If the two could not be introduced, the connector's end goes.
    fn begin(self: &Arc<Self>, met: Result<(), CloseReason>, binder: &Sock) {
        if let Err(reason) = met {
            self.tell_failed(binder, reason);
        }
        let Some(binder) = self.binder.get() else { return self.part() };
        for end in [&self.connector, binder] {
            if let Some(sock) = end.sock.upgrade() {
                sock.mail.push(end.pipe);
                sock.work();
                sock.ring_reader();
                sock.ring_writer();
            }
        }
        // A connector that has been dropped, or has left, had lingered for this alone.
        let connector = self.connector.sock.upgrade();
        let dropped = connector.as_ref().is_none_or(|sock| sock.is_dropped());
        if dropped || self.is_left() {
            self.part();
        }
        if let Some(sock) = connector.filter(|_| dropped) {
            sock.io.send(Command::Close { sock: sock.id });
        }
    }
    fn is_left(&self) -> bool {
        self.left.load(Ordering::SeqCst)
    }
    /// Tells the monitors of both why they do not meet.
    fn tell_failed(&self, binder: &Sock, reason: CloseReason) {
        let event = |peer| Event::HandshakeFailed { endpoint: format!("{INPROC}{}", self.name), peer, reason };
        if let Some(connector) = self.connector.sock.upgrade() {
            connector.tell(|| event(connector.peer_id(self.connector.pipe)));
        }
        // The binder has no pipe for whom it does not meet.
        binder.tell(|| event(PeerId(binder.generation())));
    }
    /// Parts the two. What was published stays to be read.
    fn part(self: &Arc<Self>) {
        for end in [Some(&self.connector), self.binder.get()].into_iter().flatten() {
            if let Some(sock) = end.sock.upgrade() {
                sock.close_companion(end.pipe, self);
            }
        }
    }
}

impl Companion {
    /// How far the meeting is, and where.
    pub(super) fn state(&self) -> (PeerState, Option<String>) {
        let state = if self.meeting.binder.get().is_some() { PeerState::Connected } else { PeerState::Connecting };
        (state, Some(format!("{INPROC}{}", self.meeting.name)))
    }
    /// The other end, if it is there.
    fn other(&self) -> Option<(Arc<Sock>, PipeId)> {
        let end = match self.side {
            Side::Connect => self.meeting.binder.get()?,
            Side::Bind => &self.meeting.connector,
        };
        Some((end.sock.upgrade()?, end.pipe))
    }
    /// Tells the other socket what has been published to it.
    pub(super) fn tell(&self, news: News) {
        if news.close.is_some() {
            return self.meeting.part();
        }
        if !news.messages && !news.signals {
            return;
        }
        let Some((other, pipe)) = self.other() else { return };
        other.mail.push(pipe);
        // Signals are acted upon at once, whatever the other application does, and so is what nobody will receive.
        if news.signals || other.socket_type == SocketType::Pub {
            other.work();
            other.answer_companions();
            other.ring_writer();
        }
        other.ring_reader();
    }
    /// The mark of the lane towards the other end, if this end's is `send`; `None` while there is no other.
    pub(super) fn mark_there(&self, send: u32) -> Option<u32> {
        Some(sum(send, self.other()?.0.recv_hwm()))
    }
    /// This end's mark is `recv`: the lane from the other end follows.
    pub(super) fn set_mark_back(&self, recv: u32) {
        if let Some((other, pipe)) = self.other() {
            other.set_mark(pipe, sum(other.send_hwm(), recv));
        }
    }
    /// This end has read: the other has room where it had none.
    fn tell_room(&self) {
        if let Some((other, pipe)) = self.other() {
            other.tell_room(pipe);
        }
    }
}

impl Core {
    /// The pipe leads to a socket of this process, or no more.
    fn accompany(&mut self, id: PipeId, companion: Option<Companion>) -> Option<Companion> {
        let at = id.index();
        if self.companions.len() <= at {
            self.companions.resize(at + 1, None);
        }
        std::mem::replace(self.companions.get_mut(at)?, companion)
    }
    pub(super) fn companion(&self, pipe: PipeId) -> Option<&Companion> {
        self.companions.get(pipe.index())?.as_ref()
    }
}

impl Sock {
    /// Whether all its peers are sockets of this process, and there are any.
    pub(crate) fn is_indoors(&self) -> bool {
        let core = lock(&self.core);
        core.companions.iter().any(Option::is_some) && !core.has_streams()
    }
    fn companions(&self) -> Vec<Companion> {
        lock(&self.core).companions.iter().flatten().cloned().collect()
    }
    pub(super) fn companion_of(&self, pipe: PipeId) -> Option<Companion> {
        lock(&self.core).companion(pipe).cloned()
    }
    /// The endpoints of the names it is connected to, bound or not.
    pub(crate) fn names_connected(&self) -> Vec<String> {
        let companions = self.companions();
        let connected = companions.iter().filter(|companion| companion.side == Side::Connect);
        connected.map(|companion| format!("{INPROC}{}", companion.meeting.name)).collect()
    }
    /// The application has read what another socket of this process waits to send more of; false when that pipe leads to
    /// a stream.
    pub(crate) fn answer_companion(&self, pipe: PipeId) -> bool {
        self.companion_of(pipe).is_some_and(|companion| {
            companion.tell_room();
            true
        })
    }
    /// As [`answer_companion`](Self::answer_companion), for what was read without the application.
    fn answer_companions(&self) {
        let mut pipes = Vec::new();
        self.notices.resume.take(&mut pipes);
        for pipe in pipes {
            if !self.answer_companion(pipe) {
                self.notices.resume.push(pipe);
            }
        }
    }
    /// Has sockets of this process publish what they have staged for this one; false when there is none.
    #[cold]
    pub(crate) fn fetch_expected(&self) -> bool {
        if self.notices.expected.load(Ordering::Acquire) == 0 {
            return false;
        }
        for (other, _) in self.companions().iter().filter_map(Companion::other) {
            other.publish(lock(&other.core));
        }
        true
    }
    /// Ends this end of `meeting`, if the pipe is still that.
    fn close_companion(&self, pipe: PipeId, meeting: &Arc<Meeting>) {
        let mut core = lock(&self.core);
        if core.companion(pipe).is_none_or(|companion| !Arc::ptr_eq(&companion.meeting, meeting)) {
            return;
        }
        self.pump(&mut core);
        core.socket.close_pipe(pipe);
        let companion = core.accompany(pipe, None);
        self.roster.fetch_add(1, Ordering::Release);
        self.pumped.fetch_add(1, Ordering::Release);
        self.publish(core);
        drop(companion);
        self.ring_reader();
        self.ring_writer();
    }
    /// Ends a connection to `name`; false when there is none.
    pub(crate) fn part_from(&self, name: &str) -> bool {
        let connected =
            |Companion { meeting, side }: &Companion| *side == Side::Connect && meeting.name == name && !meeting.is_left();
        let Some(Companion { meeting, .. }) = self.companions().into_iter().find(connected) else { return false };
        self.publish(lock(&self.core));
        if !self.leave_waiting(&meeting) {
            self.names().forget(&meeting);
            meeting.part();
        }
        true
    }
    /// Lets what was sent wait for somebody to bind, as long as it may linger; false when nothing waits.
    fn leave_waiting(&self, meeting: &Meeting) -> bool {
        let (pipe, linger) = (meeting.connector.pipe, self.live.linger());
        let mut core = lock(&self.core);
        let waits = core.socket.pipe(pipe).is_some_and(|pipe| pipe.tx.waits());
        if linger == Some(Duration::ZERO) || !waits || !core.socket.leave(pipe) {
            return false;
        }
        // Under the lock that whoever binds takes to let it go.
        meeting.left.store(true, Ordering::SeqCst);
        drop(core);
        if linger.is_some() {
            self.io.send(Command::Abandon { sock: self.id, pipe });
        }
        true
    }
    /// What was left waiting for somebody to bind has lingered long enough.
    pub(super) fn abandon(&self, pipe: PipeId) {
        let companion = lock(&self.core).companion(pipe).cloned();
        if let Some(Companion { meeting, .. }) = companion.filter(|it| it.side == Side::Connect && it.meeting.is_left()) {
            self.names().forget(&meeting);
            meeting.part();
        }
    }
    /// The application has closed the socket: it leaves those it has met, and its names. What waits for somebody to bind
    /// lingers.
    pub(crate) fn part_from_all(&self) {
        self.names().leave(self);
        for companion in self.companions() {
            if companion.other().is_some() {
                companion.meeting.part();
            }
        }
    }
    /// Whether nothing waits for somebody to bind a name.
    pub(super) fn is_delivered(&self) -> bool {
        if self.is_alone() {
            return true;
        }
        let mut core = lock(&self.core);
        let Core { socket, companions, .. } = &mut *core;
        companions.iter().flatten().all(|companion| {
            // That somebody has bound the name does not do: what waits goes a moment later, under this lock.
            let pipe = socket.pipe(companion.meeting.connector.pipe);
            companion.side == Side::Bind || pipe.is_none_or(|pipe| pipe.tx.staged() == 0)
        })
    }
    /// Lets what still waits for somebody to bind go with the socket.
    pub(super) fn give_up_waiting(&self) {
        for companion in self.companions() {
            self.names().forget(&companion.meeting);
            companion.meeting.part();
        }
    }
}
