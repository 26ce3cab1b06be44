//! The I/O thread: its mailbox, its loop, and the streams it makes.

use super::accept::Listening;
use super::multicast::{Session, Sessions};
use super::peer::{Brought, Loss, Peer, Protocol};
use super::scratch;
use super::seat::{Bell, Post, Watch};
use super::serve::Seen;
use super::sock::{NAP, Sock};
use super::staged::LOOK;
use super::timers::{Timer, Timers};
use super::watch::Streams;
use crate::dial::Dial;
use crate::resolve::Resolver;
use crate::sync::{Mutex, Ordering, lock};
use crate::sys::{self, Alarm, Listener, Ready, SockId, Source, Token};
use omnimq_core::{CloseReason, PipeId};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// What the I/O thread is asked to do.
pub(crate) enum Command {
    /// A new socket.
    Open(Arc<Sock>),
    /// Accept connections.
    Listen { sock: SockId, listener: Listener, endpoint: String, asked: String, done: Sender<io::Result<()>> },
    /// Stop accepting; answers whether anything listened there.
    Unlisten { sock: SockId, endpoint: String, done: Sender<bool> },
    /// Connect, and again when the stream is lost.
    Connect { sock: SockId, pipe: PipeId, dial: Box<Dial> },
    /// Addresses for a connect that waits for them.
    Resolved { sock: SockId, peer: Arc<Peer>, addresses: io::Result<Vec<SocketAddr>> },
    /// Disconnect; answers whether anything was connected, or connecting, there.
    Disconnect { sock: SockId, endpoint: String, done: Sender<bool> },
    /// What was sent to a pipe that was disconnected has gone.
    Leave { sock: SockId, pipe: PipeId },
    /// Forget a pipe to a name that nobody has bound, when it has lingered long enough.
    Abandon { sock: SockId, pipe: PipeId },
    /// A stream is of no more use.
    Lost { sock: SockId, pipe: PipeId, loss: Loss },
    /// A stream takes no more: read what it brought, then it is of no more use.
    Broken { sock: SockId, pipe: PipeId, loss: Loss },
    /// The handshake of the stream of this generation ended in a read of the application's.
    Settle { sock: SockId, pipe: PipeId, generation: u32 },
    /// There was more to read than one turn allows.
    Read { sock: SockId, pipe: PipeId },
    /// There was more to write than one turn allows.
    Write { sock: SockId, pipe: PipeId },
    /// There was more to accept than one turn allows.
    Accept { sock: SockId, listener: u32 },
    /// Take part in a multicast session.
    Join { sock: SockId, session: Box<Session>, done: Sender<io::Result<()>> },
    /// The socket's multicast sessions have something to send, or room for what they received.
    Turn { sock: SockId },
    /// The application has left its streams to the I/O thread, which goes without their arrivals.
    Rouse { sock: SockId },
    /// The application has closed the socket: let it linger, then forget it.
    Close { sock: SockId },
    /// No sockets are left: end.
    Stop,
}

/// Reads of one stream in one turn: enough for one that brings something and one that finds the rest of it, or nothing.
const READS: u32 = 2;

/// The I/O thread as others see it.
pub(crate) struct Io {
    poll: sys::Handle,
    commands: Mutex<Vec<Command>>,
    bell: Bell,
    /// Sockets with unwritten batches, and whether the alarm is set.
    looks: (Post<SockId>, Watch),
    /// Sockets with unread input, and whether the alarm is set.
    hot: (Post<SockId>, Watch),
    start: Instant,
    pub(super) resolver: Arc<Resolver>,
}

