//! What a connection tells whoever drives it.

use crate::error::CloseReason;

/// What has happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// The peer's READY has come (ZMQ_EVENT_HANDSHAKE_SUCCEEDED); ZMTP 3.`minor` is spoken.
    HandshakeSucceeded {
        /// 0 or 1.
        minor: u8,
    },
    /// The connection has ended: close the stream.
    Closed(CloseReason),
}

/// Events that nobody has asked for yet. Each kind happens at most once, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Events {
    succeeded: Option<Event>,
    closed: Option<Event>,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        match event {
            Event::HandshakeSucceeded { .. } => self.succeeded = Some(event),
            Event::Closed(_) => self.closed = Some(event),
        }
    }
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.succeeded.take().or_else(|| self.closed.take())
    }
}
