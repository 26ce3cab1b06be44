//! ipc where the system has no such sockets: refused, and nothing else can happen.

use super::{Listener, Stream, StreamOptions};
use omnimq_core::endpoint::Ipc;
use std::io;

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Address {}

/// There is none.
pub(crate) enum Directory {}

impl Address {
    /// # Errors
    /// `Unsupported`, always.
    pub(crate) fn new(_ipc: Ipc<'_>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Directory {
    pub(super) fn remove(self) -> io::Result<()> {
        match self {}
    }
}

pub(crate) fn listen(address: &Address, _options: &StreamOptions) -> io::Result<(Listener, String)> {
    match *address {}
}

pub(crate) fn connect(address: &Address, _options: &StreamOptions) -> io::Result<Stream> {
    match *address {}
}
