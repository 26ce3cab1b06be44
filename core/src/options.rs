//! What a socket is told before it has pipes.

use crate::limits::Limits;

/// Options of a socket that its pattern and pipes look at. Defaults are libzmq's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Outbound high-water mark per pipe in messages; 0 = no limit.
    pub send_hwm: u32,
    /// Inbound high-water mark per pipe in messages; 0 = no limit.
    pub recv_hwm: u32,
    /// ROUTER: report unroutable messages instead of dropping them.
    pub mandatory: bool,
    /// ROUTER: a newcomer takes a known routing id over.
    pub handover: bool,
    /// Where generated routing ids and request ids begin: draw it at random.
    pub seed: u32,
    /// What peers may make the socket keep.
    pub limits: Limits,
}

impl Options {
    /// libzmq's defaults, with generated ids beginning at `seed`.
    pub const fn new(seed: u32) -> Self {
        Self { send_hwm: 1000, recv_hwm: 1000, mandatory: false, handover: false, seed, limits: Limits::DEFAULT }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new(1)
    }
}
