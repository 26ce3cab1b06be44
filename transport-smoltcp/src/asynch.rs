//! Sockets over a byte stream of `embedded-io-async` 0.7. No executor is needed, and none is presumed.

use crate::wait::WaitError;
use crate::wire::{Piece, feed};
use core::fmt;
use embedded_io_async::{Read, Write};
use omnimq_core::{
    CloseReason, Config, Event, Frame, Instant, Node, NodeStorage, Options, Pattern, PipeId, Receives, RecvError,
    SendErrorKind, Sends, Side,
};

/// A ZeroMQ socket over one stream at a time.
///
/// Dropping a future loses nothing if the stream's own futures may be dropped: what was read is kept here, and so is what
/// was to be written. A socket writes before it reads, so two of them that flood each other over streams with little
/// room may both wait to write; patterns with one direction, or that take turns, cannot.
pub struct Socket<P: Pattern, S: NodeStorage, T> {
    node: Node<P, S>,
    stream: Option<(PipeId, T)>,
    side: Side,
    inbox: Piece,
    outbox: Piece,
}

impl<P: Pattern, S: NodeStorage, T: Read + Write> Socket<P, S, T> {
    /// A socket without a stream, which will be on this side of it.
    pub fn new(pattern: P, options: Options, side: Side) -> Self {
        Self { node: Node::new(pattern, options), stream: None, side, inbox: Piece::EMPTY, outbox: Piece::EMPTY }
    }
    /// Sets what holds for later streams.
    pub fn configure(&mut self, config: Config) {
        self.node.configure(config);
    }
    /// Goes on with a stream that was opened at `now`; the one before comes back. On a connecting side what was sent and
    /// has not left goes over the new one.
    pub fn open(&mut self, stream: T, now: Instant) -> Option<T> {
        (self.inbox, self.outbox) = (Piece::EMPTY, Piece::EMPTY);
        let old = self.stream.take();
        let id = match (&old, self.side) {
            (Some((id, _)), Side::Connect) => {
                self.node.reconnect(*id, now);
                Some(*id)
            }
            (old, side) => {
                if let Some((id, _)) = old {
                    self.node.close(*id);
                }
                self.node.attach(side, now)
            }
        };
        match id {
            Some(id) => self.stream = Some((id, stream)),
            // The one before has messages that have not been read, and there is no other place.
            None => return Some(stream),
        }
        old.map(|(_, stream)| stream)
    }
    /// What has happened to the connection.
    pub fn poll_event(&mut self) -> Option<Event> {
        Some(self.node.poll_event()?.1)
    }
    /// The core's node.
    pub fn node(&mut self) -> &mut Node<P, S> {
        &mut self.node
    }
    /// Sends one frame, and returns when it has been written. `clock` tells the time.
    ///
    /// # Errors
    /// Why it was not sent.
    pub async fn send(&mut self, octets: &[u8], more: bool, mut clock: impl FnMut() -> Instant) -> Result<(), WaitError>
    where
        P: Sends,
    {
        loop {
            match self.node.send_bytes(octets, more) {
                Ok(()) => return self.write().await,
                Err(SendErrorKind::Again) => self.exchange(&mut clock).await?,
                Err(kind) => return Err(WaitError::Send(kind)),
            }
        }
    }
    /// Receives one frame. `clock` tells the time.
    ///
    /// # Errors
    /// Why there will be none.
    pub async fn recv(&mut self, mut clock: impl FnMut() -> Instant) -> Result<Frame<S::Body>, WaitError>
    where
        P: Receives,
    {
        loop {
            match self.node.recv() {
                Ok(frame) => return Ok(frame),
                Err(RecvError::Again) => self.exchange(&mut clock).await?,
                Err(error) => return Err(WaitError::Recv(error)),
            }
        }
    }
    /// Writes what there is to write, then waits for octets and takes them: for who sends and receives through
    /// [`node`](Self::node). `clock` tells the time.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn exchange(&mut self, mut clock: impl FnMut() -> Instant) -> Result<(), WaitError> {
        self.node.handle_timeout(clock());
        self.write().await?;
        let Some((id, stream)) = &mut self.stream else { return Err(WaitError::Closed(CloseReason::Unwanted)) };
        if feed(&mut self.node, *id, &mut self.inbox, clock()) {
            match stream.read(self.inbox.space()).await {
                Ok(n @ 1..) => self.inbox.filled(n),
                Ok(0) | Err(_) => self.node.handle_eof(*id),
            }
            feed(&mut self.node, *id, &mut self.inbox, clock());
        }
        self.write().await
    }
    async fn write(&mut self) -> Result<(), WaitError> {
        let Some((id, stream)) = &mut self.stream else { return Err(WaitError::Closed(CloseReason::Unwanted)) };
        let mut any = false;
        loop {
            self.node.poll_transmit(*id, &mut self.outbox);
            if let Some(reason) = self.node.closed(*id) {
                return Err(WaitError::Closed(reason));
            }
            if self.outbox.octets().is_empty() {
                break;
            }
            any = true;
            match stream.write(self.outbox.octets()).await {
                Ok(n @ 1..) => self.outbox.used(n),
                Ok(0) | Err(_) => self.node.handle_eof(*id),
            }
        }
        if any && stream.flush().await.is_err() {
            self.node.handle_eof(*id);
        }
        Ok(())
    }
}

impl<P: Pattern, S: NodeStorage, T> fmt::Debug for Socket<P, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("node", &self.node).finish_non_exhaustive()
    }
}
