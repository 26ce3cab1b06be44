//! REP: answers the last asker (RFC 28).
//!
//! ```text
//! Idle --envelope--> Reading --last frame--> Owing --first frame of the reply--> Replying --last frame--> Idle
//! ```
//! The envelope, all frames up to and including the first empty one, is written uncommitted into the asker's outbound
//! pipe as it is read: nothing is stored here, and a peer that goes takes its half-written answer along.

use super::{FairQueue, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{CloseReason, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

/// Replies to whoever asked last (ZMQ_REP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rep;

impl Sends for Rep {}
impl Receives for Rep {}

impl Pattern for Rep {
    type State<S: Storage> = RepState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Rep
    }
    fn start<S: Storage>(self, _: &Options) -> RepState<S> {
        RepState { queue: FairQueue::default(), turn: Turn::Idle, asker: None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    /// The envelope has been taken off the request.
    Reading,
    /// The request has been read.
    Owing,
    /// The reply has begun.
    Replying,
}

/// State of a REP socket.
pub struct RepState<S: Storage> {
    queue: FairQueue<S>,
    turn: Turn,
    /// Where the reply goes; `None` when the asker has gone or has no room.
    asker: Option<PipeId>,
}

impl<S: Storage> RepState<S> {
    /// Moves the envelope of the next request into its reply. Skips requests without delimiter.
    fn find_request(&mut self, pipes: &mut Pipes<S>) -> bool {
        while let Some(id) = self.queue.begin(pipes) {
            let mut fits = pipes.writable(id);
            while let Some(frame) = self.queue.next(pipes).filter(|frame| frame.more) {
                let delimiter = frame.body.as_ref().is_empty();
                fits = fits && pipes.writer(id).is_some_and(|tx| tx.write(frame).is_ok());
                if delimiter {
                    self.asker = fits.then_some(id);
                    self.turn = Turn::Reading;
                    return true;
                }
            }
            if let Some(tx) = pipes.writer(id) {
                tx.rollback();
            }
        }
        false
    }
}

impl<S: Storage> Routing<S> for RepState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) -> Result<(), CloseReason> {
        Ok(())
    }
    #[inline]
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    fn on_close(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.asker = self.asker.filter(|asker| *asker != id);
    }
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
    }
    fn reading(&self) -> Option<PipeId> {
        self.queue.current()
    }
    fn can_send(&mut self, _: &mut Pipes<S>) -> bool {
        matches!(self.turn, Turn::Owing | Turn::Replying)
    }
    fn can_recv(&mut self, pipes: &mut Pipes<S>) -> bool {
        match self.turn {
            Turn::Idle => self.find_request(pipes),
            Turn::Reading => true,
            Turn::Owing | Turn::Replying => false,
        }
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        if !matches!(self.turn, Turn::Owing | Turn::Replying) {
            return Err(SendError::new(frame, SendErrorKind::State));
        }
        let more = frame.more();
        self.turn = if more { Turn::Replying } else { Turn::Idle };
        let Some(tx) = self.asker.and_then(|id| pipes.writer(id)) else {
            if !more {
                pipes.count_drop();
            }
            return Ok(());
        };
        match frame.write(tx) {
            Ok(()) if more => Ok(()),
            Ok(()) => {
                tx.flush();
                Ok(())
            }
            Err((frame, refusal)) => {
                // The envelope goes with the reply: this request cannot be answered any more.
                tx.rollback();
                (self.turn, self.asker) = (Turn::Idle, None);
                Err(SendError::new(frame, refusal.into()))
            }
        }
    }
    fn recv(&mut self, pipes: &mut Pipes<S>, into: &mut Frame<S::Body>) -> Result<(), RecvError> {
        let turn = self.turn;
        match turn {
            Turn::Owing | Turn::Replying => return Err(RecvError::State),
            Turn::Idle if !self.find_request(pipes) => return Err(RecvError::Again),
            Turn::Idle | Turn::Reading => {}
        }
        self.queue.recv(pipes, into).ok_or(RecvError::Again)?;
        if !into.more {
            self.turn = Turn::Owing;
        }
        Ok(())
    }
}
