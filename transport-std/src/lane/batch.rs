//! Messages in ZMTP 3.x framing: octets, and large bodies by reference between them.

use super::Traffic;
use super::item::Item;
use omnimq_core::wire::{FrameHeader, Framing, MAX_HEADER};
use omnimq_core::{Blob, Frame};
use std::collections::VecDeque;
use std::io::IoSlice;

/// A piece of a [`Batch`].
enum Segment {
    Image(Vec<u8>),
    Body(Blob),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Image(bytes) => bytes,
            Self::Body(body) => body,
        }
    }
}

/// Whole messages in ZMTP 3.x framing, and at the end perhaps the beginning of one.
#[derive(Default)]
pub(crate) struct Batch {
    front: Vec<Segment>,
    /// What follows `front`.
    tail: Vec<u8>,
    /// Octets in all.
    len: usize,
    /// Whole messages.
    messages: u32,
    mark: Mark,
}

/// The end of the last whole message of a [`Batch`].
#[derive(Clone, Copy, Default)]
struct Mark {
    segments: usize,
    /// Octets of the tail at that time.
    tail: usize,
    /// Octets in all.
    len: usize,
}

/// A frame in a [`Batch`].
#[cfg(any(test, all(feature = "pgm", target_os = "linux")))]
pub(crate) struct InBatch<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) more: bool,
    /// The segment and the octet where the next frame begins.
    pub(crate) next: (usize, usize),
}

/// Octets of a buffer that an empty batch keeps for the next messages.
const KEEP: usize = 256 << 10;

/// Octets of a new buffer at least: an envelope and a small body without moving.
const FIRST: usize = 128;

/// How far a batch has been written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Octets that have gone.
    pub(crate) written: usize,
    /// Segment, offset in it and offset in all of the first message not entirely gone.
    segment: usize,
    offset: usize,
    at: usize,
    /// Whether some frame of that message has gone entirely.
    torn: bool,
    /// Messages that have gone entirely.
    messages: u32,
}

impl Progress {
    /// Messages that have gone entirely.
    pub(crate) fn messages(&self) -> u32 {
        self.messages
    }
}

