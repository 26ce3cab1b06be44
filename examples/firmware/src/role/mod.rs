//! What a board can be. Each role runs to its end and tells whether all went well.
#![cfg_attr(not(roles), allow(dead_code, reason = "an image of bare TCP has no role"))]

#[cfg(feature = "actuator")]
pub mod actuator;
pub mod echo;
#[cfg(feature = "pipeline")]
pub mod pipeline;
#[cfg(feature = "router")]
pub mod router;
#[cfg(feature = "rpc")]
pub mod rpc;
#[cfg(feature = "telemetry")]
pub mod telemetry;

use crate::board::Board;
use core::time::Duration;
use omnimq_core::{Options, Pattern};
use omnimq_smoltcp::{Capacities, Event, Settings, Socket};
use smoltcp::iface::{SocketSet, SocketStorage};

/// Where roles that bind listen.
pub(crate) const PORT: u16 = 5555;

/// The sizes of the sockets in an image that holds several: they share their code because they share their sizes. The
/// pipeline, which alone has large messages, keeps to its own: for four peers there is no room for those.
#[cfg(shared)]
pub(crate) type Shared = omnimq_smoltcp::Capacity<4, 2, 2, 136, 4, 16, 512, 512>;

/// Patience for a network of one hop.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.connect = Duration::from_millis(500);
    settings
}

/// Streams of a role's sockets.
pub(crate) type Streams<const N: usize> = [SocketStorage<'static>; N];

/// Lets a ZeroMQ socket do what is due, and passes over what it tells but for the end of a handshake and of a connection.
pub(crate) fn poll<P: Pattern, C: Capacities>(
    socket: &mut Socket<P, C>,
    board: &mut Board,
    sockets: &mut SocketSet<'_>,
    peers: &mut i32,
) {
    let now = board.now();
    socket.poll(board.context(), sockets, now);
    while let Some((_, event)) = socket.poll_event() {
        match event {
            Event::HandshakeSucceeded { .. } => *peers += 1,
            Event::Closed(_) => *peers -= 1,
            _ => {}
        }
    }
}

/// `octets` are `text` and eight decimal digits: the number that those are.
#[cfg(any(feature = "actuator", feature = "rpc"))]
pub(crate) fn numbered(text: &[u8], octets: &[u8]) -> Option<u32> {
    let digits = octets.strip_prefix(text).filter(|digits| digits.len() == 8)?;
    Some(crate::machine::number(digits))
}

/// `text` and `number` in eight decimal digits, put together in `room`.
#[cfg(any(all(feature = "telemetry", not(feature = "flood")), feature = "rpc"))]
pub(crate) fn number<'a>(room: &'a mut [u8; 32], text: &[u8], number: u32) -> &'a [u8] {
    let len = text.len().min(24);
    let mut rest = number;
    for (at, place) in room.iter_mut().enumerate().take(len + 8).rev() {
        match text.get(at) {
            Some(octet) => *place = *octet,
            None => {
                *place = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
    }
    room.get(..len + 8).unwrap_or_default()
}

/// Options that begin at a seed; a product draws it at random.
pub(crate) fn options() -> Options {
    Options::new(7)
}
