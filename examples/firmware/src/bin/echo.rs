//! Bare TCP: what every image with a network costs, and how fast octets can go.
#![no_std]
#![no_main]

use omnimq_firmware::{Arena, Args, Board, exit, role};

static ARENA: Arena<{ Board::ROOM + role::echo::ROOM }> = Arena::new();

#[cortex_m_rt::entry]
fn main() -> ! {
    exit(play().unwrap_or(false))
}

fn play() -> Option<bool> {
    let mut args = Args::take();
    let mut board = Board::start(&ARENA)?;
    role::echo::run(&ARENA, &mut board, &mut args)
}