impl Batch {
    /// Octets in all, the uncommitted ones included.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
    /// Whole messages.
    pub(crate) fn messages(&self) -> u32 {
        self.messages
    }
    /// Its whole messages.
    pub(super) fn traffic(&self) -> Traffic {
        Traffic::new(self.messages, self.mark.len)
    }
    fn header(&mut self, len: usize, more: bool) {
        let mut octets = [0; MAX_HEADER];
        let used = FrameHeader { more, command: false, len: len as u64 }.emit(Framing::V3, &mut octets);
        self.tail.extend_from_slice(&octets[..used]);
        self.len += used;
    }
    /// Appends a frame, copying its body.
    #[inline]
    pub(crate) fn push(&mut self, body: &[u8], more: bool) {
        let room = body.len() + MAX_HEADER;
        if self.tail.capacity() - self.tail.len() < room {
            self.grow(room);
        }
        match u8::try_from(body.len()) {
            // The short header, by far the most frequent.
            Ok(len) => {
                self.tail.extend_from_slice(&[u8::from(more), len]);
                self.len += 2;
            }
            Err(_) => self.header(body.len(), more),
        }
        self.tail.extend_from_slice(body);
        self.len += body.len();
        if !more {
            self.commit();
        }
    }
    #[cold]
    fn grow(&mut self, room: usize) {
        self.tail.reserve(room.max(FIRST));
    }
    /// Appends a frame, keeping its body by reference.
    pub(crate) fn push_body(&mut self, body: Blob, more: bool) {
        self.header(body.len(), more);
        self.len += body.len();
        self.front.push(Segment::Image(std::mem::take(&mut self.tail)));
        self.front.push(Segment::Body(body));
        if !more {
            self.commit();
        }
    }
    #[inline]
    fn end(&self) -> Mark {
        Mark { segments: self.front.len(), tail: self.tail.len(), len: self.len }
    }
    #[inline]
    fn commit(&mut self) {
        self.messages += 1;
        self.mark = self.end();
    }
    /// Forgets the frames after the last whole message.
    pub(crate) fn rollback(&mut self) {
        let Mark { segments, tail, len } = self.mark;
        if self.front.len() > segments {
            self.front.truncate(segments + 1);
            if let Some(Segment::Image(bytes)) = self.front.pop() {
                self.tail = bytes;
            }
        }
        self.tail.truncate(tail);
        self.len = len;
    }
    /// Takes the whole messages; what follows them stays.
    pub(crate) fn take(&mut self) -> Self {
        let mut taken = std::mem::take(self);
        if taken.len == taken.mark.len {
            return taken;
        }
        let Mark { segments, tail, len } = taken.mark;
        self.front = taken.front.split_off(segments);
        if let Some(Segment::Image(first)) = self.front.first_mut() {
            let open = first.split_off(tail);
            let committed = std::mem::replace(first, open);
            self.tail = std::mem::replace(&mut taken.tail, committed);
        } else {
            self.tail = taken.tail.split_off(tail);
        }
        self.len = taken.len - len;
        taken.len = len;
        taken
    }
    /// Appends the whole messages of `other`, which has nothing else.
    pub(crate) fn append(&mut self, mut other: Self) {
        if self.len == 0 {
            *self = other;
            return;
        }
        if other.front.is_empty() {
            self.tail.extend_from_slice(&other.tail);
        } else {
            if !self.tail.is_empty() {
                self.front.push(Segment::Image(std::mem::take(&mut self.tail)));
            }
            self.front.append(&mut other.front);
            self.tail = other.tail;
        }
        self.len += other.len;
        self.messages += other.messages;
        self.mark = self.end();
    }
    /// Forgets everything, keeping a modest buffer.
    pub(crate) fn clear(&mut self) {
        self.front.clear();
        self.tail.clear();
        if self.tail.capacity() > KEEP {
            self.tail = Vec::new();
        }
        (self.len, self.messages, self.mark) = (0, 0, Mark::default());
    }
    fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.front.iter().map(Segment::bytes).chain([self.tail.as_slice()])
    }
    /// What follows the first `written` octets, if there are no large bodies.
    #[inline]
    pub(crate) fn rest(&self, written: usize) -> Option<&[u8]> {
        if self.front.is_empty() { self.tail.get(written..) } else { None }
    }
    /// Fills `slices` with what follows the first `written` octets; returns how many are filled.
    pub(crate) fn slices<'a>(&'a self, mut written: usize, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for bytes in self.segments() {
            let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) else {
                written = written.saturating_sub(bytes.len());
                continue;
            };
            written = 0;
            let Some(slice) = slices.get_mut(filled) else { break };
            *slice = IoSlice::new(rest);
            filled += 1;
        }
        filled
    }
    /// The frame that begins at `offset` of segment `segment`, or of the next one if that is its end.
    #[cfg(any(test, all(feature = "pgm", target_os = "linux")))]
    pub(crate) fn frame_at(&self, (mut segment, mut offset): (usize, usize)) -> Option<InBatch<'_>> {
        while offset >= self.segment(segment)?.len() {
            (segment, offset) = (segment + 1, 0);
        }
        let octets = self.segment(segment)?.get(offset..)?;
        let (header, used) = FrameHeader::parse(Framing::V3, octets).ok()??;
        let len = usize::try_from(header.len).ok()?;
        let more = header.more;
        if len > 0 && used == octets.len() {
            // The body is kept by reference, in a segment of its own.
            return Some(InBatch { body: self.segment(segment + 1)?, more, next: (segment + 2, 0) });
        }
        Some(InBatch { body: octets.get(used..used + len)?, more, next: (segment, offset + used + len) })
    }
    fn segment(&self, n: usize) -> Option<&[u8]> {
        if n == self.front.len() { Some(&self.tail) } else { Some(self.front.get(n)?.bytes()) }
    }
    /// The end of the message that begins at `from`: where the next begins, and whether a frame of it ends by `written`.
    fn message_end(&self, from: &Progress) -> Option<Progress> {
        let mut next = Progress { torn: false, ..*from };
        loop {
            let bytes = self.segment(next.segment)?;
            if next.offset == bytes.len() {
                next.segment += 1;
                next.offset = 0;
                continue;
            }
            let (header, used) = FrameHeader::parse(Framing::V3, bytes.get(next.offset..)?).ok()??;
            let len = header.len as usize;
            next.offset += used;
            if next.offset + len > bytes.len() {
                // A large body: the next segment, all of it.
                next.segment += 1;
                next.offset = len;
            } else {
                next.offset += len;
            }
            next.at += used + len;
            if !header.more {
                return Some(next);
            }
            next.torn |= next.at <= from.written;
        }
    }
    /// `n` more octets have gone; returns how many messages were completed by them.
    pub(crate) fn advance(&self, progress: &mut Progress, n: usize) -> u32 {
        progress.written += n;
        if progress.written == self.len {
            return self.messages - std::mem::replace(&mut progress.messages, self.messages);
        }
        let mut completed = 0;
        while progress.at < progress.written {
            let Some(end) = self.message_end(progress) else { break };
            if end.at > progress.written {
                progress.torn = end.torn;
                break;
            }
            *progress = Progress { torn: false, ..end };
            completed += 1;
        }
        progress.messages += completed;
        completed
    }
    /// What has to be sent again after the stream was lost at `progress`: the message under way only if no frame of
    /// it has gone entirely. Returns it with the number of messages dropped.
    pub(crate) fn remainder(self, mut progress: Progress) -> (Self, u32) {
        let mut dropped = 0;
        if progress.written == self.len {
            return (Self::default(), 0);
        }
        if progress.torn {
            match self.message_end(&progress) {
                Some(end) => (progress, dropped) = (Progress { written: end.at, ..end }, 1),
                None => return (Self::default(), 0),
            }
        }
        let mut rest = Self::default();
        while let Some(end) = self.message_end(&progress) {
            self.copy(&progress, &end, &mut rest);
            progress = end;
        }
        (rest, dropped)
    }
    /// Forgets the messages before the last one, all of them whole; returns what they were.
    pub(super) fn keep_last(&mut self) -> Traffic {
        if self.messages <= 1 {
            return Traffic::default();
        }
        let (mut last, mut kept) = (Progress::default(), Self::default());
        while let Some(end) = self.message_end(&last) {
            if end.at == self.len {
                self.copy(&last, &end, &mut kept);
                break;
            }
            last = end;
        }
        let given_up = Traffic::new(self.messages - kept.messages, self.len - kept.len);
        *self = kept;
        given_up
    }
    /// Its messages, which are whole: as one run, or frame by frame when there are large bodies.
    pub(super) fn into_items(self, mut put: impl FnMut(Item)) {
        if self.front.is_empty() {
            return put(Item::Run(Blob::from(self.tail)));
        }
        let (mut message, mut announced) = (VecDeque::new(), None);
        let mut take = |body: Blob, more: bool| {
            let frame = Frame { body, more };
            if more {
                message.push_back(frame);
            } else {
                put(Item::message(&mut message, frame));
            }
        };
        for segment in self.front.into_iter().chain([Segment::Image(self.tail)]) {
            let image = match segment {
                Segment::Image(bytes) => Blob::from(bytes),
                Segment::Body(body) => {
                    take(body, announced.take().unwrap_or_default());
                    continue;
                }
            };
            let mut at = 0;
            while let Some((header, used)) = image.get(at..).and_then(|rest| FrameHeader::parse(Framing::V3, rest).ok()?) {
                let start = at + used;
                at = start + header.len as usize;
                match image.slice(start..at) {
                    Some(body) => take(body, header.more),
                    // The body is the next segment.
                    None => announced = Some(header.more),
                }
            }
        }
    }
    /// Appends the message between two places to `to`.
    fn copy(&self, from: &Progress, end: &Progress, to: &mut Self) {
        let (mut segment, mut offset, mut left) = (from.segment, from.offset, end.at - from.at);
        while left > 0 {
            let Some(bytes) = self.segment(segment) else { break };
            let piece = bytes.get(offset..).unwrap_or_default();
            let piece = piece.get(..left).unwrap_or(piece);
            match self.front.get(segment) {
                // What begins where a body ends begins in the next segment.
                _ if piece.is_empty() => {}
                Some(Segment::Body(body)) => {
                    to.front.push(Segment::Image(std::mem::take(&mut to.tail)));
                    to.front.push(Segment::Body(body.clone()));
                }
                Some(Segment::Image(_)) | None => to.tail.extend_from_slice(piece),
            }
            to.len += piece.len();
            left -= piece.len();
            segment += 1;
            offset = 0;
        }
        to.commit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(batch: &Batch) -> Vec<u8> {
        batch.segments().flatten().copied().collect()
    }

    fn big(n: u8) -> Blob {
        Blob::from(vec![n; 20_000])
    }

    fn sample() -> Batch {
        let mut batch = Batch::default();
        batch.push(b"one", false);
        batch.push(b"two", true);
        batch.push_body(big(2), true);
        batch.push(b"end", false);
        batch.push_body(big(3), false);
        batch.push(b"", false);
        batch
    }

    #[test]
    fn counts_messages_as_they_go() {
        let batch = sample();
        assert_eq!((batch.messages(), batch.len()), (4, 5 + 5 + 20_009 + 5 + 20_009 + 2));
        for step in [1, 2, 3, 7, 1000, 50_000] {
            let (mut progress, mut messages) = (Progress::default(), 0);
            while progress.written < batch.len() {
                let n = step.min(batch.len() - progress.written);
                messages += batch.advance(&mut progress, n);
            }
            assert_eq!(messages, 4, "step {step}");
        }
    }

    #[test]
    fn items_are_its_messages() {
        let (mut items, seen) = (Vec::new(), |frame: &Frame<Blob>| (frame.body.len(), frame.more));
        sample().into_items(|item| match item {
            Item::Run(_) | Item::Gap(_) => panic!("there are large bodies"),
            Item::Frame(frame) => items.push(vec![seen(&frame)]),
            Item::Frames(frames) => items.push(frames.iter().map(seen).collect()),
        });
        let two = vec![(3, true), (20_000, true), (3, false)];
        assert_eq!(items, [vec![(3, false)], two, vec![(20_000, false)], vec![(0, false)]]);
        let mut small = Batch::default();
        small.push(b"one", true);
        small.push(b"two", false);
        small.into_items(|item| assert!(matches!(item, Item::Run(run) if &run[..] == b"\x01\x03one\x00\x03two")));
    }

    #[test]
    fn the_last_message_is_kept_whole() {
        let whole = sample();
        let mut batch = sample();
        batch.push(b"head", true);
        batch.push_body(big(4), true);
        batch.push(b"tail", false);
        let last: Vec<u8> = octets(&batch)[whole.len()..].to_vec();
        assert_eq!(batch.keep_last(), whole.traffic());
        assert_eq!((batch.messages(), octets(&batch)), (1, last));
        assert_eq!(batch.keep_last(), Traffic::default(), "it is the last already");
        batch.push(b"new", false);
        assert_eq!(batch.keep_last().messages, 1);
        assert_eq!(octets(&batch), b"\x00\x03new");
    }

    #[test]
    fn slices_continue_where_writing_stopped() {
        let batch = sample();
        let all = octets(&batch);
        for written in [0, 1, 5, 11, 19, 20_020, 20_024, 40_034, all.len() - 1, all.len()] {
            let mut slices = [IoSlice::new(&[]); 16];
            let n = batch.slices(written, &mut slices);
            assert!(
                slices[..n].iter().flat_map(|slice| slice.iter().copied()).eq(all[written..].iter().copied()),
                "{written}"
            );
        }
    }

    #[test]
    fn lost_stream_repeats_what_no_frame_has_gone_of() {
        let lens = [5, 5 + 20_009 + 5, 20_009, 2];
        let all = octets(&sample());
        for cut in 0..=all.len() {
            if cut > 40 && cut < 19_990 || cut > 20_060 && cut < 39_990 {
                continue;
            }
            let batch = sample();
            let mut progress = Progress::default();
            batch.advance(&mut progress, cut);
            let (rest, dropped) = batch.remainder(progress);
            let (mut start, mut n) = (0, 0);
            while n < 4 && start + lens[n] <= cut {
                start += lens[n];
                n += 1;
            }
            // Only the second message has several frames; its first takes five octets.
            let torn = n == 1 && cut >= start + 5;
            if torn {
                start += lens[n];
            }
            assert_eq!(dropped, u32::from(torn), "cut {cut}");
            assert!(octets(&rest) == all[start..], "cut {cut}");
            assert_eq!(rest.messages(), (4 - n) as u32 - dropped, "cut {cut}");
        }
    }

    #[test]
    fn rollback_and_take_leave_whole_messages() {
        for large in [false, true] {
            let mut batch = sample();
            let whole = octets(&batch);
            batch.push(b"half", true);
            if large {
                batch.push_body(big(9), true);
            }
            let mut copy = sample();
            copy.push(b"half", true);
            if large {
                copy.push_body(big(9), true);
            }
            let open = octets(&copy)[whole.len()..].to_vec();
            let taken = copy.take();
            assert!((octets(&taken), taken.messages()) == (whole.clone(), 4));
            assert!((octets(&copy), copy.messages(), copy.len()) == (open, 0, copy.segments().flatten().count()));
            copy.push(b"", false);
            assert_eq!(copy.messages(), 1);
            batch.rollback();
            assert!((octets(&batch), batch.len(), batch.messages()) == (whole.clone(), whole.len(), 4));
            batch.append(copy);
            assert_eq!(batch.messages(), 5);
            assert_eq!(batch.len(), octets(&batch).len());
        }
    }
}
