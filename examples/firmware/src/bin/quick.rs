//! A publisher, whole: what the README begins with.
#![no_std]
#![no_main]

use omnimq_firmware::{Arena, Board, exit};
use omnimq_smoltcp::core::{Options, Pub};
use omnimq_smoltcp::{Capacities, Capacity, Event, Settings, Socket};
use smoltcp::iface::{SocketSet, SocketStorage};

/// Four subscribers, eight messages of 64 octets waiting for each, nothing to receive, sixteen topics of 16 octets, and the
/// octets of each peer's TCP buffers.
type Sizes = Capacity<4, 8, 0, 66, 16, 16, 256, 1024>;
type Memory = <Sizes as Capacities>::Memory;
type Telemetry = Socket<Pub, Sizes>;
/// One for each peer, and one that refuses a fifth.
type Streams = [SocketStorage<'static>; 5];

/// What lives as long as the program.
static ARENA: Arena<{ Board::ROOM + size_of::<Memory>() + size_of::<Telemetry>() + size_of::<Streams>() + 32 }> =
    Arena::new();

#[cortex_m_rt::entry]
fn main() -> ! {
    exit(publish().is_some())
}

/// Publishes until the first subscriber has gone; `None` when the board lacks something.
fn publish() -> Option<()> {
    let mut board = Board::start(&ARENA)?;
    let memory = ARENA.put(Memory::new)?;
    let mut sockets = SocketSet::new(&mut ARENA.put(|| [SocketStorage::EMPTY; 5])?[..]);
    let options = Options::new(0x5eed); // to be drawn at random
    let telemetry = ARENA.put(|| Telemetry::new(Pub, options, &Settings::DEFAULT, memory, &mut sockets))?;
    telemetry.bind(5555).ok()?;
    loop {
        board.take(&mut sockets); // packets that have come
        let now = board.now();
        telemetry.poll(board.context(), &mut sockets, now);
        while let Some((_peer, event)) = telemetry.poll_event() {
            if let Event::Closed(_reason) = event {
                return Some(());
            }
        }
        telemetry.send(b"temperature 21").ok()?; // whoever subscribed to its beginning gets it
        telemetry.poll(board.context(), &mut sockets, now);
        board.rest(&mut sockets); // packets go; then the processor sleeps until one comes or the clock ticks
    }
}
