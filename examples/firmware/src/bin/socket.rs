//! One socket type and nothing else, doing all it can: what each costs. Linked and measured, not run.
#![no_std]
#![no_main]

use core::hint::black_box;
#[cfg(feature = "socket-dealer")]
use omnimq_core::Dealer as Type;
use omnimq_core::Options;
#[cfg(feature = "socket-pair")]
use omnimq_core::Pair as Type;
#[cfg(feature = "socket-pub")]
use omnimq_core::Pub as Type;
#[cfg(feature = "socket-pull")]
use omnimq_core::Pull as Type;
#[cfg(feature = "socket-push")]
use omnimq_core::Push as Type;
#[cfg(feature = "socket-rep")]
use omnimq_core::Rep as Type;
#[cfg(feature = "socket-req")]
use omnimq_core::Req as Type;
#[cfg(feature = "socket-router")]
use omnimq_core::Router as Type;
#[cfg(feature = "socket-sub")]
use omnimq_core::Sub as Type;
#[cfg(feature = "socket-xpub")]
use omnimq_core::XPub as Type;
#[cfg(feature = "socket-xsub")]
use omnimq_core::XSub as Type;
use omnimq_firmware::{Arena, Board, exit};
use omnimq_smoltcp::{Capacities, Capacity, Settings, Socket};
use smoltcp::iface::{SocketSet, SocketStorage};

/// Four peers, two messages of 64 octets each way.
type Sizes = Capacity<4, 2, 2, 66, 16, 16, 256, 1024>;
type Memory = <Sizes as Capacities>::Memory;

const ROOM: usize =
    Board::ROOM + size_of::<Memory>() + size_of::<Socket<Type, Sizes>>() + size_of::<[SocketStorage<'static>; 5]>() + 24;

static ARENA: Arena<ROOM> = Arena::new();

#[cortex_m_rt::entry]
fn main() -> ! {
    exit(serve().is_some())
}

fn serve() -> Option<()> {
    let mut board = Board::start(&ARENA)?;
    let memory = ARENA.put(Memory::new)?;
    let mut sockets = SocketSet::new(&mut ARENA.put(|| [SocketStorage::EMPTY; 5])?[..]);
    let options = Options::default();
    let socket = ARENA.put(|| Socket::<Type, Sizes>::new(Type, options, &Settings::DEFAULT, memory, &mut sockets))?;
    socket.bind(5555).ok()?;
    #[cfg(any(feature = "socket-sub", feature = "socket-xsub"))]
    socket.subscribe(black_box(b"topic")).ok()?;
    loop {
        board.take(&mut sockets);
        let now = board.now();
        socket.poll(board.context(), &mut sockets, now);
        #[cfg(not(any(feature = "socket-sub", feature = "socket-pull")))]
        let _ = socket.send(black_box(b"message"));
        #[cfg(not(any(feature = "socket-pub", feature = "socket-push")))]
        if let Ok(frame) = socket.recv() {
            black_box(frame);
        }
        if black_box(false) {
            return Some(());
        }
        board.rest(&mut sockets);
    }
}
