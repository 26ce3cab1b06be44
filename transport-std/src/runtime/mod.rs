//! Whoever has work drives: the calling thread does the I/O when it can, the I/O thread whatever is left undone.
//!
//! - [`seat`]: the hand-over protocols, alone.
//! - [`peer`]: one pipe and its stream; the read seat.
//! - [`writing`]: the write seat.
//! - [`sock`]: one socket, as both sides see it.
//! - [`staged`]: what was sent, on its way to whoever passes it on.
//! - [`io`]: the I/O thread: connecting, handshakes, timers, and reading and writing for absent applications.
//! - [`interest`]: whoever waits elsewhere.
//! - [`accept`]: its listeners.
//! - [`connect`]: its dials.
//! - [`leave`]: pipes that were disconnected and have something to write.
//! - [`inproc`]: sockets of one context that meet without streams.
//! - [`live`]: options that change while a socket lives.
//! - [`serve`]: when it reads for an application, and when it leaves that to it.
//! - [`multicast`]: its sessions of reliable multicast.
//! - [`timers`]: its deadlines.
//! - [`watch`]: what it tells monitors.
//! - [`scratch`]: a thread's read buffers.
//!
//! Locks are taken in this order and no other: a peer's `reading`, its `protocol`; or a context's names, a socket's
//! `core`, never those of two sockets; then the state of a lane (`Outbox`, `Inbox`); last a `Post` or the I/O thread's
//! commands. Only `reading` is held across a system
//! call: it belongs to the holder of the read seat, and besides only the I/O thread takes it, when a stream comes,
//! settles or goes.

mod accept;
mod connect;
pub(crate) mod inproc;
pub(crate) mod interest;
pub(crate) mod io;
mod leave;
mod live;
#[cfg_attr(not(all(feature = "pgm", target_os = "linux")), path = "no_multicast.rs")]
pub(crate) mod multicast;
pub(crate) mod peer;
mod scratch;
pub(crate) mod seat;
mod serve;
pub(crate) mod sock;
mod staged;
mod timers;
mod watch;
pub(crate) mod writing;
