//! What a receiver has done, and how long repairs took.

/// What a receiver has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverStatistics {
    /// Packets of original data received.
    pub odata: u64,
    /// Repairs received.
    pub rdata: u64,
    /// SPMs received.
    pub spm: u64,
    /// Packets lost for good, as told by gaps.
    pub lost: u64,
    /// Of those, the ones that the source had let go.
    pub outrun: u64,
    /// Of those, the ones that did not come in time.
    pub given_up: u64,
    /// Packets that filled a hole.
    pub repaired: u64,
    /// Microseconds that holes were open, of those that a repair filled.
    pub repair_micros: u64,
    /// The longest of these times.
    pub repair_longest: u64,
    /// NAKs sent.
    pub naks: u64,
    /// Numbers in them.
    pub asked: u64,
    /// Numbers not asked for because another receiver had.
    pub suppressed: u64,
    /// Requests for an SPM sent.
    pub spmr: u64,
    /// Packets that had come before.
    pub duplicates: u64,
    /// Packets for which there was no room.
    pub refused: u64,
    /// Packets that were no PGM packets, or contradicted themselves.
    pub malformed: u64,
    /// Packets meant for others.
    pub foreign: u64,
    /// Packets of sources for which there was no place.
    pub unheard: u64,
    /// Sources that began anew under the same identifier.
    pub restarts: u64,
}

impl ReceiverStatistics {
    /// A hole was filled that was open for so many microseconds.
    pub(super) fn on_repair(&mut self, micros: u64) {
        self.repaired = self.repaired.saturating_add(1);
        self.repair_micros = self.repair_micros.saturating_add(micros);
        self.repair_longest = self.repair_longest.max(micros);
    }
}
