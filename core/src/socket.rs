//! One ZeroMQ socket: its pipes and its pattern. Sees `PipeId` and frames, never bytes on a wire, never time.

use crate::body::{Frame, Payload};
use crate::error::{CloseReason, FilterError, RecvError, SendError};
use crate::options::Options;
use crate::pattern::{Filters, Pattern, Receives, Routing, Sends};
use crate::pipe::{PipeReader, PipeWriter, Signal};
use crate::storage::{PipeId, Storage, Table};

/// Which side made the pipe. A connecting pipe may be sent to before its peer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Bind,
    Connect,
}

/// A pipe as its socket sees it.
pub struct Pipe<S: Storage> {
    pub tx: S::Tx,
    pub rx: S::Rx,
    pub(crate) side: Side,
}

/// The pipe table, all that a pattern may touch.
pub struct Pipes<S: Storage>(S::Table<Pipe<S>>);

impl<S: Storage> Pipes<S> {
    #[inline]
    pub fn writer(&mut self, id: PipeId) -> Option<&mut S::Tx> {
        Some(&mut self.0.get_mut(id)?.tx)
    }
    #[inline]
    pub fn reader(&mut self, id: PipeId) -> Option<&mut S::Rx> {
        Some(&mut self.0.get_mut(id)?.rx)
    }
    pub fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.0.get_mut(id)
    }
    pub fn writable(&mut self, id: PipeId) -> bool {
        self.writer(id).is_some_and(|tx| tx.writable())
    }
    pub fn bound(&self) -> u32 {
        self.0.bound()
    }
    fn close(&mut self, id: PipeId, reason: CloseReason) {
        if let Some(tx) = self.writer(id) {
            let _ = tx.signal(Signal::Close(reason));
            tx.flush();
        }
    }
}

/// Pattern `P` over storage `S`.
pub struct Socket<P: Pattern, S: Storage> {
    pub(crate) routing: P::State<S>,
    pub(crate) pipes: Pipes<S>,
}

impl<P: Pattern, S: Storage> Socket<P, S> {
    pub fn new(pattern: P, options: &Options) -> Self {
        Self { routing: pattern.start(options), pipes: Pipes(S::Table::default()) }
    }
    /// The place the next pipe would take.
    pub fn vacant(&mut self) -> Option<PipeId> {
        self.pipes.0.vacant()
    }
    /// Adds a pipe; `None` when the table is full.
    pub fn attach(&mut self, tx: S::Tx, rx: S::Rx, side: Side) -> Option<PipeId> {
        let id = self.pipes.0.vacant()?;
        self.pipes.0.put(id, Pipe { tx, rx, side }).ok()?;
        if side == Side::Connect {
            self.routing.on_attach(&mut self.pipes, id);
        }
        Some(id)
    }
    /// Removes a pipe and whatever the pattern knows of it.
    pub fn detach(&mut self, id: PipeId) -> Option<Pipe<S>> {
        self.routing.on_detach(&mut self.pipes, id);
        self.pipes.0.take(id)
    }
    /// The pipe may have new messages, signals or room. Spurious calls are harmless.
    #[inline]
    pub fn process(&mut self, id: PipeId) -> Option<CloseReason> {
        let mut closed = None;
        while let Some(signal) = self.pipes.reader(id)?.pop_signal() {
            closed = self.on_signal(id, signal).or(closed);
        }
        self.routing.on_readable(&mut self.pipes, id);
        self.routing.on_writable(&mut self.pipes, id);
        closed
    }
    #[cold]
    fn on_signal(&mut self, id: PipeId, signal: Signal<S::Key>) -> Option<CloseReason> {
        match signal {
            Signal::Ready(identity) => {
                match self.routing.on_ready(&mut self.pipes, id, identity) {
                    Ok(None) => {}
                    Ok(Some(old)) => self.pipes.close(old, CloseReason::Replaced),
                    Err(reason) => {
                        self.pipes.close(id, reason);
                        return None;
                    }
                }
                if self.pipes.pipe(id)?.side == Side::Bind {
                    self.routing.on_attach(&mut self.pipes, id);
                }
                None
            }
            Signal::Subscribe(topic) => {
                self.routing.on_subscribe(id, topic.as_ref());
                None
            }
            Signal::Cancel(topic) => {
                self.routing.on_cancel(id, topic.as_ref());
                None
            }
            Signal::Close(reason) => Some(reason),
        }
    }
    pub fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.pipes.pipe(id)
    }
}

impl<P: Pattern, S: Storage> Socket<P, S> {
    /// Sends one frame; a message leaves when its last frame is taken.
    ///
    /// # Errors
    /// `Again` (EAGAIN) only on a first frame; the frame comes back.
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, payload: F) -> Result<(), SendError<F>>
    where
        P: Sends,
    {
        self.routing.send(&mut self.pipes, payload)
    }
}

impl<P: Pattern, S: Storage> Socket<P, S> {
    /// Receives one frame.
    ///
    /// # Errors
    /// `Again` (EAGAIN) only before a first frame.
    #[inline]
    pub fn recv(&mut self) -> Result<Frame<S::Body>, RecvError>
    where
        P: Receives,
    {
        self.routing.recv(&mut self.pipes)
    }
}

impl<P: Pattern, S: Storage> Socket<P, S> {
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.routing.subscribe(&mut self.pipes, topic)
    }
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.routing.unsubscribe(&mut self.pipes, topic)
    }
}
