//! Outbound round robin over pipes with room (libzmq's lb).

use crate::body::Payload;
use crate::error::{SendError, SendErrorKind};
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    Pipe(PipeId),
    /// The pipe died under a half-sent message: its other frames vanish.
    Lost,
    None,
}

pub struct LoadBalancer<S: Storage> {
    active: S::Set,
    next: PipeId,
    current: Current,
}

impl<S: Storage> Default for LoadBalancer<S> {
    fn default() -> Self {
        Self { active: S::Set::default(), next: PipeId(0), current: Current::None }
    }
}

impl<S: Storage> LoadBalancer<S> {
    #[inline]
    pub fn activate(&mut self, id: PipeId) {
        self.active.insert(id);
    }
    pub fn forget(&mut self, id: PipeId) {
        self.active.remove(id);
        if self.current == Current::Pipe(id) {
            self.current = Current::Lost;
        }
    }
    /// The pipe whose turn it is and that has room.
    #[inline]
    pub fn pick(&mut self, pipes: &mut Pipes<S>) -> Option<PipeId> {
        loop {
            let id = self.active.cyclic(self.next)?;
            if pipes.writable(id) {
                return Some(id);
            }
            self.active.remove(id);
        }
    }
    /// Ends `id`'s turn.
    pub fn turn(&mut self, id: PipeId) {
        self.next = id.next();
    }
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        let id = match self.current {
            Current::Pipe(id) => Some(id),
            Current::None => self.pick(pipes),
            Current::Lost => {
                if !frame.more() {
                    self.current = Current::None;
                }
                return Ok(());
            }
        };
        let Some((id, tx)) = id.and_then(|id| Some((id, pipes.writer(id)?))) else {
            return Err(SendError::new(frame, SendErrorKind::Again));
        };
        let more = frame.more();
        match frame.write(tx) {
            Ok(()) if more => self.current = Current::Pipe(id),
            Ok(()) => {
                tx.flush();
                self.current = Current::None;
                self.next = id.next();
            }
            Err((frame, refusal)) => {
                tx.rollback();
                self.current = Current::None;
                return Err(SendError::new(frame, refusal.into()));
            }
        }
        Ok(())
    }
}
