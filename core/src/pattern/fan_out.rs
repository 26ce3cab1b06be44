//! One message to several pipes (libzmq's dist). Who gets it is decided once, at its first frame.

use crate::body::Payload;
use crate::error::{Refusal, SendError};
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage};

/// The message being sent and its receivers.
pub(super) struct FanOut<S: Storage> {
    targets: S::Set,
    open: bool,
}

impl<S: Storage> Default for FanOut<S> {
    fn default() -> Self {
        Self { targets: S::Set::default(), open: false }
    }
}

impl<S: Storage> FanOut<S> {
    /// Whether a message has been begun.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }
    /// The receivers of the next message, to be filled in.
    pub(super) fn targets(&mut self) -> &mut S::Set {
        self.targets.clear();
        &mut self.targets
    }
    /// `id` gets no more of the message.
    pub(super) fn forget(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        if self.open && self.targets.contains(id) {
            pipes.count_drop();
        }
        self.targets.remove(id);
    }
    /// Whether every receiver has room.
    pub(super) fn all_writable(&self, pipes: &mut Pipes<S>) -> bool {
        let mut at = PipeId(0);
        while let Some(id) = self.targets.at_or_after(at) {
            if pipes.is_open(id) && !pipes.writable(id) {
                return false;
            }
            at = id.next();
        }
        true
    }
    /// Strikes out receivers without room: they miss this message.
    pub(super) fn prune(&mut self, pipes: &mut Pipes<S>) {
        let mut at = PipeId(0);
        while let Some(id) = self.targets.at_or_after(at) {
            if !pipes.writable(id) {
                self.targets.remove(id);
                if pipes.is_open(id) {
                    pipes.count_drop();
                }
            }
            at = id.next();
        }
    }
    /// Sends one frame to all receivers.
    ///
    /// # Errors
    /// `TooLarge`: nobody gets the message.
    pub(super) fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        self.open = frame.more();
        let mut at = PipeId(0);
        while let Some(id) = self.targets.at_or_after(at) {
            at = id.next();
            let Some(tx) = pipes.writer(id) else { continue };
            match frame.share(tx) {
                Ok(()) if frame.more() => {}
                Ok(()) => tx.flush(),
                Err(Refusal::TooLarge) => {
                    self.abandon(pipes);
                    return Err(SendError::new(frame, Refusal::TooLarge.into()));
                }
                Err(Refusal::Full) => {
                    tx.rollback();
                    self.targets.remove(id);
                    pipes.count_drop();
                }
            }
        }
        Ok(())
    }
    /// Takes the message back from all receivers. Their lanes are alike, so the first of them refuses for all.
    fn abandon(&mut self, pipes: &mut Pipes<S>) {
        self.open = false;
        let mut at = PipeId(0);
        while let Some(id) = self.targets.at_or_after(at) {
            at = id.next();
            if let Some(tx) = pipes.writer(id) {
                tx.rollback();
            }
        }
    }
}