impl Io {
    /// Starts the thread.
    pub(crate) fn start(name: String) -> io::Result<(Arc<Self>, std::thread::JoinHandle<()>)> {
        let (poll, handle) = sys::Poll::new()?;
        let io = Arc::new(Self {
            poll: handle,
            commands: Mutex::new(Vec::new()),
            bell: Bell::new(),
            looks: (Post::new(), Watch::new()),
            hot: (Post::new(), Watch::new()),
            start: Instant::now(),
            resolver: Arc::default(),
        });
        let reactor = Reactor::new(io.clone(), poll);
        let thread = std::thread::Builder::new().name(name).spawn(move || reactor.run())?;
        Ok((io, thread))
    }
    pub(crate) fn now(&self) -> omnimq_core::Instant {
        omnimq_core::Instant::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
    /// The instant that the core calls `when`.
    pub(super) fn instant(&self, when: omnimq_core::Instant) -> Option<Instant> {
        self.start.checked_add(Duration::from_micros(when.micros()))
    }
    pub(crate) fn send(&self, command: Command) {
        lock(&self.commands).push(command);
        if self.bell.ring() {
            self.poll.wake();
        }
    }
    /// Has the thread look at the socket's unwritten batches after a while.
    pub(crate) fn look_at(&self, sock: SockId) {
        self.looks.0.push(sock);
        if self.looks.1.want() {
            self.poll.arm(Alarm::Flush, LOOK);
        }
    }
    /// Has the thread look at the socket's unread input after a while.
    pub(crate) fn read_for(&self, sock: SockId) {
        self.hot.0.push(sock);
        if self.hot.1.want() {
            self.poll.arm(Alarm::Read, NAP);
        }
    }
    /// The selector, for registrations.
    pub(crate) fn selector(&self) -> &sys::Handle {
        &self.poll
    }
}

/// A socket as the I/O thread knows it.
pub(super) struct Served {
    pub(super) sock: Arc<Sock>,
    pub(super) seen: Seen,
    pub(super) listeners: Vec<Option<Listening>>,
    pub(super) dials: HashMap<PipeId, Box<Dial>>,
    pub(super) streams: Streams,
    pub(super) sessions: Sessions,
    pub(super) closing: bool,
}

/// The I/O thread's own state.
pub(super) struct Reactor {
    pub(super) io: Arc<Io>,
    poll: sys::Poll,
    pub(super) served: HashMap<SockId, Served>,
    pub(super) timers: Timers,
    /// Counts the waits.
    pub(super) round: u64,
    stopping: bool,
}

impl Reactor {
    fn new(io: Arc<Io>, poll: sys::Poll) -> Self {
        Self { io, poll, served: HashMap::new(), timers: Timers::default(), round: 0, stopping: false }
    }
    fn run(mut self) {
        sys::precise_timers();
        let mut ready = Vec::with_capacity(256);
        while !(self.stopping && self.served.is_empty()) {
            self.io.bell.going_to_sleep();
            let idle = lock(&self.io.commands).is_empty();
            let timeout = if idle { self.timers.wait() } else { Some(Duration::ZERO) };
            self.poll.wait(&mut ready, timeout);
            self.io.bell.woke();
            self.round += 1;
            for event in ready.drain(..) {
                self.on_ready(event);
            }
            // What is due again by now comes after the next look at the streams, too.
            let now = Instant::now();
            while let Some(timer) = self.timers.due(now) {
                self.on_timer(timer);
            }
            // What these ask for in turn comes after the next look at the streams.
            let commands = std::mem::take(&mut *lock(&self.io.commands));
            for command in commands {
                self.on_command(command);
            }
        }
    }
    fn on_ready(&mut self, event: Ready) {
        match event.token.source() {
            Source::Alarm(Alarm::Flush) => {
                self.io.looks.1.fired();
                let mut socks = Vec::new();
                self.io.looks.0.take(&mut socks);
                for sock in socks.iter().filter_map(|sock| self.served.get(sock)) {
                    sock.sock.look();
                    self.check_closing_later(sock.sock.id);
                }
            }
            Source::Alarm(Alarm::Read) => {
                self.io.hot.1.fired();
                let mut socks = Vec::new();
                self.io.hot.0.take(&mut socks);
                for sock in socks {
                    self.left_hot(sock);
                }
            }
            Source::Listener(sock, listener) => self.accept(sock, listener),
            Source::Set(sock) => self.set_event(sock),
            Source::Sessions(sock) => self.turn(sock, true),
            Source::Stream(sock, pipe) => self.on_stream(sock, pipe, event),
        }
    }
    fn check_closing_later(&self, sock: SockId) {
        if self.served.get(&sock).is_some_and(|served| served.closing) {
            self.io.send(Command::Close { sock });
        }
    }
    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Reconnect { sock, pipe } => self.redial(sock, pipe),
            Timer::Silence { sock, pipe, attempt } => self.on_silence(sock, pipe, attempt),
            Timer::Protocol { sock, pipe } => self.on_protocol_timeout(sock, pipe),
            Timer::Nap { sock } => self.nap_over(sock),
            Timer::Leave { sock, pipe } => self.leave_pipe(sock, pipe),
            Timer::Linger { sock } => self.forget(sock),
            Timer::Sessions { sock } => self.sessions_due(sock),
            Timer::Accept { sock, listener } => self.resume_accepting(sock, listener),
        }
    }
    /// A socket has been made.
    fn open(&mut self, sock: Arc<Sock>) {
        // If that fails, for want of memory or watches, the application alone hears of its streams.
        let _ = sock.sets.join(&self.io.poll, Token::set(sock.id));
        let served = Served {
            sock: sock.clone(),
            seen: Seen::default(),
            listeners: Vec::new(),
            dials: HashMap::new(),
            sessions: Sessions::default(),
            streams: Streams::default(),
            closing: false,
        };
        self.served.insert(sock.id, served);
        // An alarm for it may have gone off before it was known here.
        sock.look();
    }
    fn on_command(&mut self, command: Command) {
        match command {
            Command::Open(sock) => self.open(sock),
            Command::Listen { sock, listener, endpoint, asked, done } => {
                let _ = done.send(self.listen(sock, listener, endpoint, asked));
            }
            Command::Unlisten { sock, endpoint, done } => {
                let _ = done.send(self.unlisten(sock, &endpoint) || self.leave(sock, &endpoint));
            }
            Command::Connect { sock, pipe, dial } => {
                if let Some(served) = self.served.get_mut(&sock) {
                    served.dials.insert(pipe, dial);
                    self.dial(sock, pipe);
                }
            }
            Command::Resolved { sock, peer, addresses } => {
                let pipe = peer.pipe;
                let present = self.served.get(&sock).and_then(|served| served.sock.peer(pipe));
                if !present.is_some_and(|present| Arc::ptr_eq(&present, &peer)) {
                    return;
                }
                let Some(dial) = self.served.get_mut(&sock).and_then(|served| served.dials.get_mut(&pipe)) else {
                    return;
                };
                dial.on_resolved(addresses);
                self.dial(sock, pipe);
            }
            Command::Disconnect { sock, endpoint, done } => {
                let _ = done.send(self.disconnect(sock, &endpoint) || self.leave(sock, &endpoint));
            }
            Command::Leave { sock, pipe } => self.on_written(sock, pipe),
            Command::Abandon { sock, pipe } => self.abandon_later(sock, pipe),
            Command::Lost { sock, pipe, loss } => self.lose(sock, pipe, loss),
            Command::Broken { sock, pipe, loss } => self.on_broken(sock, pipe, loss),
            Command::Settle { sock, pipe, generation } => {
                let sock = self.served.get(&sock).map(|served| served.sock.clone());
                if let Some((sock, peer)) = sock.and_then(|sock| Some((sock.clone(), sock.peer(pipe)?))) {
                    self.settle(&sock, &peer, generation);
                    peer.drain(&sock);
                    self.close_if_flushed(sock.id);
                }
            }
            Command::Read { sock, pipe } => self.go_on_reading(sock, pipe),
            Command::Write { sock, pipe } => self.go_on_writing(sock, pipe),
            Command::Accept { sock, listener } => self.go_on_accepting(sock, listener),
            Command::Join { sock, session, done } => {
                let _ = done.send(self.join(sock, *session));
            }
            Command::Turn { sock } => self.turn(sock, false),
            Command::Rouse { sock } => self.rouse(sock),
            Command::Close { sock } => self.close(sock),
            Command::Stop => self.stopping = true,
        }
    }
}

