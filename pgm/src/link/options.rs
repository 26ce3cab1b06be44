//! What a link may be told: libzmq's options, and what libzmq has no option for.

use super::{LinkError, Warning};
use crate::receiver::ReceiverConfig;
use crate::session::window_of;
use crate::source::SourceConfig;
use core::net::IpAddr;
use std::vec::Vec;

/// How a session runs over a link. Defaults are libzmq's where it has the option.
///
/// ```
/// let mut options = omnimq_pgm::link::LinkOptions::default();
/// options.rate = 100_000; // 100 Mbit/s
/// options.recovery = 1_000; // repaired for a second: a window of 12.5 MB
/// assert!(options.window_bytes > 12_500_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkOptions {
    /// Kilobits per second, with all headers (ZMQ_RATE; by default 100); 0 = no limit. Receivers size their window by it,
    /// so both sides should have the same.
    pub rate: u32,
    /// How long what was sent can be repaired, in milliseconds (ZMQ_RECOVERY_IVL; by default 10,000). Without a limit of
    /// the rate it is `window_bytes` that counts.
    pub recovery: u32,
    /// Time to live of packets to the group (ZMQ_MULTICAST_HOPS; by default 1).
    pub hops: u8,
    /// Octets of the longest packet with its IP header (ZMQ_MULTICAST_MAXTPDU; by default 1500).
    pub max_tpdu: u16,
    /// Whether sockets on the sending host hear the session too (ZMQ_MULTICAST_LOOP; by default not).
    pub loopback: bool,
    /// The type of service of all packets; by default 0xb8, expedited forwarding.
    pub tos: u8,
    /// Octets that a window may take on either side; by default 64 MiB.
    pub window_bytes: usize,
    /// Octets of the receive buffer; by default chosen by the rate.
    pub receive_buffer: Option<usize>,
    /// The only sources to be heard, of an IPv4 group; empty for all.
    pub sources: Vec<IpAddr>,
    /// Whether packets may leave and arrive in large units that the kernel cuts and joins, over UDP. By default they do.
    pub offload: bool,
    /// Further settings of a source; rate and windows are taken from the fields above.
    pub source: SourceConfig,
    /// Further settings of a receiver; windows are taken from the fields above.
    pub receiver: ReceiverConfig,
    /// Octets of the longest frame that is received (ZMQ_MAXMSGSIZE; by default not limited).
    pub max_frame: u64,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self {
            rate: 100,
            recovery: 10_000,
            hops: 1,
            max_tpdu: 1500,
            loopback: false,
            tos: 0xb8,
            window_bytes: 64 << 20,
            receive_buffer: None,
            sources: Vec::new(),
            offload: true,
            source: SourceConfig::DEFAULT,
            receiver: ReceiverConfig::DEFAULT,
            max_frame: u64::MAX >> 1,
        }
    }
}

/// Receive buffers hold what the rate gives in this many milliseconds...
const BUFFERED_MILLIS: u64 = 50;
/// ...and this much at least and at most.
const BUFFER: core::ops::RangeInclusive<u64> = (1 << 20)..=(64 << 20);

/// Packets of a receiver's window at least: what one read may bring, of which nothing has been delivered.
const READ: u32 = 1024;

impl LinkOptions {
    /// Octets per second.
    fn octets(&self) -> u64 {
        u64::from(self.rate).saturating_mul(125)
    }
    /// Packets of a window. Small packets fill it by number, full ones by octets.
    fn window(&self) -> u32 {
        match self.rate {
            0 => u32::MAX,
            rate => window_of(self.recovery, rate, self.max_tpdu),
        }
    }
    pub(super) fn source_config(&self) -> SourceConfig {
        SourceConfig { rate: self.octets(), window: self.window(), window_bytes: self.window_bytes, ..self.source }
    }
    pub(super) fn receiver_config(&self, seed: u64) -> ReceiverConfig {
        let give_up = core::time::Duration::from_millis(u64::from(self.recovery)).max(self.receiver.patience * 4);
        let window = self.window().max(READ);
        ReceiverConfig { window, window_bytes: self.window_bytes, give_up, seed, ..self.receiver }
    }
    pub(super) fn buffer(&self) -> usize {
        let octets = if self.rate == 0 { u64::MAX } else { self.octets() };
        let wanted = (octets.saturating_mul(BUFFERED_MILLIS) / 1000).clamp(*BUFFER.start(), *BUFFER.end());
        self.receive_buffer.unwrap_or_else(|| usize::try_from(wanted).unwrap_or(usize::MAX))
    }
    /// The shortfall of the window, if the cap in octets makes it smaller than rate and recovery interval ask for.
    pub(super) fn window_warning(&self) -> Option<Warning> {
        let wanted = u64::from(self.window()).saturating_mul(u64::from(self.max_tpdu));
        let granted = self.window_bytes;
        (self.rate > 0 && wanted > granted as u64).then_some(Warning::Window { wanted, granted })
    }
    pub(super) fn check(&self, max_tsdu: usize) -> Result<(), LinkError> {
        // Two octets of offset and one of the stream.
        if max_tsdu < 3 { Err(LinkError::PacketsTooSmall) } else { Ok(()) }
    }
}
