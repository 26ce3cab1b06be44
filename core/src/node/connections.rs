//! The connections of a node, and what they are told.

use crate::connection::{Config, Connection, Event, Local};
use crate::options::Options;
use crate::storage::{NodeStorage, PipeId, Table};
use crate::time::Instant;
use crate::wire::SocketType;

/// Connections by the pipe that each belongs to.
pub(super) struct Connections<S: NodeStorage> {
    table: S::Table<Connection<S::Body>>,
    pub(super) socket_type: SocketType,
    /// Announced to later peers.
    pub(super) routing_id: S::Key,
    /// Holds for later connections.
    pub(super) config: Config,
    /// High-water marks, out and in.
    marks: (u32, u32),
    /// Where the next look for events begins.
    cursor: u32,
}

impl<S: NodeStorage> Connections<S> {
    pub(super) fn new(socket_type: SocketType, options: &Options, config: Config) -> Self {
        Self {
            table: S::Table::default(),
            socket_type,
            routing_id: S::Key::default(),
            config,
            marks: (options.send_hwm, options.recv_hwm),
            cursor: 0,
        }
    }
    /// The lanes of a new pipe.
    pub(super) fn lanes(&self) -> (S::Tx, S::Rx) {
        (S::outbound(self.marks.0), S::inbound(self.marks.1))
    }
    /// A connection on a stream that was opened at `now`; false when there is no place for it.
    pub(super) fn open(&mut self, id: PipeId, now: Instant) -> bool {
        self.table.put_with(id, || Connection::new(&self.config, now))
    }
    pub(super) fn take(&mut self, id: PipeId) -> Option<Connection<S::Body>> {
        self.table.take(id)
    }
    pub(super) fn get(&self, id: PipeId) -> Option<&Connection<S::Body>> {
        self.table.get(id)
    }
    pub(super) fn get_mut(&mut self, id: PipeId) -> Option<&mut Connection<S::Body>> {
        self.table.get_mut(id)
    }
    /// A connection, and what it announces.
    #[inline]
    pub(super) fn announcing(&mut self, id: PipeId) -> Option<(&mut Connection<S::Body>, Local<'_>)> {
        let local = Local { socket_type: self.socket_type, routing_id: self.routing_id.as_ref() };
        Some((self.table.get_mut(id)?, local))
    }
    pub(super) fn ids(&self) -> impl Iterator<Item = PipeId> + use<S> {
        (0..self.table.bound()).map(PipeId)
    }
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.ids().filter_map(|id| self.table.get(id)?.poll_timeout()).min()
    }
    /// What has happened to a connection, and to which.
    pub(super) fn poll_event(&mut self) -> Option<(PipeId, Event)> {
        let bound = self.table.bound();
        for at in (self.cursor..bound).chain(0..bound.min(self.cursor)) {
            if let Some(event) = self.table.get_mut(PipeId(at)).and_then(Connection::poll_event) {
                self.cursor = at;
                return Some((PipeId(at), event));
            }
        }
        None
    }
}
