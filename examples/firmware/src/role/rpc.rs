//! REP and REQ: answers the host's questions, and asks its own.

use super::{OPTIONS, PORT, SETTINGS, Streams, number, numbered, open, poll, streams};
use crate::arena::Arena;
use crate::board::{Board, HOST};
use crate::log;
use crate::machine::Args;
use omnimq_core::{Rep, Req};
use omnimq_smoltcp::{Capacities, Socket};
use smoltcp::wire::IpEndpoint;

/// Four who ask, and four who are asked.
#[cfg(not(shared))]
type Sizes = omnimq_smoltcp::Capacity<4, 1, 1, 128, 1, 16, 256, 256>;
#[cfg(shared)]
type Sizes = super::Shared;
type Memory = <Sizes as Capacities>::Memory;

/// Octets that it takes of an arena.
pub const ROOM: usize = 2 * size_of::<Memory>()
    + size_of::<Socket<Rep, Sizes>>()
    + size_of::<Socket<Req, Sizes>>()
    + size_of::<Streams<10>>()
    + 40;

/// Arguments: the port of the host's REP, and how often to ask. Runs until it is told to halt and all has been answered.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, args: &mut Args) -> Option<bool> {
    let mut sockets = streams::<10, N>(arena)?;
    let rep = open::<_, Sizes, N>(arena, Rep, &OPTIONS, &SETTINGS, &mut sockets)?;
    let req = open::<_, Sizes, N>(arena, Req, &OPTIONS, &SETTINGS, &mut sockets)?;
    rep.bind(PORT).ok()?;
    req.connect(IpEndpoint::new(HOST, u16::try_from(args.number()).ok()?)).ok()?;
    log!("rpc: bound");
    let questions = args.number();
    let (mut asked, mut answered, mut served, mut halted) = (0, 0, 0, false);
    let mut room = [0; 32];
    while !halted || answered < questions {
        board.take(&mut sockets);
        poll(rep, board, &mut sockets);
        poll(req, board, &mut sockets);
        if let Ok(mut question) = rep.recv() {
            while question.more {
                question = rep.recv().ok()?;
            }
            halted |= &*question.body == b"halt";
            served += 1;
            // The answer is the question, each octet one higher.
            let mut answer = [0; 128];
            answer.iter_mut().zip(question.body.iter()).for_each(|(to, from)| *to = from.wrapping_add(1));
            rep.send(answer.get(..question.body.len())?).ok()?;
            poll(rep, board, &mut sockets);
        }
        if let Ok(answer) = req.recv() {
            answered += 1;
            if numbered(b"answer ", &answer.body) != Some(answered) {
                return Some(false);
            }
        }
        if asked == answered && asked < questions && req.send(number(&mut room, b"question ", asked + 1)).is_ok() {
            asked += 1;
            poll(req, board, &mut sockets);
        }
        board.rest(&mut sockets);
    }
    rep.close(board.now());
    req.close(board.now());
    while !(rep.is_closed() && req.is_closed()) {
        board.take(&mut sockets);
        poll(rep, board, &mut sockets);
        poll(req, board, &mut sockets);
        board.rest(&mut sockets);
    }
    log!("rpc: served {=u32} answered {=u32}", served, answered);
    Some(true)
}
