//! STREAM: a ROUTER over pipes of raw bytes, which an empty frame closes.

use super::router::Kind;
use super::{Pattern, Receives, RouterState, Sends};
use crate::options::Options;
use crate::storage::Storage;
use crate::wire::SocketType;

/// Raw TCP (ZMQ_STREAM).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stream;

impl Sends for Stream {}
impl Receives for Stream {}

impl Pattern for Stream {
    type State<S: Storage> = RouterState<S>;
    fn socket_type(self) -> SocketType {
        SocketType::Stream
    }
    fn start<S: Storage>(self, options: &Options) -> RouterState<S> {
        RouterState::new(options, Kind::Stream)
    }
}
