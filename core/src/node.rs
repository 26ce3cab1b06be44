//! The single-owner composition: a socket, its connections and both ends of every lane, under one `&mut`.

use crate::body::{Frame, Input, Payload, Piece, Sink};
use crate::connection::{Connection, Local};
use crate::error::{CloseReason, FilterError, RecvError, SendError, SendErrorKind};
use crate::options::Options;
use crate::pattern::{Filters, Pattern, Receives, Sends};
use crate::pipe::PipeReader;
use crate::socket::{Side, Socket};
use crate::storage::{LocalStorage, PipeId, Table};
use crate::wire::SocketType;

/// A ZeroMQ socket and its byte streams: `Node<Pub, Fixed<4, 8, 64>>`.
pub struct Node<P: Pattern, S: LocalStorage> {
    socket: Socket<P, S>,
    connections: S::Table<Connection<S::Body>>,
    socket_type: SocketType,
    identity: S::Key,
    options: Options,
}

impl<P: Pattern, S: LocalStorage> Node<P, S> {
    pub fn new(pattern: P, options: Options) -> Self {
        Self {
            socket: Socket::new(pattern, &options),
            connections: S::Table::default(),
            socket_type: pattern.socket_type(),
            identity: S::Key::default(),
            options,
        }
    }
    /// Sets the identity announced to later peers.
    pub fn set_identity(&mut self, identity: &[u8]) -> Option<()> {
        self.identity = S::key(identity)?;
        Some(())
    }
    /// Adds a byte stream; `None` when all places are taken.
    pub fn attach(&mut self, side: Side) -> Option<PipeId> {
        let (tx, rx) = (S::lane(self.options.send_hwm), S::lane(self.options.recv_hwm));
        let id = self.socket.attach(tx, rx, side)?;
        self.connections.put(id, Connection::new(u64::MAX)).ok()?;
        Some(id)
    }
    /// The byte stream has ended.
    pub fn detach(&mut self, id: PipeId) {
        self.connections.take(id);
        self.socket.detach(id);
    }
    /// The byte stream has ended and another will take its place: the pipe and its messages stay.
    pub fn reconnect(&mut self, id: PipeId) {
        let (Some(old), Some(pipe)) = (self.connections.take(id), self.socket.pipe(id)) else { return };
        old.release(&mut pipe.tx, &mut pipe.rx);
        let _ = self.connections.put(id, Connection::new(u64::MAX));
    }
    /// Takes bytes from the stream; returns how many were used.
    #[inline]
    pub fn handle_input<I: Input<S::Body> + ?Sized>(&mut self, id: PipeId, input: &I) -> usize {
        let local = Local { socket_type: self.socket_type, identity: self.identity.as_ref() };
        let Some(connection) = self.connections.get_mut(id) else { return 0 };
        let mut at = 0;
        loop {
            let before = at;
            let Some(pipe) = self.socket.pipe(id) else { return at };
            connection.handle_input(local, input, &mut at, &mut pipe.rx);
            self.socket.process(id);
            if at == before || at == input.bytes().len() {
                return at;
            }
        }
    }
    /// Where the next bytes of the stream may be read to directly.
    pub fn wanted(&mut self, id: PipeId) -> Option<&mut [u8]> {
        self.connections.get_mut(id)?.wanted()
    }
    pub fn filled(&mut self, id: PipeId, n: usize) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.filled(n);
        }
        self.handle_input(id, [].as_slice());
    }
    /// Offers what is to be sent; true when the sink was full.
    #[inline]
    pub fn poll_transmit(&mut self, id: PipeId, sink: &mut impl Sink<S::Body>) -> bool {
        let local = Local { socket_type: self.socket_type, identity: self.identity.as_ref() };
        let Some(connection) = self.connections.get_mut(id) else { return false };
        loop {
            let Some(pipe) = self.socket.pipe(id) else { return false };
            let full = connection.poll_transmit(local, &mut pipe.tx, sink);
            let drained = pipe.tx.front_signal().is_none();
            self.socket.process(id);
            // A signal slot that was emptied and filled again has to be sent in this call: nothing else will ask.
            let filled = self.socket.pipe(id).is_some_and(|pipe| pipe.tx.front_signal().is_some());
            if full || !(drained && filled) {
                return full;
            }
        }
    }
    /// Why the stream is to be closed, if it is.
    pub fn closed(&self, id: PipeId) -> Option<CloseReason> {
        self.connections.get(id)?.closed()
    }
    pub fn socket(&mut self) -> &mut Socket<P, S> {
        &mut self.socket
    }
}

impl<P: Pattern, S: LocalStorage> Node<P, S> {
    /// Sends one frame by value.
    ///
    /// # Errors
    /// The frame comes back with the reason.
    #[inline]
    pub fn send<F: Payload<S::Body>>(&mut self, payload: F) -> Result<(), SendError<F>>
    where
        P: Sends,
    {
        self.socket.send(payload)
    }
    /// Copies `bytes` into a frame and sends it.
    #[inline]
    pub fn send_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), SendErrorKind>
    where
        P: Sends,
    {
        self.send(Piece { bytes, more }).map_err(|error| error.kind)
    }
}

impl<P: Pattern, S: LocalStorage> Node<P, S> {
    #[inline]
    pub fn recv(&mut self) -> Result<Frame<S::Body>, RecvError>
    where
        P: Receives,
    {
        self.socket.recv()
    }
}

impl<P: Pattern, S: LocalStorage> Node<P, S> {
    pub fn subscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.socket.subscribe(topic)
    }
    pub fn unsubscribe(&mut self, topic: &[u8]) -> Result<(), FilterError>
    where
        P: Filters,
    {
        self.socket.unsubscribe(topic)
    }
}
