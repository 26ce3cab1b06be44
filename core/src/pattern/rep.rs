//! REP: answers the last asker (RFC 28).
//!
//! The envelope is written, uncommitted, into the asker's outbound pipe as it is read: nothing is stored here,
//! and a peer that goes takes its half-written answer along.

use super::{FairQueue, Pattern, Receives, Routing, Sends};
use crate::body::{Frame, Payload};
use crate::error::{RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pipe::PipeWriter;
use crate::socket::Pipes;
use crate::storage::{PipeId, Storage};
use crate::wire::SocketType;

#[derive(Clone, Copy, Default)]
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
    Reading,
    Owing,
    Replying,
}

pub struct RepState<S: Storage> {
    queue: FairQueue<S>,
    turn: Turn,
    /// Where the reply goes; `None` when the asker has gone or has no room.
    asker: Option<PipeId>,
}

impl<S: Storage> RepState<S> {
    /// Moves the envelope of the next request into its reply; the first body frame. Skips requests without delimiter.
    fn begin(&mut self, pipes: &mut Pipes<S>) -> Option<Frame<S::Body>> {
        loop {
            let (id, mut frame) = self.queue.recv(pipes)?;
            let mut fits = pipes.writable(id);
            while frame.more {
                let delimiter = frame.body.as_ref().is_empty();
                fits = fits && pipes.writer(id)?.write(frame).is_ok();
                frame = self.queue.recv(pipes)?.1;
                if delimiter {
                    self.asker = fits.then_some(id);
                    return Some(frame);
                }
            }
            pipes.writer(id)?.rollback();
        }
    }
}

impl<S: Storage> Routing<S> for RepState<S> {
    fn on_attach(&mut self, _: &mut Pipes<S>, _: PipeId) {}
    fn on_detach(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.forget(id);
        self.asker = self.asker.filter(|asker| *asker != id);
    }
    fn on_readable(&mut self, _: &mut Pipes<S>, id: PipeId) {
        self.queue.activate(id);
    }
    fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        if !matches!(self.turn, Turn::Owing | Turn::Replying) {
            return Err(SendError::new(frame, SendErrorKind::State));
        }
        let more = frame.more();
        self.turn = if more { Turn::Replying } else { Turn::Idle };
        let Some(tx) = self.asker.and_then(|id| pipes.writer(id)) else { return Ok(()) };
        if frame.write(tx).is_err() {
            tx.rollback();
            self.asker = None;
        } else if !more {
            tx.flush();
        }
        Ok(())
    }
    fn recv(&mut self, pipes: &mut Pipes<S>) -> Result<Frame<S::Body>, RecvError> {
        let frame = match self.turn {
            Turn::Idle => self.begin(pipes),
            Turn::Reading => self.queue.recv(pipes).map(|(_, frame)| frame),
            Turn::Owing | Turn::Replying => return Err(RecvError::State),
        };
        let frame = frame.ok_or(RecvError::Again)?;
        self.turn = if frame.more { Turn::Reading } else { Turn::Owing };
        Ok(frame)
    }
}
