//! What becomes of a socket's pipes: they are made, opened, refused, drained and forgotten.
//!
//! None of this is on a message's way, so it is written for [`Routing`] as such: one copy serves all patterns of a program.

use super::pipes::Phase;
use super::{Pipe, Pipes, Side};
use crate::error::CloseReason;
use crate::pattern::Routing;
use crate::pipe::{PipeReader, PipeWriter, Signal};
use crate::storage::{PipeId, PipeSet, Storage, Table};

/// A socket's pipes, and the pattern that hears of what becomes of them.
pub(crate) struct Life<'a, S: Storage> {
    pub(super) routing: &'a mut dyn Routing<S>,
    pub(super) pipes: &'a mut Pipes<S>,
}

/// What a driver asks for.
impl<S: Storage> Life<'_, S> {
    /// [`Socket::attach`](super::Socket::attach); the lanes are made where they stay.
    pub(crate) fn attach(&mut self, side: Side, lanes: impl FnOnce() -> (S::Tx, S::Rx)) -> Option<PipeId> {
        let id = self.pipes.vacant()?;
        let made = self.pipes.table.put_with(id, || {
            let (tx, rx) = lanes();
            Pipe { tx, rx, side, phase: Phase::Waiting, closed: None }
        });
        if !made {
            return None;
        }
        self.pipes.count = self.pipes.count.saturating_add(1);
        if side == Side::Connect {
            self.open(id);
        }
        Some(id)
    }
    /// [`Socket::process`](super::Socket::process).
    pub(crate) fn process(&mut self, id: PipeId) -> Option<CloseReason> {
        let pipe = self.pipes.pipe(id)?;
        let closed = if pipe.rx.front_signal().is_some() { self.take_signals(id) } else { None };
        match self.pipes.phase(id)? {
            Phase::Open => {
                self.routing.on_readable(self.pipes, id);
                self.routing.on_writable(self.pipes, id);
            }
            Phase::Leaving | Phase::Left | Phase::Draining => self.routing.on_readable(self.pipes, id),
            Phase::Refused => self.pipes.discard(id),
            Phase::Waiting | Phase::Finishing => {}
        }
        self.settle();
        closed
    }
    /// [`Socket::close_pipe`](super::Socket::close_pipe).
    pub(crate) fn close_pipe(&mut self, id: PipeId) -> bool {
        let _ = self.process(id);
        match self.pipes.phase(id) {
            None => return true,
            Some(Phase::Open) => self.routing.on_close(self.pipes, id),
            Some(Phase::Waiting | Phase::Refused) => self.pipes.discard(id),
            Some(Phase::Leaving | Phase::Left) => {}
            Some(Phase::Draining | Phase::Finishing) => return false,
        }
        self.linger(id, Phase::Draining);
        self.pipes.phase(id).is_none()
    }
    /// [`Socket::leave`](super::Socket::leave).
    pub(crate) fn leave(&mut self, id: PipeId) -> bool {
        self.end_sending(id, Phase::Left)
    }
    /// [`Socket::suspend`](super::Socket::suspend).
    pub(crate) fn suspend(&mut self, id: PipeId) -> bool {
        self.end_sending(id, Phase::Leaving)
    }
    /// Nothing more is sent to a pipe that was in use.
    fn end_sending(&mut self, id: PipeId, phase: Phase) -> bool {
        let _ = self.process(id);
        if self.pipes.phase(id) != Some(Phase::Open) {
            return false;
        }
        let Some(pipe) = self.pipes.pipe(id) else { return false };
        pipe.phase = phase;
        pipe.tx.rollback();
        self.routing.on_close(self.pipes, id);
        true
    }
    /// [`Socket::detach`](super::Socket::detach).
    pub(crate) fn detach(&mut self, id: PipeId) -> Option<Pipe<S>> {
        match self.pipes.phase(id)? {
            Phase::Open => self.routing.on_close(self.pipes, id),
            Phase::Draining | Phase::Finishing => self.pipes.going = self.pipes.going.saturating_sub(1),
            Phase::Waiting | Phase::Refused | Phase::Leaving | Phase::Left => {}
        }
        if self.is_held(id) {
            self.linger(id, Phase::Finishing);
            return None;
        }
        self.remove(id)
    }
    /// The pipe.
    pub(crate) fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.pipes.pipe(id)
    }
    fn settle(&mut self) {
        if self.pipes.unsettled {
            self.settle_all();
        }
    }
}

