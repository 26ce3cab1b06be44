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

use crate::arena::Arena;
use crate::board::Board;
use core::time::Duration;
use omnimq_core::{Options, Pattern};
#[cfg(any(all(feature = "telemetry", not(feature = "flood")), feature = "router"))]
use omnimq_smoltcp::Event;
use omnimq_smoltcp::{Capacities, Settings, Socket};
use smoltcp::iface::{SocketSet, SocketStorage};

/// Where roles that bind listen.
pub(crate) const PORT: u16 = 5555;

/// The sizes of the sockets in an image that holds several roles: they share their code because they share their sizes. RAM
/// pays for it: four peers, as rpc and router have them, with room for one message of 1 KB each way, as the pipeline has it.
#[cfg(shared)]
pub(crate) type Shared = omnimq_smoltcp::Capacity<4, 1, 1, 1040, 4, 16, 512, 512>;

/// Patience for a network of one hop.
pub(crate) const SETTINGS: Settings = {
    let mut settings = Settings::DEFAULT;
    settings.connect = Duration::from_millis(500);
    settings
};

/// Streams of a role's sockets.
pub(crate) type Streams<const N: usize> = [SocketStorage<'static>; N];

/// Places for `M` streams in the arena.
#[inline(never)]
pub(crate) fn streams<const M: usize, const N: usize>(arena: &'static Arena<N>) -> Option<SocketSet<'static>> {
    Some(SocketSet::new(&mut arena.put(|| [SocketStorage::EMPTY; M])?[..]))
}

/// A ZeroMQ socket and its buffers in the arena.
// As `streams` apart from its role, because what is made on the way to the arena takes stack that the role needs later.
#[inline(never)]
pub(crate) fn open<P: Pattern, C: Capacities<Memory: Default>, const N: usize>(
    arena: &'static Arena<N>,
    pattern: P,
    options: &Options,
    settings: &Settings,
    sockets: &mut SocketSet<'static>,
) -> Option<&'static mut Socket<P, C>> {
    let memory = buffers::<C, N>(arena)?;
    arena.put(|| Socket::new(pattern, *options, settings, memory, sockets))
}

/// TCP buffers in the arena: the same for all patterns.
#[inline(never)]
fn buffers<C: Capacities<Memory: Default>, const N: usize>(arena: &'static Arena<N>) -> Option<&'static mut C::Memory> {
    arena.put(C::Memory::default)
}

/// Lets a ZeroMQ socket do what is due. What it has to tell it keeps, in a place for each kind.
pub(crate) fn poll<P: Pattern, C: Capacities>(socket: &mut Socket<P, C>, board: &mut Board, sockets: &mut SocketSet<'_>) {
    let now = board.now();
    socket.poll(board.context(), sockets, now);
}

/// How many more peers there are, by what the socket tells.
#[cfg(any(all(feature = "telemetry", not(feature = "flood")), feature = "router"))]
pub(crate) fn arrivals<P: Pattern, C: Capacities>(socket: &mut Socket<P, C>) -> i32 {
    let mut more = 0;
    while let Some((_, event)) = socket.poll_event() {
        match event {
            Event::HandshakeSucceeded { .. } => more += 1,
            Event::Closed(_) => more -= 1,
            _ => {}
        }
    }
    more
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
pub(crate) const OPTIONS: Options = Options::new(7);
