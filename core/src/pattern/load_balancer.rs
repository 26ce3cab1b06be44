//! Outbound round robin over pipes with room, one message per turn (libzmq's lb).
//!
//! A full pipe leaves the ring and comes back when room is reported. A pipe that dies under a half-sent message takes
//! the message along: its other frames are swallowed, so that the next message begins with its first frame.

use crate::body::Payload;
use crate::error::{Refusal, SendError, SendErrorKind};
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// No message has been begun.
    None,
    /// A message has been begun on this pipe.
    Pipe(PipeId),
    /// The pipe of the message died.
    Lost,
}

/// Who is sent the next message.
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
    /// `id` may have room.
    #[inline]
    pub fn activate(&mut self, id: PipeId) {
        self.active.insert(id);
    }
    /// `id` has gone.
    pub fn forget(&mut self, id: PipeId) {
        self.active.remove(id);
        if self.current == Current::Pipe(id) {
            self.current = Current::Lost;
        }
    }
    /// The pipe that the message being sent goes to.
    pub fn current(&self) -> Option<PipeId> {
        match self.current {
            Current::Pipe(id) => Some(id),
            Current::Lost | Current::None => None,
        }
    }
    /// Whether a frame would be taken.
    pub fn can_send(&mut self, pipes: &mut Pipes<S>) -> bool {
        self.current != Current::None || self.pick(pipes).is_some()
    }
    /// The pipe whose turn it is and that has room.
    pub fn pick(&mut self, pipes: &mut Pipes<S>) -> Option<PipeId> {
        loop {
            let id = self.active.cyclic(self.next)?;
            if pipes.writable(id) {
                return Some(id);
            }
            self.active.remove(id);
        }
    }
    /// Sends one frame to the pipe whose turn it is.
    ///
    /// # Errors
    /// `Again` on a first frame, `TooLarge`. The frame comes back.
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        match self.current {
            Current::None => self.begin(pipes, frame),
            Current::Pipe(id) => {
                self.write(pipes, id, frame).map_err(|(frame, refusal)| SendError::new(frame, refusal.into()))
            }
            Current::Lost => {
                if !frame.more() {
                    self.current = Current::None;
                    pipes.count_drop();
                }
                Ok(())
            }
        }
    }
    #[inline]
    fn begin<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, mut frame: F) -> Result<(), SendError<F>> {
        loop {
            let Some(id) = self.active.cyclic(self.next) else {
                return Err(SendError::new(frame, SendErrorKind::Again));
            };
            match self.write(pipes, id, frame) {
                Ok(()) => return Ok(()),
                Err((back, Refusal::Full)) => frame = back,
                Err((back, Refusal::TooLarge)) => return Err(SendError::new(back, SendErrorKind::TooLarge)),
            }
            self.active.remove(id);
        }
    }
    #[inline]
    fn write<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, id: PipeId, frame: F) -> Result<(), (F, Refusal)> {
        let Some(tx) = pipes.writer(id) else { return Err((frame, Refusal::Full)) };
        let more = frame.more();
        if let Err((frame, refusal)) = frame.write(tx) {
            tx.rollback();
            self.current = Current::None;
            return Err((frame, refusal));
        }
        if more {
            self.current = Current::Pipe(id);
        } else {
            tx.flush();
            self.current = Current::None;
            self.next = id.next();
        }
        Ok(())
    }
}
