//! PUB: readings on three topics, to whoever subscribes; or as many as will go, to measure.

use super::{OPTIONS, PORT, SETTINGS, Streams, open, poll, streams};
#[cfg(not(feature = "flood"))]
use super::{arrivals, number};
use crate::arena::Arena;
use crate::board::Board;
use crate::log;
use crate::machine::Args;
use omnimq_core::{Options, Pub};
#[cfg(feature = "flood")]
use omnimq_core::{PipeId, PipeReader, SendErrorKind};
use omnimq_smoltcp::{Capacities, Socket};
use smoltcp::iface::SocketSet;
#[cfg(not(feature = "flood"))]
use smoltcp::time::Duration;

/// What a publisher takes beside its TCP buffers, with sixteen topics for each of its four subscribers.
const _: () = assert!(size_of::<omnimq_core::Node<Pub, omnimq_smoltcp::Capacity<4, 8, 0, 66, 64, 16>>>() <= 6 << 10);

/// Four subscribers, sixteen topics of 16 octets.
#[cfg(not(any(shared, feature = "flood")))]
type Sizes = omnimq_smoltcp::Capacity<4, 8, 0, 66, 16, 16, 256, 1024>;
/// As many messages as the TCP buffer holds.
#[cfg(feature = "flood")]
type Sizes = omnimq_smoltcp::Capacity<4, 16, 0, 66, 16, 16, 256, 1024>;
#[cfg(shared)]
type Sizes = super::Shared;
type Memory = <Sizes as Capacities>::Memory;

/// Readings are for those who keep up; a flood waits for its one subscriber.
const WANTED: Options = {
    let mut options = OPTIONS;
    options.nodrop = cfg!(feature = "flood");
    options
};

/// Octets that it takes of an arena.
pub const ROOM: usize = size_of::<Memory>() + size_of::<Socket<Pub, Sizes>>() + size_of::<Streams<5>>() + 24;

#[cfg(not(feature = "flood"))]
const TOPICS: [&[u8]; 3] = [b"temperature/", b"humidity/", b"pressure/"];
#[cfg(not(feature = "flood"))]
const PACE: Duration = Duration::from_millis(2);

/// Publishes until the last subscriber has gone; with the feature `flood`, as many messages as the argument says, as fast as
/// one subscriber takes them.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, args: &mut Args) -> Option<bool> {
    let mut sockets = streams::<5, N>(arena)?;
    let socket = open::<_, Sizes, N>(arena, Pub, &WANTED, &SETTINGS, &mut sockets)?;
    socket.bind(PORT).ok()?;
    log!("telemetry: bound");
    #[cfg(feature = "flood")]
    return Some(pour(socket, board, &mut sockets, args.number()));
    #[cfg(not(feature = "flood"))]
    measure(socket, board, &mut sockets, args)
}

/// Publishes readings until the last subscriber has gone.
#[cfg(not(feature = "flood"))]
fn measure(socket: &mut Socket<Pub, Sizes>, board: &mut Board, sockets: &mut SocketSet<'_>, _: &mut Args) -> Option<bool> {
    let (mut peers, mut ever, mut sequence) = (0, false, 0);
    let mut reading = [0; 32];
    let mut due = board.now();
    let mut alone = due;
    loop {
        board.take(sockets);
        poll(socket, board, sockets);
        peers += arrivals(socket);
        let now = board.now();
        ever |= peers > 0;
        if peers > 0 {
            alone = now;
        }
        if ever && now > alone + Duration::from_millis(700) {
            log!("telemetry: published {} dropped {}", sequence, socket.node().socket().dropped());
            return Some(true);
        }
        if now >= due {
            due = now + PACE;
            sequence += 1;
            for topic in TOPICS {
                socket.send(number(&mut reading, topic, sequence)).ok()?;
                poll(socket, board, sockets);
            }
        }
        board.rest(sockets);
    }
}

#[cfg(feature = "flood")]
/// `count` messages of 64 octets that begin with their numbers, none lost: how fast they go is logged.
fn pour(socket: &mut Socket<Pub, Sizes>, board: &mut Board, sockets: &mut SocketSet<'_>, count: u32) -> bool {
    let mut sent = 0_u32;
    let mut message = [0; 64];
    let mut start = board.now();
    while sent < count {
        board.take(sockets);
        if sent == 0 {
            start = board.now();
        }
        while sent < count {
            message[..8].copy_from_slice(&u64::from(sent).to_be_bytes());
            match socket.send(&message) {
                Ok(()) if sent > 0 || is_taken(socket) => sent += 1,
                Ok(()) | Err(SendErrorKind::Again) => break,
                Err(_) => return false,
            }
        }
        poll(socket, board, sockets);
        board.send(sockets);
    }
    socket.close(board.now());
    while !socket.is_closed() {
        board.take(sockets);
        poll(socket, board, sockets);
        board.send(sockets);
    }
    log!("flood: messages={} us={}", sent, (board.now() - start).total_micros());
    true
}

#[cfg(feature = "flood")]
/// Whether the message just sent waits for a subscriber: before the first subscription it does not.
fn is_taken(socket: &mut Socket<Pub, Sizes>) -> bool {
    (0..4).any(|at| socket.node().socket().pipe(PipeId(at)).is_some_and(|pipe| pipe.tx.front().is_some()))
}
