//! The role that the first argument names. Features say which roles are in the image.
#![no_std]
#![no_main]

use omnimq_firmware::{Arena, Args, Board, exit, role};

/// The most octets that one of the roles takes.
const ROOM: usize = {
    let mut most = 0;
    let rooms = [
        #[cfg(feature = "telemetry")]
        role::telemetry::ROOM,
        #[cfg(feature = "actuator")]
        role::actuator::ROOM,
        #[cfg(feature = "rpc")]
        role::rpc::ROOM,
        #[cfg(feature = "pipeline")]
        role::pipeline::ROOM,
        #[cfg(feature = "router")]
        role::router::ROOM,
    ];
    let mut at = 0;
    while at < rooms.len() {
        if rooms[at] > most {
            most = rooms[at];
        }
        at += 1;
    }
    most + Board::ROOM
};

static ARENA: Arena<ROOM> = Arena::new();

#[cortex_m_rt::entry]
fn main() -> ! {
    exit(play().unwrap_or(false))
}

/// `None` when the board lacks something, or room.
fn play() -> Option<bool> {
    let mut args = Args::take();
    let mut board = Board::start(&ARENA)?;
    match args.next() {
        #[cfg(feature = "telemetry")]
        b"telemetry" => role::telemetry::run(&ARENA, &mut board, &mut args),
        #[cfg(feature = "actuator")]
        b"actuator" => role::actuator::run(&ARENA, &mut board, &mut args),
        #[cfg(feature = "rpc")]
        b"rpc" => role::rpc::run(&ARENA, &mut board, &mut args),
        #[cfg(feature = "pipeline")]
        b"pipeline" => role::pipeline::run(&ARENA, &mut board, &mut args),
        #[cfg(feature = "router")]
        b"router" => role::router::run(&ARENA, &mut board, &mut args),
        _ => None,
    }
}
