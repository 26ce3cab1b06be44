//! A run of whole messages in received octets, so that a host can pass many on without looking at each twice.

/// The longest prefix of some octets that is made of whole messages, in ZMTP 3.x framing and without commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Octets of the run: a frame begins behind it, or the octets end.
    pub len: usize,
    /// Messages in the run.
    pub messages: usize,
}

impl Run {
    /// Measures the run at the front of `bytes`, which begin with a frame header of a message's first frame.
    ///
    /// It ends before a command, before a message with a frame that is incomplete, longer than `max_frame_len`
    /// or otherwise not in order, before one of more than `max_frames` frames, and after `max_messages` messages. What ends it is for the
    /// [`Decoder`](super::Decoder) to say. A long message that arrives in small pieces is measured again at each
    /// call: call it for fresh octets only.
    ///
    /// ```
    /// use omnimq_core::wire::Run;
    ///
    /// let octets = b"\0\x01a\x01\x01b\0\x01c\x01\x01d";
    /// assert_eq!(Run::scan(octets, 100, usize::MAX, u32::MAX), Run { len: 9, messages: 2 });
    /// ```
    #[inline]
    pub fn scan(bytes: &[u8], max_frame_len: u64, max_messages: usize, max_frames: u32) -> Self {
        let (mut run, mut rest, mut left) = (Self::default(), bytes, max_frames);
        while run.messages < max_messages {
            let Some((more, next)) = skip_frame(rest, max_frame_len) else { break };
            rest = next;
            let Some(others) = left.checked_sub(1) else { break };
            left = others;
            if !more {
                left = max_frames;
                run.len = bytes.len().saturating_sub(rest.len());
                run.messages = run.messages.saturating_add(1);
            }
        }
        run
    }
}

/// Whether MORE is set in the frame at the front of `bytes`, and what follows the frame.
#[inline]
fn skip_frame(bytes: &[u8], max: u64) -> Option<(bool, &[u8])> {
    match bytes {
        [flags, len, rest @ ..] if flags & 6 == 0 => {
            let rest = (u64::from(*len) <= max).then(|| rest.get(usize::from(*len)..))??;
            Some((flags & 1 != 0, rest))
        }
        [flags, rest @ ..] if flags & 6 == 2 => Some((flags & 1 != 0, skip_long(rest, max)?)),
        _ => None,
    }
}

/// What follows a frame with a long length.
fn skip_long(bytes: &[u8], max: u64) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = u64::from_be_bytes(*len);
    if len > max.min(super::MAX_FRAME_LEN) {
        return None;
    }
    rest.get(usize::try_from(len).ok()?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_table() {
        let all = usize::MAX;
        type Case = (&'static [u8], u64, usize, (usize, usize));
        let table: &[Case] = &[
            (b"", 9, all, (0, 0)),
            (b"\0", 9, all, (0, 0)),
            (b"\0\0", 9, all, (2, 1)),
            (b"\0\x02a", 9, all, (0, 0)),
            (b"\0\x02ab", 9, all, (4, 1)),
            (b"\0\x02ab", 1, all, (0, 0)),
            (b"\0\x02ab\0", 9, all, (4, 1)),
            (b"\0\0\0\0\0\0", 9, 2, (4, 2)),
            (b"\0\0\0\0\0\0", 9, 0, (0, 0)),
            (b"\x01\x01a\x01\0\0\x01b", 9, all, (8, 1)),
            (b"\0\0\x01\x01a\x01\0", 9, all, (2, 1)),
            (b"\0\0\x04\x05\x04PONG\0\0", 9, all, (2, 1)),
            (b"\x01\0\x04\x05\x04PONG\0\0", 9, all, (0, 0)),
            (b"\xf8\x01a", 9, all, (3, 1)),
            (b"\x02\0\0\0\0\0\0\0\x01a\0\0", 9, all, (12, 2)),
            (b"\x02\0\0\0\0\0\0\0\x0aabcdefghij", 9, all, (0, 0)),
            (b"\x02\0\0\0\0\0\0\0\x0aabcdefghij", 10, all, (19, 1)),
            (b"\x02\x80\0\0\0\0\0\0\0", u64::MAX, all, (0, 0)),
            (b"\x02\0\0\0\0\0\0\0", u64::MAX, all, (0, 0)),
        ];
        for (octets, max, messages, (len, count)) in table {
            let run = Run { len: *len, messages: *count };
            assert_eq!(Run::scan(octets, *max, *messages, u32::MAX), run, "{octets:02x?} {max} {messages}");
        }
    }

    #[test]
    fn scan_ends_before_a_message_of_too_many_frames() {
        let octets = b"\x01\0\0\0\0\0\x01\0\x01\0\0\0\0\0";
        for (frames, len, messages) in [(0, 0, 0), (1, 0, 0), (2, 6, 2), (3, 14, 4)] {
            assert_eq!(Run::scan(octets, 9, usize::MAX, frames), Run { len, messages }, "{frames}");
        }
    }
}
