//! Whoever has work drives: the calling thread does the I/O when it can, the I/O thread whatever is left undone.
//!
//! - [`seat`]: the hand-over protocols, alone.
//! - [`peer`]: one pipe and its stream; the read seat.
//! - [`writing`]: the write seat.
//! - [`sock`]: one socket, as both sides see it.
//! - [`io`]: the I/O thread: accepting, connecting, handshakes, timers, and reading and writing for absent applications.

pub(crate) mod io;
pub(crate) mod peer;
mod scratch;
pub(crate) mod seat;
mod serve;
pub(crate) mod sock;
mod timers;
pub(crate) mod writing;
