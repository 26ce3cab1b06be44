//! PULL and PUSH: what comes in goes out, as it is and in its order.

use super::{OPTIONS, PORT, SETTINGS, Streams, open, poll, streams};
use crate::arena::Arena;
use crate::board::{Board, HOST};
use crate::log;
use crate::machine::Args;
use core::time::Duration;
use omnimq_core::{Pull, Push};
use omnimq_smoltcp::{Capacities, Settings, Socket};
use smoltcp::wire::IpEndpoint;

/// Messages of up to 1 KB. Both ways have the same sizes, so that both sockets have the same code.
#[cfg(not(shared))]
type Sizes = omnimq_smoltcp::Capacity<1, 2, 2, 1040, 1, 16, 1024, 1024>;
#[cfg(shared)]
type Sizes = super::Shared;
type Memory = <Sizes as Capacities>::Memory;

/// The host may stall for seconds while the last messages are on their way.
const PATIENT: Settings = {
    let mut settings = SETTINGS;
    settings.linger = Duration::from_secs(20);
    settings
};

/// Octets that it takes of an arena.
pub const ROOM: usize = 2 * size_of::<Memory>()
    + size_of::<Socket<Pull, Sizes>>()
    + size_of::<Socket<Push, Sizes>>()
    + size_of::<Streams<10>>()
    + 40;

/// Arguments: the port of the host's PULL, and how many messages to hand on.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, args: &mut Args) -> Option<bool> {
    let mut sockets = streams::<10, N>(arena)?;
    let pull = open::<_, Sizes, N>(arena, Pull, &OPTIONS, &SETTINGS, &mut sockets)?;
    let push = open::<_, Sizes, N>(arena, Push, &OPTIONS, &PATIENT, &mut sockets)?;
    pull.bind(PORT).ok()?;
    push.connect(IpEndpoint::new(HOST, u16::try_from(args.number()).ok()?)).ok()?;
    log!("pipeline: bound, stack {=usize}", board.stack());
    let count = args.number();
    let (mut passed, mut held, mut free) = (0, false, board.now());
    while passed < count {
        board.take(&mut sockets);
        poll(pull, board, &mut sockets);
        while push.node().socket().can_send()
            && let Ok(frame) = pull.recv()
        {
            push.send_part(&frame.body, frame.more).ok()?;
            passed += u32::from(!frame.more);
            if passed.is_multiple_of(2000) && !frame.more {
                log!("pipeline: passed {=u32}, stack {=usize}", passed, board.stack());
            }
        }
        poll(push, board, &mut sockets);
        let now = board.now();
        if push.node().socket().can_send() {
            free = now;
        } else if !held && now > free + smoltcp::time::Duration::from_millis(500) {
            held = true;
            log!("pipeline: held back at {=u32}", passed);
        }
        board.rest(&mut sockets);
    }
    push.close(board.now());
    while !push.is_closed() {
        board.take(&mut sockets);
        poll(push, board, &mut sockets);
        board.rest(&mut sockets);
    }
    log!("pipeline: done {=u32}, stack {=usize}", passed, board.stack());
    Some(true)
}
