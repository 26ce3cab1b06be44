//! The part of a socket that its application and the I/O thread share.

use super::inproc::{Companion, Names};
use super::interest::Interest;
use super::io::{Command, Io};
use super::live::Live;
use super::peer::{Loss, Peer};
use super::seat::{Bell, Post, Watch};
use crate::context::Census;
use crate::descriptor::Descriptor;
use crate::event::Event;
use crate::lane::{Host, Inbox, Notices, Outlet};
use crate::monitor::Watchers;
use crate::options::SocketOptions;
use crate::places::Places;
use crate::socket::PeerId;
use crate::statistics::{PeerState, PeerStatistics, Statistics};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Mutex, Ordering, lock};
use crate::sys::{self, SockId};
use omnimq_core::connection::{Config, Local};
use omnimq_core::{AnyPattern, Instant, Pipe, PipeId, Side, Socket, SocketType};
use std::collections::HashMap;
use std::io as stdio;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// An application may leave input unread for this long; kernel buffers bridge it.
pub(crate) const NAP: Duration = Duration::from_millis(1);

/// The pattern and its pipes: locked for the time of a computation, never across a system call.
pub(crate) struct Core {
    pub(crate) socket: Socket<AnyPattern, Host>,
    pub(super) peers: Vec<Option<Arc<Peer>>>,
    /// By pipe, those that lead to sockets of this process.
    pub(super) companions: Vec<Option<Companion>>,
    /// Pipes with something staged that nobody has published.
    pub(super) staged: Vec<PipeId>,
    posted: Vec<PipeId>,
    /// Pipes of multicast sessions, which have no peer.
    loose: Vec<PipeId>,
    /// Those of sessions that have ended, as long as gaps in them have not been told.
    ended: Vec<PipeId>,
}

/// One socket.
pub(crate) struct Sock {
    pub(crate) id: SockId,
    pub(crate) socket_type: SocketType,
    /// What it was made with.
    pub(crate) options: SocketOptions,
    pub(super) live: Live,
    pub(crate) config: Config,
    pub(crate) io: Arc<Io>,
    census: Arc<Census>,
    pub(crate) core: Mutex<Core>,
    pub(crate) sets: sys::Sets,
    pub(crate) notices: Arc<Notices>,
    /// Pipes that the socket has to look at: signals, messages where there were none, room where there was none.
    pub(crate) mail: Post<PipeId>,
    /// Changes when a pipe comes or goes.
    pub(crate) roster: AtomicU32,
    /// Numbers peers and streams, so that news of an old one is not taken for news of another.
    generations: AtomicU32,
    /// Counts the times that posted pipes were looked at, by whomever.
    pub(crate) pumped: AtomicU32,
    /// Odd while the application is in the slow path of a receive; changes on every visit.
    pub(crate) phase: AtomicU32,
    /// The application asleep for messages.
    pub(crate) reader: Bell,
    /// The application waiting for messages elsewhere than in its sets.
    pub(crate) readers: Interest,
    /// The application waiting for room.
    pub(crate) writers: Interest,
    /// The application has left its streams to the I/O thread.
    delegated: AtomicBool,
    /// What who polls the socket's descriptor has to be told.
    pub(crate) descriptor: Descriptor,
    /// The I/O thread goes without this socket's arrivals for a while.
    pub(super) napping: AtomicBool,
    /// A batch is unwritten and the I/O thread will look.
    pub(super) flush_watch: Watch,
    /// Something is unread and the I/O thread will look.
    hot_watch: Watch,
    /// The I/O thread will turn to the multicast sessions.
    sessions_watch: Watch,
    /// Packets of multicast sessions that were lost for good.
    pub(crate) lost: AtomicU64,
    /// Those that were lost and came again.
    pub(crate) repaired: AtomicU64,
    /// How often the I/O thread has looked.
    pub(crate) looks: AtomicU32,
    /// The context ends, or the socket has been closed.
    pub(crate) terminated: AtomicBool,
    /// The application has closed the socket.
    dropped: AtomicBool,
    /// Where it is bound.
    pub(crate) places: Places,
    /// Who is told what happens to its connections.
    pub(crate) watchers: Watchers,
    /// Messages given up, as far as that has been told.
    told_dropped: AtomicU32,
}

