//! The part of a socket that its application and the I/O thread share.

use super::io::{Command, Io};
use super::peer::{Loss, Peer};
use super::seat::{Bell, Post, Watch};
use crate::context::Census;
use crate::lane::{Host, Inbox, Notices, Outlet};
use crate::options::SocketOptions;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Locked, Mutex, Ordering, lock};
use crate::sys::{self, SockId};
use omnimq_core::connection::{Config, Local};
use omnimq_core::{AnyPattern, Instant, PipeId, Side, Socket, SocketType};
use std::io as stdio;
use std::sync::Arc;
use std::time::Duration;

/// An application may leave a batch unwritten for this long.
pub(crate) const LOOK: Duration = Duration::from_micros(50);

/// An application may leave input unread for this long; kernel buffers bridge it.
pub(crate) const NAP: Duration = Duration::from_millis(1);

/// The pattern and its pipes: locked for the time of a computation, never across a system call.
pub(crate) struct Core {
    pub(crate) socket: Socket<AnyPattern, Host>,
    peers: Vec<Option<Arc<Peer>>>,
    /// Pipes with something staged that nobody has published.
    staged: Vec<PipeId>,
    posted: Vec<PipeId>,
    /// Pipes of multicast sessions, which have no peer.
    loose: Vec<PipeId>,
}

/// One socket.
pub(crate) struct Sock {
    pub(crate) id: SockId,
    pub(crate) socket_type: SocketType,
    pub(crate) options: SocketOptions,
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
    /// The application asleep for room.
    pub(crate) writer: Bell,
    /// A batch is unwritten and the I/O thread will look.
    flush_watch: Watch,
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
}

impl Core {
    fn peer(&self, pipe: PipeId) -> Option<Arc<Peer>> {
        self.peers.get(pipe.index())?.clone()
    }
    /// Whether this is the pipe of a multicast session.
    fn is_loose(&self, pipe: PipeId) -> bool {
        self.loose.contains(&pipe)
    }
    /// Hands what is staged for `pipe` to whoever writes.
    fn publish(&mut self, pipe: PipeId) -> Option<Arc<Peer>> {
        self.socket.pipe(pipe)?.tx.publish();
        self.peer(pipe)
    }
    /// Whether something is staged that has not been published.
    pub(crate) fn has_staged(&mut self, notices: &Notices) -> bool {
        notices.take_staged(&mut self.staged);
        !self.staged.is_empty()
    }
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
        Ok(Some(Self {
            id,
            socket_type,
            config: options.connection(),
            options,
            io: io.clone(),
            census,
            core: Mutex::new(Core { socket, peers: Vec::new(), staged: Vec::new(), posted: Vec::new(), loose: Vec::new() }),
            sets: sys::Sets::new()?,
            notices: Arc::new(Notices::new()),
            mail: Post::new(),
            roster: AtomicU32::new(0),
            generations: AtomicU32::new(0),
            pumped: AtomicU32::new(0),
            phase: AtomicU32::new(0),
            reader: Bell::new(),
            writer: Bell::new(),
            flush_watch: Watch::new(),
            hot_watch: Watch::new(),
            sessions_watch: Watch::new(),
            lost: AtomicU64::new(0),
            repaired: AtomicU64::new(0),
            looks: AtomicU32::new(0),
            terminated: AtomicBool::new(false),
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
    pub(crate) fn peer(&self, pipe: PipeId) -> Option<Arc<Peer>> {
        lock(&self.core).peer(pipe)
    }
    pub(crate) fn peers(&self) -> Vec<Arc<Peer>> {
        lock(&self.core).peers.iter().flatten().cloned().collect()
    }

    /// Makes a pipe, which is to be connected to `endpoint` if there is one; `None` when the socket has as many as it may.
    pub(crate) fn attach(&self, endpoint: Option<&str>) -> Option<Arc<Peer>> {
        let side = if endpoint.is_some() { Side::Connect } else { Side::Bind };
        let mut core = lock(&self.core);
        let id = core.socket.vacant()?;
        let (tx, outbox) = Outlet::new(id, self.generation(), self.options.send_hwm, &self.notices);
        let (intake, rx) = Inbox::lane(id, self.options.recv_hwm, &self.notices);
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
        let (tx, outbox) = Outlet::new(id, self.generation(), self.options.send_hwm, &self.notices);
        let (intake, rx) = Inbox::lane(id, self.options.recv_hwm, &self.notices);
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
        core.socket.close_pipe(pipe);
        self.roster.fetch_add(1, Ordering::Release);
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
    /// Lets the socket look at one pipe.
    pub(crate) fn look_into(core: &mut Core, pipe: PipeId) {
        // Closing is the driver's own decision: no lane says so.
        let _ = core.socket.process(pipe);
    }
    fn process(&self, core: &mut Core) {
        let mut posted = std::mem::take(&mut core.posted);
        self.mail.take(&mut posted);
        for pipe in posted.drain(..) {
            Self::look_into(core, pipe);
        }
        core.posted = posted;
        self.pumped.fetch_add(1, Ordering::Release);
    }
    /// Notes pipes that something was staged for; true when there are such that were not known.
    #[inline]
    pub(crate) fn collect_staged(&self, core: &mut Core) -> bool {
        self.notices.take_staged(&mut core.staged)
    }
    /// Octets staged by the busiest of the pipes just written to.
    pub(crate) fn most_staged(&self, core: &mut Core) -> usize {
        let last = core.staged.last().copied();
        last.and_then(|pipe| Some(core.socket.pipe(pipe)?.tx.staged())).unwrap_or(0)
    }
    /// Publishes what is staged and writes it, without the lock.
    pub(crate) fn publish(&self, mut core: Locked<'_, Core>) {
        self.collect_staged(&mut core);
        if core.staged.is_empty() {
            return;
        }
        if let [one] = core.staged[..] {
            core.staged.clear();
            let peer = core.publish(one);
            let loose = peer.is_none() && core.is_loose(one);
            drop(core);
            if let Some(peer) = peer {
                peer.drain(self);
            }
            if loose {
                self.turn();
            }
            return;
        }
        let staged = std::mem::take(&mut core.staged);
        let loose = staged.iter().any(|&pipe| core.is_loose(pipe));
        let peers: Vec<_> = staged.into_iter().filter_map(|pipe| core.publish(pipe)).collect();
        drop(core);
        if loose {
            self.turn();
        }
        for peer in peers {
            peer.drain(self);
        }
    }
    /// Something is staged: the I/O thread will look before long.
    pub(crate) fn leave_to_look(&self) {
        if self.flush_watch.want() {
            self.io.look_at(self.id);
        }
    }
    /// The multicast sessions have something to do.
    fn turn(&self) {
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
    /// The I/O thread looks.
    pub(crate) fn look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.flush_watch.fired();
        self.publish(lock(&self.core));
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
    }
    pub(crate) fn ring_writer(&self) {
        if self.writer.ring() {
            self.sets.wake();
        }
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
    /// The I/O thread serves this socket no more.
    pub(crate) fn on_forgotten(&self) {
        self.census.leave(self.id);
    }
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminated.load(Ordering::Relaxed)
    }
}
