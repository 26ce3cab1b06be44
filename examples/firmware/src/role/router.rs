//! ROUTER: answers each DEALER under the name it came with.

use super::{OPTIONS, PORT, SETTINGS, Streams, arrivals, open, poll, streams};
use crate::arena::Arena;
use crate::board::Board;
use crate::log;
use crate::machine::Args;
use omnimq_core::{Options, Router, SendErrorKind};
use omnimq_smoltcp::{Capacities, Socket};

/// Four dealers.
#[cfg(not(shared))]
type Sizes = omnimq_smoltcp::Capacity<4, 2, 2, 128, 1, 16, 256, 256>;
#[cfg(shared)]
type Sizes = super::Shared;
type Memory = <Sizes as Capacities>::Memory;

/// Answers wait for room instead of being dropped.
const MANDATORY: Options = {
    let mut options = OPTIONS;
    options.mandatory = true;
    options
};

/// Octets that it takes of an arena.
pub const ROOM: usize = size_of::<Memory>() + size_of::<Socket<Router, Sizes>>() + size_of::<Streams<5>>() + 24;

/// Returns messages with the sender's name put before them, until one says `halt`.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, _: &mut Args) -> Option<bool> {
    let mut sockets = streams::<5, N>(arena)?;
    let socket = open::<_, Sizes, N>(arena, Router, &MANDATORY, &SETTINGS, &mut sockets)?;
    socket.bind(PORT).ok()?;
    log!("router: bound");
    let (mut peers, mut answered, mut most) = (0, 0, 0);
    let mut answer: Option<Answer> = None;
    loop {
        board.take(&mut sockets);
        poll(socket, board, &mut sockets);
        peers += arrivals(socket);
        most = most.max(peers);
        loop {
            if let Some(waiting) = &answer {
                match socket.send_part(waiting.name(), true) {
                    Ok(()) => socket.send(waiting.body()).ok()?,
                    Err(SendErrorKind::Again) => break,
                    Err(SendErrorKind::Unroutable) => {}
                    Err(_) => return Some(false),
                }
                answered += u32::from(answer.take().is_some());
            }
            let Ok(name) = socket.recv() else { break };
            let body = socket.recv().ok()?;
            if &*body.body == b"halt" {
                log!("router: answered {=u32} peers {=i32}", answered, most);
                return Some(true);
            }
            answer = Some(Answer::new(&name.body, &body.body)?);
        }
        poll(socket, board, &mut sockets);
        board.rest(&mut sockets);
    }
}

/// A name, and a body that begins with it.
struct Answer {
    octets: [u8; 128],
    name: usize,
    len: usize,
}

impl Answer {
    fn new(name: &[u8], body: &[u8]) -> Option<Self> {
        let mut octets = [0; 128];
        let (head, tail) = octets.split_at_mut_checked(name.len())?;
        head.copy_from_slice(name);
        tail.get_mut(..body.len())?.copy_from_slice(body);
        Some(Self { octets, name: name.len(), len: name.len() + body.len() })
    }
    fn name(&self) -> &[u8] {
        self.octets.get(..self.name).unwrap_or_default()
    }
    fn body(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}