impl Core {
    fn peer(&self, pipe: PipeId) -> Option<Arc<Peer>> {
        self.peers.get(pipe.index())?.clone()
    }
    /// All pipes are below this one.
    fn reach(&self) -> u32 {
        let loose = self.loose.iter().chain(&self.ended).map(|pipe| pipe.index() + 1).max().unwrap_or(0);
        u32::try_from(self.peers.len().max(self.companions.len()).max(loose)).unwrap_or(u32::MAX)
    }
    /// Whether this is the pipe of a multicast session.
    pub(super) fn is_loose(&self, pipe: PipeId) -> bool {
        self.loose.contains(&pipe)
    }
    /// Whether any of its pipes leads out of this process.
    pub(super) fn has_streams(&self) -> bool {
        self.peers.iter().any(Option::is_some) || !self.loose.is_empty()
    }
}

/// Whether sockets of this type can keep the last message alone, as with libzmq.
fn conflates(socket_type: SocketType) -> bool {
    use SocketType::{Dealer, Pub, Pull, Push, Sub};
    matches!(socket_type, Push | Pull | Pub | Sub | Dealer)
}

impl Sock {
    pub(crate) fn new(
        id: SockId,
        socket_type: SocketType,
        options: SocketOptions,
        seed: u32,
        io: &Arc<Io>,
        census: Arc<Census>,
    ) -> stdio::Result<Option<Self>> {
        let Some(pattern) = AnyPattern::new(socket_type) else { return Ok(None) };
        let socket = Socket::new(pattern, &options.core(seed));
        let conflates = options.conflate && conflates(socket_type);
        Ok(Some(Self {
            id,
            socket_type,
            config: options.connection(),
            live: Live::new(&options),
            options,
            io: io.clone(),
            census,
            core: Mutex::new(Core {
                socket,
                peers: Vec::new(),
                companions: Vec::new(),
                staged: Vec::new(),
                posted: Vec::new(),
                loose: Vec::new(),
                ended: Vec::new(),
            }),
            sets: sys::Sets::new()?,
            notices: Arc::new(Notices::new(conflates)),
            mail: Post::new(),
            roster: AtomicU32::new(0),
            generations: AtomicU32::new(0),
            pumped: AtomicU32::new(0),
            phase: AtomicU32::new(0),
            reader: Bell::new(),
            readers: Interest::new(),
            writers: Interest::new(),
            delegated: AtomicBool::new(false),
            napping: AtomicBool::new(false),
            descriptor: Descriptor::default(),
            flush_watch: Watch::new(),
            hot_watch: Watch::new(),
            sessions_watch: Watch::new(),
            lost: AtomicU64::new(0),
            repaired: AtomicU64::new(0),
            looks: AtomicU32::new(0),
            terminated: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
            places: Places::default(),
            watchers: Watchers::default(),
            told_dropped: AtomicU32::new(0),
        }))
    }
    pub(crate) fn local(&self) -> Local<'_> {
        Local { socket_type: self.socket_type, routing_id: &self.options.routing_id }
    }
    /// Time as the core counts it.
    pub(crate) fn now(&self) -> Instant {
        self.io.now()
    }
    /// A number no other peer or stream of this socket has.
    pub(crate) fn generation(&self) -> u32 {
        self.generations.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
    /// Whether a second connection to the same endpoint would only make everything come twice.
    pub(crate) fn connects_once(&self) -> bool {
        matches!(self.socket_type, SocketType::Dealer | SocketType::Sub | SocketType::Pub | SocketType::Req)
    }
    /// Whether it is connected to `endpoint`, or trying to be.
    pub(crate) fn is_connected_to(&self, endpoint: &str) -> bool {
        self.peers().iter().any(|peer| peer.endpoint.as_deref() == Some(endpoint) && !peer.is_left())
    }
    pub(crate) fn peer(&self, pipe: PipeId) -> Option<Arc<Peer>> {
        lock(&self.core).peer(pipe)
    }
    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        lock(&self.core).peers.iter().flatten().cloned().collect()
    }

    /// Makes a pipe, which is to be connected to `endpoint` if there is one; `None` when the socket has as many as it may.
    pub(crate) fn attach(&self, endpoint: Option<&str>) -> Option<Arc<Peer>> {
        let side = if endpoint.is_some() && !self.options.immediate { Side::Connect } else { Side::Bind };
        let mut core = lock(&self.core);
        let id = core.socket.vacant()?;
        let (tx, outbox) = Outlet::new(id, self.generation(), self.send_hwm(), &self.notices);
        let (intake, rx) = Inbox::lane(id, self.recv_hwm(), &self.notices);
        let peer = Arc::new(Peer::new(id, endpoint.map(str::to_string), outbox, intake, &self.config));
        core.socket.attach(tx, rx, side)?;
        let at = id.index();
        if core.peers.len() <= at {
            core.peers.resize_with(at + 1, || None);
        }
        core.peers[at] = Some(peer.clone());
        self.roster.fetch_add(1, Ordering::Release);
        Some(peer)
    }
    /// Makes a pipe without a connection, for a multicast session; `None` when the socket has as many as it may.
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    pub(crate) fn attach_loose(&self, side: Side) -> Option<(PipeId, Arc<crate::lane::Outbox>, crate::lane::Intake)> {
        let mut core = lock(&self.core);
        let id = core.socket.vacant()?;
        let (tx, outbox) = Outlet::new(id, self.generation(), self.send_hwm(), &self.notices);
        let (intake, rx) = Inbox::lane(id, self.recv_hwm(), &self.notices);
        core.socket.attach(tx, rx, side)?;
        core.loose.push(id);
        self.roster.fetch_add(1, Ordering::Release);
        Some((id, outbox, intake))
    }
    /// The session of this pipe has ended: it goes when the socket has read what came.
    #[cfg(all(feature = "pgm", target_os = "linux"))]
    pub(crate) fn close_loose(&self, pipe: PipeId) {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        core.loose.retain(|&other| other != pipe);
        if core.socket.pipe(pipe).is_some_and(|pipe| pipe.rx.has_gaps()) {
            Self::look_into(&mut core, pipe);
            core.ended.push(pipe);
        } else {
            core.socket.close_pipe(pipe);
        }
        self.roster.fetch_add(1, Ordering::Release);
        self.pumped.fetch_add(1, Ordering::Release);
        self.publish(core);
        self.ring_reader();
        self.ring_writer();
    }
    /// The connection of this pipe has gone, and only the next one is to be sent to: what waited for this one is given up.
    pub(super) fn suspend(&self, peer: &Peer) {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        core.socket.suspend(peer.pipe);
        if let Some(pipe) = core.socket.pipe(peer.pipe) {
            pipe.tx.publish();
        }
        if peer.give_up() {
            self.mail.push(peer.pipe);
        }
        self.pumped.fetch_add(1, Ordering::Release);
        self.publish(core);
        self.ring_reader();
        self.ring_writer();
    }
    /// No more messages will come from this pipe: it goes when the socket has read what came.
    pub(crate) fn close_pipe(&self, peer: &Peer) {
        peer.discard();
        let mut core = lock(&self.core);
        self.pump(&mut core);
        core.socket.close_pipe(peer.pipe);
        if let Some(place) = core.peers.get_mut(peer.pipe.index()) {
            *place = None;
        }
        self.roster.fetch_add(1, Ordering::Release);
        self.pumped.fetch_add(1, Ordering::Release);
        self.publish(core);
        self.ring_reader();
        self.ring_writer();
    }

    /// Its pipes.
    pub(super) fn pipes(&self) -> Vec<PipeId> {
        let mut core = lock(&self.core);
        let reach = core.reach();
        (0..reach).map(PipeId).filter(|pipe| core.socket.pipe(*pipe).is_some()).collect()
    }
    /// What has been sent and received so far.
    pub(crate) fn statistics(&self) -> Statistics {
        // A peer's protocol comes before the socket's lock.
        let states: Vec<_> = self.peers().into_iter().map(|peer| (peer.state(), peer)).collect();
        let mut peers: HashMap<_, _> = states.iter().map(|(state, peer)| (peer.pipe, (*state, peer.place()))).collect();
        let mut core = lock(&self.core);
        let reach = core.reach();
        let Core { socket, companions, loose, .. } = &mut *core;
        let (sent, received) = *lock(&self.notices.past);
        let (dropped, replaced) = (socket.dropped(), self.notices.replaced.load(Ordering::Relaxed));
        let mut all = Statistics { sent, received, dropped, replaced, peers: Vec::new() };
        for pipe in (0..reach).map(PipeId) {
            let Some(Pipe { tx, rx, .. }) = socket.pipe(pipe) else { continue };
            let companion = || companions.get(pipe.index())?.as_ref().map(Companion::state);
            let (state, endpoint) = match peers.remove(&pipe) {
                Some((state, place)) => (state, place.map(str::to_string)),
                None if loose.contains(&pipe) => (PeerState::Connected, None),
                None => companion().unwrap_or((PeerState::Gone, None)),
            };
            let ((received, unreceived), sent) = (rx.received(), tx.sent());
            all.sent += sent;
            all.received += received;
            let (peer, unsent) = (PeerId(tx.peer()), tx.unsent());
            all.peers.push(PeerStatistics { peer, endpoint, state, sent, received, unsent, unreceived });
        }
        all
    }
    /// Lets the socket look at what was posted, and writes what it has to say.
    pub(crate) fn work(&self) {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        self.publish(core);
    }
    /// Lets the socket look at what was posted.
    #[inline]
    pub(crate) fn pump(&self, core: &mut Core) {
        if !self.mail.is_empty() {
            self.process(core);
        }
    }
    /// The packets missing where a lane stops, which goes on from here; `None` when none does.
    #[cold]
    pub(crate) fn pass_gap(&self, core: &mut Core) -> Option<u64> {
        let mut stopped = Vec::new();
        self.notices.gaps.take(&mut stopped);
        let mut stopped = stopped.into_iter();
        let packets = stopped.find_map(|pipe| {
            let packets = core.socket.pipe(pipe)?.rx.pass_gap()?;
            Self::look_into(core, pipe);
            self.close_ended(core, pipe);
            Some(packets)
        });
        stopped.for_each(|pipe| self.notices.gaps.push(pipe));
        packets
    }
    /// Closes the pipe of a session that has ended, if all of its gaps have been told.
    fn close_ended(&self, core: &mut Core, pipe: PipeId) {
        let Some(at) = core.ended.iter().position(|&ended| ended == pipe) else { return };
        if core.socket.pipe(pipe).is_none_or(|pipe| !pipe.rx.has_gaps()) {
            core.ended.swap_remove(at);
            core.socket.close_pipe(pipe);
            self.roster.fetch_add(1, Ordering::Release);
        }
    }
    /// Lets the socket look at one pipe.
    pub(crate) fn look_into(core: &mut Core, pipe: PipeId) {
        // Closing is the driver's own decision: no lane says so.
        let _ = core.socket.process(pipe);
    }
    fn process(&self, core: &mut Core) {
        // Counted first: who is about to sleep and finds the post taken finds this counted too, and waits for the lock.
        self.pumped.fetch_add(1, Ordering::Release);
        let mut posted = std::mem::take(&mut core.posted);
        self.mail.take(&mut posted);
        for pipe in posted.drain(..) {
            Self::look_into(core, pipe);
        }
        core.posted = posted;
    }
    /// Tells of messages that the pattern has given up, if anybody asks.
    #[inline]
    pub(crate) fn tell_dropped(&self, core: &Core) {
        if self.watchers.any() {
            self.count_dropped(core);
        }
    }
    #[cold]
    pub(crate) fn count_dropped(&self, core: &Core) {
        // The socket's lock orders all access. Counted modulo 2^32: nobody drops that many between two looks.
        let (total, told) = (core.socket.dropped() as u32, self.told_dropped.load(Ordering::Relaxed));
        if total != told {
            self.told_dropped.store(total, Ordering::Relaxed);
            let messages = u64::from(total.wrapping_sub(told));
            self.watchers.tell(&Event::Dropped { messages });
        }
    }
    /// The multicast sessions have something to do.
    pub(super) fn turn(&self) {
        if self.sessions_watch.want() {
            self.io.send(Command::Turn { sock: self.id });
        }
    }
    /// Has the multicast session of this pipe go on, if it is one; false if it is not.
    pub(crate) fn resume_loose(&self, pipe: PipeId) -> bool {
        let loose = lock(&self.core).is_loose(pipe);
        if loose {
            self.turn();
        }
        loose
    }
    /// Call before turning to the multicast sessions.
    pub(crate) fn turn_fired(&self) {
        self.sessions_watch.fired();
    }
    /// Something is unread: the I/O thread will look before long.
    pub(crate) fn leave_hot(&self) {
        if self.hot_watch.want() {
            self.io.read_for(self.id);
        }
    }
    /// As `leave_hot`, by the I/O thread, which has arranged to look.
    pub(crate) fn hot_is_watched(&self) {
        self.hot_watch.want();
    }
    /// Call before looking for what was left unread.
    pub(crate) fn hot_fired(&self) {
        self.hot_watch.fired();
    }

    /// The pipe has room where it had none.
    pub(crate) fn tell_room(&self, pipe: PipeId) {
        self.mail.push(pipe);
        self.ring_writer();
    }
    pub(crate) fn ring_reader(&self) {
        if self.reader.ring() {
            self.sets.wake();
        }
        self.readers.ring();
    }
    pub(crate) fn ring_writer(&self) {
        self.writers.ring();
    }
    /// The application waits for messages elsewhere than in its sets: it is woken by `waker`, and the I/O thread reads for
    /// it. It looks once more after this.
    pub(crate) fn await_messages(&self, waker: &Waker) {
        self.delegated.store(true, Ordering::Release);
        self.readers.announce(waker);
        self.rouse();
    }
    pub(crate) fn await_messages_polled(&self, waker: &Waker) {
        self.delegated.store(true, Ordering::Release);
        self.readers.announce_poller(waker);
        self.rouse();
    }
    fn rouse(&self) {
        if self.napping.load(Ordering::SeqCst) {
            self.io.send(Command::Rouse { sock: self.id });
        }
    }
    /// The application looks after its streams itself.
    pub(crate) fn undelegate(&self) {
        if self.delegated.load(Ordering::Relaxed) {
            self.delegated.store(false, Ordering::Relaxed);
        }
    }
    pub(super) fn is_delegated(&self) -> bool {
        self.delegated.load(Ordering::SeqCst)
    }
    /// A stream is of no more use: the I/O thread has to know.
    pub(crate) fn report(&self, pipe: PipeId, loss: Loss) {
        self.io.send(Command::Lost { sock: self.id, pipe, loss });
    }
    /// Ends every wait, present and future.
    pub(crate) fn terminate(&self) {
        self.terminated.store(true, Ordering::SeqCst);
        self.ring_reader();
        self.ring_writer();
    }
    /// The application closes the socket.
    pub(crate) fn close(&self) {
        self.dropped.store(true, Ordering::SeqCst);
        self.publish(lock(&self.core));
        self.part_from_all();
        self.terminate();
        self.io.send(Command::Close { sock: self.id });
    }
    /// No name will be bound any more: a closed socket that lingers for that need not.
    pub(crate) fn on_context_end(&self) {
        if self.is_dropped() {
            self.io.send(Command::Close { sock: self.id });
        }
    }
    pub(crate) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::SeqCst)
    }
    /// The names of its context.
    pub(crate) fn names(&self) -> &Names {
        &self.census.names
    }
    /// Whether the context has ended.
    pub(super) fn is_alone(&self) -> bool {
        self.census.has_ended()
    }
    /// The I/O thread serves this socket no more.
    pub(crate) fn on_forgotten(&self) {
        self.watchers.end();
        self.census.leave(self.id);
    }
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::Relaxed)
    }
}
