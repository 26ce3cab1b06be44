//! A board with a network, and five roles that it can play over OmniMQ: the parts of the images in `src/bin`.
#![no_std]

mod arena;
mod board;
mod lan9118;
mod logging;
mod machine;
pub mod role;

pub use arena::Arena;
pub use board::Board;
pub use machine::{Args, exit, number, print};
