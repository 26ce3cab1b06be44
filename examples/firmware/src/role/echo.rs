//! The anchor: bare TCP, no OmniMQ. Returns what comes, or pours out octets, to measure against.

use super::PORT;
use crate::arena::Arena;
use crate::board::{Board, HOST};
use crate::log;
use crate::machine::Args;
use smoltcp::iface::{SocketSet, SocketStorage};
use smoltcp::socket::tcp;
use smoltcp::wire::IpEndpoint;

/// Peers, as the roles have them, with buffers as telemetry has them.
const PEERS: usize = 4;
type Buffers = [([u8; 256], [u8; 1024]); PEERS];

/// Octets that it takes of an arena.
pub const ROOM: usize = size_of::<Buffers>() + size_of::<[SocketStorage<'static>; PEERS]>() + 24;

/// Echoes until the first peer has gone. Arguments `connect PORT`: the same, but outwards. `pour COUNT`: that many frames
/// of 66 octets to the first who comes.
pub fn run<const N: usize>(arena: &'static Arena<N>, board: &mut Board, args: &mut Args) -> Option<bool> {
    let buffers = arena.put(|| [const { ([0; 256], [0; 1024]) }; PEERS])?;
    let mut sockets = SocketSet::new(&mut arena.put(|| [SocketStorage::EMPTY; PEERS])?[..]);
    let handles = buffers.each_mut().map(|(rx, tx)| {
        let mut socket = tcp::Socket::new(tcp::SocketBuffer::new(&mut rx[..]), tcp::SocketBuffer::new(&mut tx[..]));
        socket.set_nagle_enabled(false);
        sockets.add(socket)
    });
    let mode = match args.next() {
        b"connect" => Mode::Connect,
        b"pour" => Mode::Pour,
        _ => Mode::Echo,
    };
    let value = args.number();
    for handle in handles {
        let socket = sockets.get_mut::<tcp::Socket>(handle);
        if mode == Mode::Connect {
            let remote = IpEndpoint::new(HOST, value as u16);
            socket.connect(board.context(), remote, 50_000).ok()?;
            break;
        }
        socket.listen(PORT).ok()?;
    }
    log!("echo: bound");
    let (mut left, mut begun, mut start) = (value, false, board.now());
    loop {
        board.take(&mut sockets);
        for handle in handles {
            let socket = sockets.get_mut::<tcp::Socket>(handle);
            if mode == Mode::Pour {
                begun |= pour(socket, &mut left);
            } else {
                echo(socket);
            }
        }
        if mode == Mode::Pour {
            board.send(&mut sockets);
            if left == value {
                start = board.now();
            }
            if begun && handles.iter().all(|handle| !sockets.get::<tcp::Socket>(*handle).is_active()) {
                log!("pour: frames={} us={}", value - left, (board.now() - start).total_micros());
                return Some(left == 0);
            }
        } else {
            let active = handles.iter().any(|handle| sockets.get::<tcp::Socket>(*handle).is_active());
            if begun && !active {
                return Some(true);
            }
            begun |= active;
            board.rest(&mut sockets);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Echo,
    Connect,
    Pour,
}

fn echo(socket: &mut tcp::Socket<'_>) {
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity() - socket.send_queue();
        let mut octets = [0; 128];
        let Ok(n) = socket.recv_slice(&mut octets[..room.min(128)]) else { return };
        let _ = socket.send_slice(&octets[..n]);
    }
    if socket.may_send() && !socket.may_recv() {
        socket.close();
    }
}

/// As a publisher frames them: two octets of header, 64 of body.
fn pour(socket: &mut tcp::Socket<'_>, left: &mut u32) -> bool {
    if !socket.may_send() {
        return false;
    }
    while *left > 0 && socket.send_capacity() - socket.send_queue() >= 66 {
        let mut body = [0; 64];
        body[..4].copy_from_slice(&left.to_be_bytes());
        let _ = socket.send_slice(&[0, 64]);
        let _ = socket.send_slice(&body);
        *left -= 1;
    }
    if *left == 0 {
        socket.close();
    }
    true
}