/// What becomes of them.
impl<S: Storage> Life<'_, S> {
    /// Acts on the signals of `id` up to its `Close`, as far as the pattern takes them.
    #[cold]
    pub(super) fn take_signals(&mut self, id: PipeId) -> Option<CloseReason> {
        loop {
            let taken = match self.pipes.reader(id)?.front_signal()? {
                Signal::Ready(_) => self.routing.takes_ready(self.pipes, id),
                Signal::Subscribe(_) | Signal::Cancel(_) => self.routing.takes_topic(),
                Signal::Close(_) => true,
            };
            if !taken {
                self.pipes.stalled.insert(id);
                return None;
            }
            match self.pipes.reader(id)?.pop_signal()? {
                Signal::Ready(identity) => self.on_ready(id, identity),
                Signal::Subscribe(topic) if self.pipes.is_open(id) => {
                    if let Err(reason) = self.routing.on_subscribe(self.pipes, id, topic.as_ref()) {
                        self.refuse(id, reason);
                    }
                }
                Signal::Cancel(topic) if self.pipes.is_open(id) => {
                    if let Err(reason) = self.routing.on_cancel(self.pipes, id, topic.as_ref()) {
                        self.refuse(id, reason);
                    }
                }
                Signal::Subscribe(_) | Signal::Cancel(_) => {}
                Signal::Close(reason) => return Some(reason),
            }
        }
    }
    fn on_ready(&mut self, id: PipeId, identity: S::Key) {
        if matches!(self.pipes.phase(id), None | Some(Phase::Left | Phase::Draining | Phase::Finishing)) {
            return;
        }
        match self.routing.on_ready(self.pipes, id, identity) {
            Ok(None) => {}
            Ok(Some(old)) => self.retire(old, CloseReason::Replaced, Phase::Leaving),
            Err(reason) => return self.refuse(id, reason),
        }
        if !self.pipes.is_open(id) {
            self.open(id);
        }
    }
    fn open(&mut self, id: PipeId) {
        if let Some(pipe) = self.pipes.pipe(id) {
            pipe.phase = Phase::Open;
        }
        if let Err(reason) = self.routing.on_attach(self.pipes, id) {
            self.refuse(id, reason);
        }
    }
    fn refuse(&mut self, id: PipeId, reason: CloseReason) {
        if self.routing.reading() == Some(id) {
            return self.retire(id, reason, Phase::Leaving);
        }
        self.retire(id, reason, Phase::Refused);
        self.routing.on_detach(self.pipes, id);
        self.pipes.discard(id);
    }
    /// Ends the outbound side and asks for the connection to be closed.
    fn retire(&mut self, id: PipeId, reason: CloseReason, phase: Phase) {
        self.pipes.close(id, reason);
        let Some(pipe) = self.pipes.pipe(id) else { return };
        pipe.phase = phase;
        self.routing.on_close(self.pipes, id);
    }
    /// Leaves `id` to be read to its end.
    fn linger(&mut self, id: PipeId, phase: Phase) {
        let Some(pipe) = self.pipes.pipe(id) else { return };
        pipe.phase = phase;
        pipe.tx.rollback();
        while pipe.rx.pop_signal().is_some() {}
        self.pipes.going = self.pipes.going.saturating_add(1);
        self.pipes.stalled.remove(id);
        self.pipes.unheard.remove(id);
        self.pipes.note_spent(id);
        self.settle();
    }
    /// Whether the application is owed something that needs the id: the rest of a message, a subscription event.
    fn is_held(&self, id: PipeId) -> bool {
        self.routing.reading() == Some(id) || self.routing.holds(id)
    }
    /// Lets go of pipes that have been read empty, and of signals that had to wait.
    #[cold]
    pub(super) fn settle_all(&mut self) {
        self.pipes.unsettled = false;
        while let Some(id) = self.pipes.spent.at_or_after(PipeId(0)) {
            self.pipes.spent.remove(id);
            let finishing = self.pipes.phase(id) == Some(Phase::Finishing);
            let empty = finishing || self.pipes.reader(id).is_none_or(|rx| rx.front().is_none());
            if empty && !self.is_held(id) {
                self.pipes.going = self.pipes.going.saturating_sub(1);
                self.remove(id);
            }
        }
        let mut at = PipeId(0);
        while let Some(id) = self.pipes.stalled.at_or_after(at) {
            at = id.next();
            self.pipes.stalled.remove(id);
            self.resume_signals(id);
        }
    }
    /// Acts on signals that had to wait. A `Close` among them is left for [`poll_closed`](Self::poll_closed).
    fn resume_signals(&mut self, id: PipeId) {
        let Some(reason) = self.take_signals(id) else { return };
        let Some(pipe) = self.pipes.pipe(id) else { return };
        pipe.closed = Some(reason);
        self.pipes.unheard.insert(id);
    }
    fn remove(&mut self, id: PipeId) -> Option<Pipe<S>> {
        self.routing.on_detach(self.pipes, id);
        for set in [&mut self.pipes.spent, &mut self.pipes.stalled, &mut self.pipes.unheard] {
            set.remove(id);
        }
        let pipe = self.pipes.table.take(id)?;
        self.pipes.count = self.pipes.count.saturating_sub(1);
        Some(pipe)
    }
}
