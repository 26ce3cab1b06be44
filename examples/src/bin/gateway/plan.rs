//! What is played: how many of whom, how long, with which options, and the bounds that have to hold.

use std::time::Duration;

use anyhow::{Context as _, Result};
use omnimq::SocketOptions;
use socket2::{Domain, Protocol, Socket, Type};

use crate::order;

/// Servers at the start.
pub(crate) const FIRST: usize = 10;

/// Servers that join while it runs.
pub(crate) const JOINING: usize = 40;

/// The server that is killed, one of the first.
pub(crate) const VICTIM: usize = 3;

/// Messages sent while only the first servers are there.
pub(crate) const WITH_FIRST: u64 = 30_000;

/// Messages sent with everybody there, before the kill and again after the return.
pub(crate) const WITH_ALL: u64 = 60_000;

/// Clients, each with a REQ socket of its own.
pub(crate) const CLIENTS: usize = 4;

/// Orders in a client's request.
pub(crate) const ORDERS: usize = 25;

/// A client asks this often at most.
pub(crate) const TICK: Duration = Duration::from_micros(2500);

/// How often a server hands a player over and publishes its score.
pub(crate) const BEAT: Duration = Duration::from_millis(50);

/// Messages of the speed run.
pub(crate) const FLOOD: u64 = 1_000_000;

/// Octets of each of them.
pub(crate) const FLOOD_OCTETS: usize = 1024;

/// Whoever waits for something longer than this gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The whole demo ends sooner than this.
pub(crate) const WHOLE: Duration = Duration::from_secs(30);

/// The busiest server of a group has at most this many times the mean.
pub(crate) const EVENNESS: f64 = 1.01;

/// Fewer messages per server than this say nothing about evenness to one in a hundred.
pub(crate) const EVENNESS_SAMPLE: u64 = 500;

/// Milliseconds from `connect` to the first message, the median over all servers, at most.
pub(crate) const JOIN_MS: f64 = 50.0;

/// SO_SNDBUF and SO_RCVBUF asked for on the way to the servers; a fixed size bounds what a dead server had not read.
const BUFFER: usize = 64 << 10;

/// Octets before a short frame's body: flags and length.
const FRAME_HEADER: usize = 2;

/// Options of every socket here: nobody waits for ever, and nobody stays for unsent messages.
pub(crate) fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.recv_timeout = Some(PATIENCE);
    options.send_timeout = Some(PATIENCE);
    options.linger = Some(Duration::ZERO);
    options
}

/// Options of the PUSH socket and of the PULL sockets.
pub(crate) fn feed_options() -> SocketOptions {
    let mut options = options();
    options.send_buffer = Some(BUFFER);
    options.recv_buffer = Some(BUFFER);
    options
}

/// What may be under way to one server: what its queues at both ends hold, and what fits into the kernel's buffers.
///
/// The kernel doubles SO_SNDBUF and SO_RCVBUF and limits them, so they are asked back. Its own bookkeeping comes out
/// of the same octets: the true capacity is less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    send_hwm: u64,
    recv_hwm: u64,
    send_buffer: usize,
    recv_buffer: usize,
}

impl Way {
    /// Of the options that the PUSH and PULL sockets are given.
    pub(crate) fn measure() -> Result<Self> {
        let options = feed_options();
        let probe =
            Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).context("a socket to ask for its buffers")?;
        if let Some(octets) = options.send_buffer {
            probe.set_send_buffer_size(octets)?;
        }
        if let Some(octets) = options.recv_buffer {
            probe.set_recv_buffer_size(octets)?;
        }
        Ok(Self {
            send_hwm: options.send_hwm.into(),
            recv_hwm: options.recv_hwm.into(),
            send_buffer: probe.send_buffer_size()?,
            recv_buffer: probe.recv_buffer_size()?,
        })
    }

    /// Messages at most.
    pub(crate) fn messages(&self) -> u64 {
        let frame = FRAME_HEADER + order::MESSAGE;
        self.send_hwm + self.recv_hwm + ((self.send_buffer + self.recv_buffer) / frame) as u64
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { send_hwm, recv_hwm, send_buffer, recv_buffer } = self;
        let octets = FRAME_HEADER + order::MESSAGE;
        write!(
            f,
            "SNDHWM {send_hwm} + RCVHWM {recv_hwm} + (SO_SNDBUF {send_buffer} + SO_RCVBUF {recv_buffer}) / {octets} octets"
        )
    }
}
