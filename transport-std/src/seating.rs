//! An application in the driver's seat: waiting for its own streams and reading them.

use crate::park;
use crate::runtime::io::Command;
use crate::runtime::peer::{Brought, Peer};
use crate::runtime::sock::Sock;
use crate::spin::Spin;
use crate::sync::Ordering;
use crate::sys;
use crate::wait::Wait;
use omnimq_core::PipeId;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Streams read before what they brought is handed out, and rounds of reading before it matters that the time is up.
const READS: u32 = 8;

/// How often a socket with one stream tries to read before it waits, though that brought nothing last time.
const PROBE: u32 = 16;

/// What an application knows of its streams.
pub(crate) struct Seating {
    /// Pipes that may be readable.
    ready: VecDeque<PipeId>,
    is_ready: Vec<bool>,
    events: Vec<PipeId>,
    /// The peers met so far, as of [`Sock::roster`].
    peers: Vec<Option<Arc<Peer>>>,
    roster: u32,
    /// Pipes that the socket has to look at before its next receive.
    pub(crate) news: Vec<PipeId>,
    /// [`Sock::pumped`] when the socket was last found empty.
    pumped: u32,
    /// Predictor for a single stream: the next message is there already, so read before waiting.
    eager: bool,
    waits: u32,
    /// The only pipe, if there is one.
    only: Option<PipeId>,
    spin: Spin,
    /// Whether all peers are of this process, as of this [`Sock::roster`].
    indoors: (bool, u32),
}

