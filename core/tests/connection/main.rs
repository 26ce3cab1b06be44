//! The connection machine, told as packet traces: what a peer sends, what comes back, what goes up the pipe.
#![cfg(feature = "alloc")]

#[macro_use]
mod trace;

mod chaos;
mod chunks;
mod commands;
mod errors;
mod handshake;
mod images;
mod limits;
mod messages;
mod node;
mod release;
mod runs;
mod subscriptions;
