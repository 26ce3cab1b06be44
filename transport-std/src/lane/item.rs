//! What an inbound lane holds: messages, in the form that they came in, and gaps between them.

use omnimq_core::{Blob, Frame};
use std::collections::VecDeque;

/// Whole messages, one way or the other.
pub(super) enum Item {
    /// In ZMTP 3.x framing.
    Run(Blob),
    /// A message of one frame.
    Frame(Frame<Blob>),
    /// A message of several.
    Frames(VecDeque<Frame<Blob>>),
    /// So many packets of a multicast session are missing between the messages before and after.
    Gap(u64),
}

impl Item {
    /// The message of these frames and a last one.
    pub(super) fn message(others: &mut VecDeque<Frame<Blob>>, last: Frame<Blob>) -> Self {
        if others.is_empty() {
            return Self::Frame(last);
        }
        others.push_back(last);
        Self::Frames(std::mem::take(others))
    }
    /// Octets, with the headers of frames.
    pub(super) fn octets(&self) -> usize {
        // RFC 37: one octet of flags, one or eight of length.
        let with_header = |frame: &Frame<Blob>| frame.body.len() + if frame.body.len() > 255 { 9 } else { 2 };
        match self {
            Self::Run(run) => run.len(),
            Self::Frame(frame) => with_header(frame),
            Self::Frames(frames) => frames.iter().map(with_header).sum(),
            Self::Gap(_) => 0,
        }
    }
}