/// Streams: handshakes, reading for applications that are away, and losses.
impl Reactor {
    /// A connection begins on a stream that was accepted.
    pub(super) fn begin(&mut self, sock: SockId, peer: &Arc<Peer>, mut stream: sys::Stream) {
        let Some(served) = self.served.get(&sock) else { return };
        let sock = served.sock.clone();
        let added = self.io.poll.add_stream(&mut stream, Token::stream(sock.id, peer.pipe));
        peer.install(&sock, Arc::new(stream));
        if added.is_err() {
            self.lose(sock.id, peer.pipe, peer.loss(CloseReason::EndOfStream));
            return;
        }
        self.greet(&sock, peer);
    }
    /// A connection has begun: its deadline counts, and it speaks first.
    pub(super) fn greet(&mut self, sock: &Arc<Sock>, peer: &Arc<Peer>) {
        let deadline = lock(&peer.protocol).connection.poll_timeout();
        self.set_deadline(sock.id, peer.pipe, deadline);
        peer.drain(sock);
    }
    /// The connection's deadline is this, or there is none.
    fn set_deadline(&mut self, sock: SockId, pipe: PipeId, deadline: Option<omnimq_core::Instant>) {
        let timer = Timer::Protocol { sock, pipe };
        match deadline.and_then(|deadline| self.io.instant(deadline)) {
            Some(deadline) => self.timers.at(deadline, timer),
            None => self.timers.cancel(timer),
        }
    }
    fn on_stream(&mut self, sock: SockId, pipe: PipeId, event: Ready) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        if let Some(dial) = served.dials.get_mut(&pipe)
            && dial.is_connecting()
        {
            if event.writable || event.ended {
                self.on_connected(sock, pipe);
            }
            if !event.ended {
                return;
            }
        }
        let Some(served) = self.served.get_mut(&sock) else { return };
        let sock = served.sock.clone();
        let Some(peer) = sock.peer(pipe) else { return };
        if event.writable {
            if let Some(stream) = peer.chatty().filter(|_| served.streams.is_settled(pipe)) {
                self.io.poll.watch_room(&stream, Token::stream(sock.id, pipe), false);
            }
            peer.drain(&sock);
            self.close_if_flushed(sock.id);
        }
        if event.ended {
            peer.on_ending();
        }
        if event.readable || event.ended {
            self.read(&sock, &peer);
        }
    }
    /// Reads until the stream is drained, the lane is full or the stream has ended, for an application that is away; what
    /// one turn does not suffice for comes later, in turn with other peers.
    pub(super) fn read(&mut self, sock: &Arc<Sock>, peer: &Arc<Peer>) {
        if !peer.seat.enter() {
            return;
        }
        for _ in 0..READS {
            let brought = peer.read(sock);
            self.after_read(sock, peer, &brought);
            let on = brought.messages > 0 || brought.more || brought.ready.is_some();
            let over = !on || brought.stalled || brought.lost.is_some();
            if over && peer.seat.leave() {
                return;
            }
            // Others have their turn after each read that brought nothing else.
            if brought.only_signals() {
                break;
            }
        }
        // Whoever knocks from here on is heard as well when this is gone on with.
        while !peer.seat.leave() {}
        if !peer.owed.swap(true, Ordering::AcqRel) {
            self.io.send(Command::Read { sock: sock.id, pipe: peer.pipe });
        }
    }
    fn go_on_reading(&mut self, sock: SockId, pipe: PipeId) {
        let Some(sock) = self.served.get(&sock).map(|served| served.sock.clone()) else { return };
        let Some(peer) = sock.peer(pipe) else { return };
        peer.owed.store(false, Ordering::Release);
        self.read(&sock, &peer);
    }
    fn go_on_writing(&mut self, sock: SockId, pipe: PipeId) {
        let Some(sock) = self.served.get(&sock).map(|served| served.sock.clone()) else { return };
        if let Some(peer) = sock.peer(pipe) {
            peer.go_on_writing(&sock);
            self.close_if_flushed(sock.id);
        }
    }
    fn after_read(&mut self, sock: &Arc<Sock>, peer: &Arc<Peer>, brought: &Brought) {
        if let Some(generation) = brought.ready {
            self.settle(sock, peer, generation);
        }
        if brought.news {
            sock.mail.push(peer.pipe);
            sock.work();
            sock.ring_reader();
            if brought.ready.is_some() {
                sock.ring_writer();
            }
        }
        if brought.reply || brought.ready.is_some() {
            peer.drain(sock);
            // What a closed socket lingered for may have had to wait for this handshake.
            self.close_if_flushed(sock.id);
        }
        if let Some(loss) = brought.lost {
            self.lose(sock.id, peer.pipe, loss);
        }
    }
    /// The handshake is over: from here the application reads for itself. Another stream may have come meanwhile, which
    /// has yet to shake hands.
    fn settle(&mut self, sock: &Arc<Sock>, peer: &Arc<Peer>, generation: u32) {
        let protocol = lock(&peer.protocol);
        if protocol.generation() != generation {
            return;
        }
        let deadline = protocol.connection.poll_timeout();
        drop(protocol);
        if let Some(dial) = self.served.get_mut(&sock.id).and_then(|served| served.dials.get_mut(&peer.pipe)) {
            dial.on_ready();
        }
        self.on_settled(sock.id, peer.pipe);
        self.set_deadline(sock.id, peer.pipe, deadline);
        let Some(stream) = peer.stream() else { return };
        let settled = self.io.poll.settle_stream(&stream, Token::stream(sock.id, peer.pipe));
        if settled.and_then(|()| sock.sets.add(&stream, peer.pipe)).is_err() {
            self.lose(sock.id, peer.pipe, peer.loss(CloseReason::EndOfStream));
        }
    }
    fn on_protocol_timeout(&mut self, sock: SockId, pipe: PipeId) {
        let Some(sock) = self.served.get(&sock).map(|served| served.sock.clone()) else { return };
        let Some(peer) = sock.peer(pipe) else { return };
        let mut protocol = lock(&peer.protocol);
        let Protocol { connection, intake, .. } = &mut *protocol;
        connection.handle_timeout(intake, sock.now());
        let (closed, next) = (connection.closed(), connection.poll_timeout());
        drop(protocol);
        match closed {
            Some(reason) => self.lose(sock.id, pipe, peer.loss(reason)),
            None => self.set_deadline(sock.id, pipe, next),
        }
    }
    /// A stream takes no more. Unless nobody is left to read what it brought, its end is found by reading.
    fn on_broken(&mut self, sock: SockId, pipe: PipeId, loss: Loss) {
        let Some(served) = self.served.get(&sock) else { return };
        if served.closing {
            return self.lose(sock, pipe, loss);
        }
        let sock = served.sock.clone();
        if let Some(peer) = sock.peer(pipe) {
            self.read(&sock, &peer);
        }
    }
    /// A stream has ended: connect again, or let the pipe go.
    fn lose(&mut self, sock: SockId, pipe: PipeId, loss: Loss) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        let sock = served.sock.clone();
        let Some(peer) = sock.peer(pipe) else { return };
        let Some(stream) = peer.uninstall(&sock, loss) else { return };
        drop(stream);
        self.timers.cancel(Timer::Protocol { sock: sock.id, pipe });
        let now = self.io.now();
        let delay = served.dials.get_mut(&pipe).and_then(|dial| dial.on_lost(loss.reason, now));
        self.on_ended(sock.id, pipe, loss, delay);
        let Some(served) = self.served.get_mut(&sock.id) else { return };
        match delay {
            Some(delay) => {
                self.timers.after(delay, Timer::Reconnect { sock: sock.id, pipe });
                if sock.options.immediate {
                    sock.suspend(&peer);
                    self.on_written(sock.id, pipe);
                }
            }
            None => {
                served.dials.remove(&pipe);
                self.timers.cancel(Timer::Leave { sock: sock.id, pipe });
                sock.close_pipe(&peer);
            }
        }
        self.close_if_flushed(sock.id);
    }
}

