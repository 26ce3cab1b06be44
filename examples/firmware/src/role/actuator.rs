//! SUB: applies the commands that a publisher on the host gives, whenever it is there.

use super::{OPTIONS, SETTINGS, Streams, numbered, open, poll, streams};
use crate::arena::Arena;
use crate::board::{Board, HOST};
use crate::log;
use crate::machine::Args;
use omnimq_core::Sub;
use omnimq_smoltcp::{Capacities, Socket};
use smoltcp::wire::IpEndpoint;

/// One publisher.
#[cfg(not(shared))]
type Sizes = omnimq_smoltcp::Capacity<1, 0, 8, 66, 4, 16, 512, 256>;
#[cfg(shared)]
type Sizes = super::Shared;
type Memory = <Sizes as Capacities>::Memory;

/// Octets that it takes of an arena.
pub const ROOM: usize = size_of::<Memory>() + size_of::<Socket<Sub, Sizes>>() + size_of::<Streams<5>>() + 24;

/// Arguments: the publisher's port. Runs until it is told to halt.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, args: &mut Args) -> Option<bool> {
    let mut sockets = streams::<5, N>(arena)?;
    let socket = open::<_, Sizes, N>(arena, Sub, &OPTIONS, &SETTINGS, &mut sockets)?;
    socket.subscribe(b"lamp/").ok()?;
    socket.subscribe(b"system/").ok()?;
    socket.connect(IpEndpoint::new(HOST, u16::try_from(args.number()).ok()?)).ok()?;
    let mut applied = 0;
    loop {
        board.take(&mut sockets);
        poll(socket, board, &mut sockets);
        while let Ok(command) = socket.recv() {
            if let Some(level) = numbered(b"lamp/", &command.body) {
                applied += 1;
                log!("actuator: applied {=u32}", level);
            } else {
                log!("actuator: halt after {=u32}", applied);
                return Some(&*command.body == b"system/halt");
            }
        }
        board.rest(&mut sockets);
    }
}
