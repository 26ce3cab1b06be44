//! The byte streams of a node, whatever its pattern: connections, and both ends of their lanes.

use super::connections::Connections;
use crate::body::{Input, Sink};
use crate::connection::{Connection, Event};
use crate::error::CloseReason;
use crate::pipe::PipeReader;
use crate::socket::{Life, Pipe, Side};
use crate::storage::{NodeStorage, PipeId};
use crate::time::Instant;

/// A [`Node`](super::Node)'s byte streams, borrowed from it. Each call does what the node's of the same name does; that
/// the pattern's type is not part of this one lets a program with many patterns carry one copy of a driver.
pub struct Streams<'a, S: NodeStorage> {
    pub(super) life: Life<'a, S>,
    pub(super) connections: &'a mut Connections<S>,
}

impl<S: NodeStorage> Streams<'_, S> {
    /// Adds a byte stream opened at `now`; `None` when all places are taken.
    pub fn attach(&mut self, side: Side, now: Instant) -> Option<PipeId> {
        let id = self.life.attach(side, || self.connections.lanes())?;
        if self.connections.open(id, now) {
            return Some(id);
        }
        self.life.detach(id);
        None
    }
    /// The byte stream has ended and no other will take its place.
    pub fn close(&mut self, id: PipeId) {
        self.release(id);
        self.life.close_pipe(id);
    }
    /// Forgets a byte stream and its pipe, with the messages in it.
    pub fn detach(&mut self, id: PipeId) {
        self.connections.take(id);
        self.life.detach(id);
    }
    /// Another byte stream, opened at `now`, takes the place of one that has ended: the pipe and its messages stay.
    pub fn reconnect(&mut self, id: PipeId, now: Instant) {
        if self.release(id) {
            self.connections.open(id, now);
        }
    }
    /// Ends the connection; whether there was one.
    fn release(&mut self, id: PipeId) -> bool {
        let (Some(old), Some(pipe)) = (self.connections.take(id), self.life.pipe(id)) else { return false };
        old.release(&mut pipe.tx, &mut pipe.rx);
        true
    }
    /// Takes bytes from the stream; returns how many were used.
    pub fn handle_input<I: Input<S::Body> + ?Sized>(&mut self, id: PipeId, input: &I, now: Instant) -> usize {
        let Some((connection, local)) = self.connections.announcing(id) else { return 0 };
        let mut at = 0;
        loop {
            let before = (at, connection.is_stalled());
            let Some(pipe) = self.life.pipe(id) else { return at };
            connection.handle_input(local, input, &mut at, &mut pipe.rx, now);
            self.life.process(id);
            // Several signals in one input go up one by one where the pipe has a place for one only.
            let after = (at, connection.is_stalled());
            if after == before || after == (input.bytes().len(), false) {
                break;
            }
        }
        at
    }
    /// The stream has ended: its last byte has been handed in, or it failed.
    pub fn handle_eof(&mut self, id: PipeId) {
        if let (Some(connection), Some(pipe)) = (self.connections.get_mut(id), self.life.pipe(id)) {
            connection.handle_eof(&mut pipe.rx);
            self.life.process(id);
        }
    }
    /// Acts on the deadlines that have passed at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for id in self.connections.ids() {
            if let (Some(connection), Some(pipe)) = (self.connections.get_mut(id), self.life.pipe(id))
                && connection.poll_timeout().is_some_and(|due| due <= now)
            {
                connection.handle_timeout(&mut pipe.rx, now);
                self.life.process(id);
            }
        }
    }
    /// What has happened to a connection, and to which.
    pub fn poll_event(&mut self) -> Option<(PipeId, Event)> {
        self.connections.poll_event()
    }
    /// Offers what is to be sent; true when the sink was full.
    pub fn poll_transmit(&mut self, id: PipeId, sink: &mut impl Sink<S::Body>) -> bool {
        let Some((connection, local)) = self.connections.announcing(id) else { return false };
        loop {
            let Some(pipe) = self.life.pipe(id) else { return false };
            let full = connection.poll_transmit(local, &mut pipe.tx, sink);
            let drained = pipe.tx.front_signal().is_none();
            self.life.process(id);
            // A signal slot that was emptied and filled again has to be sent in this call: nothing else will ask.
            let filled = self.life.pipe(id).is_some_and(|pipe| pipe.tx.front_signal().is_some());
            if full || !(drained && filled) {
                if self.closed(id).is_some() {
                    // The socket asked for it: it hears the same way as of every other end.
                    self.handle_eof(id);
                }
                return full;
            }
        }
    }
    /// Why the stream is to be closed, if it is.
    pub fn closed(&self, id: PipeId) -> Option<CloseReason> {
        self.connections.get(id)?.closed()
    }
    /// Whether a whole frame waits in the connection for room in its pipe.
    pub fn is_stalled(&self, id: PipeId) -> bool {
        self.connections.get(id).is_some_and(Connection::is_stalled)
    }
    /// The pipe of a stream.
    pub fn pipe(&mut self, id: PipeId) -> Option<&mut Pipe<S>> {
        self.life.pipe(id)
    }
}