/// Sockets that their application has closed.
impl Reactor {
    /// A socket that lingers may have no more reason to.
    pub(super) fn close_if_flushed(&mut self, sock: SockId) {
        if self.served.get(&sock).is_some_and(|served| served.closing) {
            self.close(sock);
        }
    }
    /// Forgets the socket if nothing is left to write, else lets it linger.
    pub(super) fn close(&mut self, sock: SockId) {
        let Some(served) = self.served.get_mut(&sock) else { return };
        if !served.closing {
            served.closing = true;
            for listening in served.listeners.drain(..).flatten() {
                listening.end(&served.sock);
            }
            served.sessions.close();
            if !served.sessions.is_finished() {
                self.io.send(Command::Turn { sock });
            }
            served.sock.work();
            if let Some(linger) = served.sock.live.linger() {
                self.timers.after(linger, Timer::Linger { sock });
            }
            for peer in served.sock.peers() {
                if let Some(loss) = peer.broken() {
                    self.lose(sock, peer.pipe, loss);
                }
            }
        }
        let Some(served) = self.served.get(&sock) else { return };
        let delivered = served.sock.is_delivered() && served.sessions.is_finished();
        if delivered && served.sock.peers().iter().all(|peer| peer.is_flushed()) {
            self.forget(sock);
        }
    }
    fn forget(&mut self, sock: SockId) {
        let Some(served) = self.served.remove(&sock) else { return };
        self.timers.cancel(Timer::Linger { sock });
        self.timers.cancel(Timer::Nap { sock });
        for (pipe, dial) in served.dials {
            self.timers.cancel(Timer::Reconnect { sock, pipe });
            self.timers.cancel(Timer::Leave { sock, pipe });
            self.timers.cancel(Timer::Silence { sock, pipe, attempt: dial.attempt() });
        }
        for peer in served.sock.peers() {
            self.timers.cancel(Timer::Protocol { sock, pipe: peer.pipe });
            if let Some(stream) = peer.uninstall(&served.sock, peer.loss(CloseReason::Unwanted)) {
                scratch::hang_up(&stream);
            }
        }
        served.sock.give_up_waiting();
        served.sock.on_forgotten();
    }
}