impl Seating {
    /// Of an application that knows of no stream; its waits look again and again as `spin` says.
    pub(crate) fn new(spin: Spin) -> Self {
        Self {
            ready: VecDeque::new(),
            is_ready: Vec::new(),
            events: Vec::new(),
            peers: Vec::new(),
            roster: 0,
            news: Vec::new(),
            pumped: 0,
            eager: false,
            waits: 0,
            only: None,
            spin,
            indoors: (false, 0),
        }
    }
    /// Has the socket's lanes filled, waiting for that if need be. False: the time is up.
    pub(crate) fn fetch(&mut self, sock: &Sock, wait: Wait) -> bool {
        if !matches!(wait, Wait::No) {
            sock.undelegate();
        }
        let phase = sock.phase.load(Ordering::Relaxed);
        sock.phase.store(phase.wrapping_add(1), Ordering::Release);
        let fetched = self.fetch_seated(sock, wait);
        sock.phase.store(phase.wrapping_add(2), Ordering::Release);
        self.leave(sock);
        fetched
    }
    /// What is known to be readable and stays unread has to be looked at by somebody: its edges are spent.
    fn leave(&mut self, sock: &Sock) {
        if self.ready.is_empty() {
            return;
        }
        for pipe in &self.ready {
            if let Some(peer) = sock.peer(*pipe) {
                peer.hot.store(true, Ordering::Relaxed);
            }
        }
        sock.leave_hot();
    }
    fn fetch_seated(&mut self, sock: &Sock, wait: Wait) -> bool {
        let (mut asked, mut reads) = (false, 0);
        let mut probing = self.probe();
        loop {
            self.take_resumed(sock);
            let read = self.read_some(sock);
            if std::mem::take(&mut probing) {
                self.eager = read;
            }
            if read || !sock.mail.is_empty() || sock.is_terminated() {
                return true;
            }
            if !self.ready.is_empty() {
                // Streams that bring without end what is nothing to hand out do not prolong the call.
                reads += 1;
                if reads > READS && wait.left().is_some_and(|left| left.is_zero()) {
                    return false;
                }
                continue;
            }
            let left = wait.left();
            if asked && left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            if self.look_again(sock, left) || (self.ready.is_empty() && self.wait(sock, left)) {
                return true;
            }
            asked = true;
        }
    }
    /// Begins a wait by looking again and again, if that is likely to be quicker than to sleep; true as [`Self::wait`].
    fn look_again(&mut self, sock: &Sock, left: Option<Duration>) -> bool {
        let Some(most) = self.spin.begin(left) else { return false };
        let begun = Instant::now();
        loop {
            let rung = self.wait(sock, Some(Duration::ZERO));
            let spent = begun.elapsed();
            let came = rung || !self.ready.is_empty();
            if came || spent >= most {
                self.spin.end(came.then_some(spent));
                return rung;
            }
            // Whoever is to answer may have been put on this processor.
            std::thread::yield_now();
        }
    }
    /// The socket had no message; the caller holds its lock.
    pub(crate) fn found_nothing(&mut self, sock: &Sock) {
        self.pumped = sock.pumped.load(Ordering::Acquire);
    }
    /// Whether all peers are sockets of this process: then there are no streams to wait for.
    fn is_indoors(&mut self, sock: &Sock) -> bool {
        let roster = sock.roster.load(Ordering::Acquire);
        if self.indoors.1 != roster {
            self.indoors = (sock.is_indoors(), roster);
        }
        self.indoors.0
    }
    /// Waits for sockets of this process, without a descriptor. Should a stream come meanwhile, the I/O thread reads it.
    fn wait_indoors(&self, sock: &Sock, left: Option<Duration>) -> bool {
        if left.is_some_and(|left| left.is_zero()) {
            return !self.is_quiet(sock);
        }
        park::with_waker(|waker| sock.await_messages(waker));
        if self.is_quiet(sock) {
            park::park(left);
        }
        sock.readers.withdraw();
        !self.is_quiet(sock)
    }
    /// Waits; true when somebody rang, or would have.
    fn wait(&mut self, sock: &Sock, left: Option<Duration>) -> bool {
        if self.is_indoors(sock) {
            return self.wait_indoors(sock, left);
        }
        sock.reader.going_to_sleep();
        let quiet = self.is_quiet(sock);
        let mut events = std::mem::take(&mut self.events);
        let rung = sock.sets.wait(&mut events, if quiet { left } else { Some(Duration::ZERO) });
        sock.reader.woke();
        for pipe in events.drain(..) {
            self.only = Some(pipe);
            self.mark(pipe);
        }
        self.events = events;
        rung || !quiet
    }
    /// Whether nothing has come since the socket was last found empty.
    fn is_quiet(&self, sock: &Sock) -> bool {
        sock.mail.is_empty() && !sock.is_terminated() && sock.pumped.load(Ordering::Acquire) == self.pumped
    }
    /// Reads the only stream before waiting, if that is likely to bring something.
    fn probe(&mut self) -> bool {
        if !sys::SEATED || !self.ready.is_empty() || self.is_ready.len() != 1 {
            return false;
        }
        self.waits = self.waits.wrapping_add(1);
        let Some(pipe) = self.only.filter(|_| self.eager || self.waits.is_multiple_of(PROBE)) else { return false };
        self.mark(pipe);
        true
    }
    fn mark(&mut self, pipe: PipeId) {
        let at = pipe.index();
        if self.is_ready.len() <= at {
            self.is_ready.resize(at + 1, false);
        }
        if !std::mem::replace(&mut self.is_ready[at], true) {
            self.ready.push_back(pipe);
        }
    }
    /// Pipes whose reading stopped for want of credit, and whose credit this application returned: the edges that
    /// came meanwhile are spent, so the reading is owed until a read comes back short.
    fn take_resumed(&mut self, sock: &Sock) {
        if sock.notices.resume.is_empty() {
            return;
        }
        let mut pipes = std::mem::take(&mut self.events);
        sock.notices.resume.take(&mut pipes);
        for pipe in pipes.drain(..) {
            // A multicast session is read by the I/O thread alone.
            let elsewhere = self.peer(sock, pipe).is_none() && (sock.answer_companion(pipe) || sock.resume_loose(pipe));
            if !elsewhere {
                self.mark(pipe);
            }
        }
        self.events = pipes;
    }
    /// As [`take_resumed`](Self::take_resumed), outside the slow path.
    pub(crate) fn resume(&mut self, sock: &Sock) {
        self.take_resumed(sock);
        self.leave(sock);
    }
    /// Reads streams that may be readable; true when that brought something.
    fn read_some(&mut self, sock: &Sock) -> bool {
        let mut brought_any = 0;
        for _ in 0..self.ready.len() {
            let Some(pipe) = self.ready.pop_front() else { break };
            if let Some(ready) = self.is_ready.get_mut(pipe.index()) {
                *ready = false;
            }
            let messages = self.read(sock, pipe);
            brought_any += u32::from(messages > 0);
            // One message is handed out at once; a buffer full of them shares turns with others.
            if messages == 1 || brought_any >= READS {
                break;
            }
        }
        brought_any > 0
    }
    /// One read of one stream. Returns how many messages, or other news, it brought.
    fn read(&mut self, sock: &Sock, pipe: PipeId) -> u32 {
        let Some(peer) = self.peer(sock, pipe) else { return 0 };
        peer.hot.store(false, Ordering::Relaxed);
        if !peer.seat.enter() {
            // The I/O thread is at it, and posts what it finds.
            return 0;
        }
        let brought = peer.read(sock);
        let mut again = brought.more;
        // A knock means an edge after our read: it stays ready rather than being read at once.
        while !peer.seat.leave() {
            again = true;
        }
        if again {
            self.mark(pipe);
        }
        self.after_read(sock, &peer, &brought);
        brought.messages.max(u32::from(brought.news))
    }
    /// The peer of this pipe; asked of the socket only when its peers have changed.
    fn peer(&mut self, sock: &Sock, pipe: PipeId) -> Option<Arc<Peer>> {
        let roster = sock.roster.load(Ordering::Acquire);
        if roster != self.roster {
            self.peers.clear();
            self.roster = roster;
        }
        let at = pipe.index();
        if self.peers.len() <= at {
            self.peers.resize(at + 1, None);
        }
        if self.peers[at].is_none() {
            self.peers[at] = sock.peer(pipe);
        }
        self.peers[at].clone()
    }
    fn after_read(&mut self, sock: &Sock, peer: &Peer, brought: &Brought) {
        let pipe = peer.pipe;
        if brought.news {
            self.news.push(pipe);
        }
        if let Some(generation) = brought.ready {
            sock.io.send(Command::Settle { sock: sock.id, pipe, generation });
        }
        if brought.reply {
            peer.drain(sock);
        }
        if let Some(loss) = brought.lost {
            sock.report(pipe, loss);
        }
    }
}
