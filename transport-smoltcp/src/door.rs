//! The stream that refuses peers beyond the capacity: it listens when no other does.

use smoltcp::socket::tcp;
use smoltcp::wire::{IpEndpoint, IpListenEndpoint};

/// Keeps the door: listens on `endpoint` while nobody else does, and resets who comes. Who that was.
pub(crate) fn keep(tcp: &mut tcp::Socket<'_>, endpoint: Option<IpListenEndpoint>, taken: bool) -> Option<IpEndpoint> {
    match tcp.state() {
        tcp::State::Listen if !taken || endpoint.is_none() => tcp.close(),
        tcp::State::Listen => {}
        // The reset has yet to leave as long as the socket knows its peer.
        tcp::State::Closed if tcp.remote_endpoint().is_some() => {}
        tcp::State::Closed => {
            if let Some(endpoint) = endpoint.filter(|_| taken) {
                // It is closed and the port is not 0.
                let _ = tcp.listen(endpoint);
            }
        }
        _ => {
            let remote = tcp.remote_endpoint();
            tcp.abort();
            return remote;
        }
    }
    None
}
