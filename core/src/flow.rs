//! Frames of a byte stream, in and out, in any framing, without ZMTP's handshake: `Connection`, PGM and STREAM
//! are built on these two.
//!
//! [`Inflow`] keeps at most one frame, the one that straddles inputs; [`Outflow`] keeps an offset. A frame is
//! polled again until it is taken or discarded: that is how a stalled pipe holds a stream back.

use crate::body::{Body, Draft, Input, Sink};
use crate::error::CloseReason;
use crate::pipe::{Front, PipeReader};
use crate::wire::{Decoder, FrameHeader, Framing, MAX_HEADER, WireError};
use core::fmt;
use core::ops::Range;

/// Inbound frames.
pub struct Inflow<B: Body> {
    decoder: Decoder,
    draft: Option<B::Draft>,
    /// No octet of the next frame has been taken from an input.
    boundary: bool,
}

impl<B: Body> Inflow<B> {
    /// A stream in `framing` whose frames have at most `max` octets.
    pub const fn new(framing: Framing, max: u64) -> Self {
        Self { decoder: Decoder::new(framing, max), draft: None, boundary: true }
    }
    /// The longest body allowed, in octets.
    #[inline]
    pub const fn max(&self) -> u64 {
        self.decoder.max
    }
    /// Whether the next octet is the first of a frame: nothing is kept here.
    #[inline]
    pub const fn is_boundary(&self) -> bool {
        self.boundary
    }
    /// The header of the frame in progress, before any of its body is kept.
    ///
    /// # Errors
    /// The header is malformed, or announces more than `max` octets.
    #[inline]
    pub fn header(&mut self, input: &[u8], at: &mut usize) -> Result<Option<FrameHeader>, CloseReason> {
        let before = *at;
        match self.decoder.header(input, at) {
            Ok(found) => {
                self.boundary = self.boundary && *at == before;
                Ok(found)
            }
            Err(error) => Err(refused(error)),
        }
    }
    /// Whether the whole body of the frame in progress is at hand, after keeping what there is of it if it is not.
    ///
    /// # Errors
    /// The storage cannot keep a body of this length.
    #[inline]
    pub fn gather(&mut self, header: FrameHeader, input: &[u8], at: &mut usize) -> Result<bool, CloseReason> {
        // Also a body that is only to be looked at: the answer must not depend on how it comes.
        if header.len > B::MAX_LEN {
            return Err(CloseReason::TooLarge);
        }
        if self.draft.is_none() && body(header, input, *at).is_some() {
            return Ok(true);
        }
        self.fill(header, input, at)
    }
    /// The header of the next frame, once its whole body is at hand. Repeats until `take` or `discard`.
    ///
    /// # Errors
    /// Those of [`header`](Self::header) and [`gather`](Self::gather).
    #[inline]
    pub fn poll<I: Input<B> + ?Sized>(&mut self, input: &I, at: &mut usize) -> Result<Option<FrameHeader>, CloseReason> {
        let Some(header) = self.header(input.bytes(), at)? else { return Ok(None) };
        Ok(self.gather(header, input.bytes(), at)?.then_some(header))
    }
    fn fill(&mut self, header: FrameHeader, input: &[u8], at: &mut usize) -> Result<bool, CloseReason> {
        let draft = match &mut self.draft {
            Some(draft) => draft,
            empty => {
                let len = usize::try_from(header.len).map_err(|_| CloseReason::TooLarge)?;
                empty.insert(B::Draft::with_len(len).ok_or(CloseReason::TooLarge)?)
            }
        };
        while draft.missing() > 0 {
            let rest = input.get(*at..).unwrap_or_default();
            let space = draft.space();
            let n = rest.len().min(space.len());
            if n == 0 {
                return Ok(false);
            }
            if let (Some(to), Some(from)) = (space.get_mut(..n), rest.get(..n)) {
                to.copy_from_slice(from);
            }
            draft.advance(n);
            *at = at.saturating_add(n);
        }
        Ok(true)
    }
    /// The polled frame's bytes, to look at.
    #[inline]
    pub fn bytes<'a, I: Input<B> + ?Sized>(&'a self, header: FrameHeader, input: &'a I, at: usize) -> &'a [u8] {
        match &self.draft {
            Some(draft) => draft.bytes(),
            None => body(header, input.bytes(), at).and_then(|range| input.bytes().get(range)).unwrap_or_default(),
        }
    }
    /// Finishes the polled frame and keeps its body, less the first `skip` bytes; `None` when it is too large to keep.
    #[inline]
    pub fn take<I: Input<B> + ?Sized>(&mut self, header: FrameHeader, input: &I, at: &mut usize, skip: usize) -> Option<B> {
        self.finish();
        if let Some(draft) = self.draft.take() {
            return Some(draft.freeze(skip));
        }
        let range = body(header, input.bytes(), *at)?;
        *at = range.end;
        input.body(range.start.saturating_add(skip).min(range.end)..range.end)
    }
    /// Finishes the polled frame without keeping it.
    pub fn discard(&mut self, header: FrameHeader, input: &[u8], at: &mut usize) {
        self.finish();
        if self.draft.take().is_none() {
            *at = body(header, input, *at).map_or(input.len(), |range| range.end);
        }
    }
    #[inline]
    fn finish(&mut self) {
        self.decoder.finish();
        self.boundary = true;
    }
    /// Whether a frame waits to be taken none of which is left in the input: its body is kept here, or it has none.
    pub fn is_complete(&self) -> bool {
        match &self.draft {
            Some(draft) => draft.missing() == 0,
            None => self.decoder.current().is_some_and(|header| header.len == 0),
        }
    }
    /// Where the next bytes of the stream belong, while a body is incomplete: read straight into it.
    pub fn wanted(&mut self) -> Option<&mut [u8]> {
        self.draft.as_mut().filter(|draft| draft.missing() > 0).map(Draft::space)
    }
    /// `n` bytes of `wanted` have been filled; more than there was room for counts as all of it.
    pub fn filled(&mut self, n: usize) {
        if let Some(draft) = &mut self.draft {
            let room = if draft.missing() > 0 { draft.space().len() } else { 0 };
            draft.advance(n.min(room));
        }
    }
    /// Takes out the body being received, if at least `least` octets of it are missing, to fill it elsewhere.
    /// It has to be [given back](Self::give_back) before the next input.
    pub fn lend(&mut self, least: usize) -> Option<B::Draft> {
        self.draft.take_if(|draft| draft.missing() >= least.max(1))
    }
    /// Puts back what [`lend`](Self::lend) took out.
    pub fn give_back(&mut self, draft: B::Draft) {
        self.draft = Some(draft);
    }
    /// Forgets the frame in progress.
    pub fn clear(&mut self) {
        self.decoder.reset();
        self.draft = None;
        self.boundary = true;
    }
}

impl<B: Body> fmt::Debug for Inflow<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.draft.as_ref().map(Draft::missing);
        f.debug_struct("Inflow").field("boundary", &self.boundary).field("missing", &missing).finish_non_exhaustive()
    }
}

/// Where the body of `header` stands in `input`, if all of it does.
#[inline]
fn body(header: FrameHeader, input: &[u8], at: usize) -> Option<Range<usize>> {
    let end = at.checked_add(usize::try_from(header.len).ok()?)?;
    (end <= input.len()).then_some(at..end)
}

#[cold]
fn refused(error: WireError) -> CloseReason {
    match error {
        WireError::Oversize => CloseReason::TooLarge,
        other => CloseReason::Protocol(other),
    }
}

/// Outbound frames. The body stays in its pipe until it has gone.
#[derive(Clone, Copy, Debug)]
pub struct Outflow {
    framing: Framing,
    sent: usize,
}

impl Outflow {
    /// A stream in `framing`.
    pub const fn new(framing: Framing) -> Self {
        Self { framing, sent: 0 }
    }
    /// Whether nothing is half sent.
    #[inline]
    pub const fn is_boundary(&self) -> bool {
        self.sent == 0
    }
    /// Offers the rest of the front frame; true when it has gone entirely, and left its pipe.
    #[inline]
    pub fn frame<R: PipeReader>(&mut self, front: Front, pipe: &mut R, sink: &mut impl Sink<R::Body>) -> bool {
        let mut head = [0; MAX_HEADER];
        let used = front_header(front).emit(self.framing, &mut head);
        if self.sent < used {
            self.sent = self.sent.saturating_add(sink.put(head.get(self.sent..used).unwrap_or_default()));
            if self.sent < used {
                return false;
            }
        }
        let end = used.saturating_add(front.len);
        if self.sent < end {
            self.sent = self.sent.saturating_add(pipe.lend(self.sent.saturating_sub(used), sink));
            if self.sent < end {
                return false;
            }
        }
        self.sent = 0;
        pipe.skip();
        true
    }
    /// Offers the rest of a single frame whose body is `pieces` put together; true when all of it has gone.
    pub fn composed<const N: usize, B>(&mut self, command: bool, pieces: [&[u8]; N], sink: &mut impl Sink<B>) -> bool {
        self.compose(command, &pieces, sink)
    }
    /// Not generic in the number of pieces, of which there are many.
    fn compose<B>(&mut self, command: bool, pieces: &[&[u8]], sink: &mut impl Sink<B>) -> bool {
        let len = pieces.iter().fold(0u64, |sum, piece| sum.saturating_add(piece.len() as u64));
        let mut head = [0; MAX_HEADER];
        let used = FrameHeader { more: false, command, len }.emit(self.framing, &mut head);
        let head = head.get(..used).unwrap_or_default();
        let gone = self.offer(0, &[head], sink) && self.offer(used, pieces, sink);
        if gone {
            self.sent = 0;
        }
        gone
    }
    /// Offers the rest of `octets`; true when all have gone.
    pub fn octets<B>(&mut self, octets: &[u8], sink: &mut impl Sink<B>) -> bool {
        let gone = self.upto(octets, sink);
        if gone {
            self.sent = 0;
        }
        gone
    }
    /// Offers the rest of `octets`, the beginning of a run that goes on; true when all have gone.
    pub fn upto<B>(&mut self, octets: &[u8], sink: &mut impl Sink<B>) -> bool {
        self.offer(0, &[octets], sink)
    }
    /// Offers the rest of `pieces`, which stand at `start` of a run; true when all have gone.
    fn offer<B>(&mut self, mut start: usize, pieces: &[&[u8]], sink: &mut impl Sink<B>) -> bool {
        for piece in pieces {
            let from = self.sent.saturating_sub(start);
            if let Some(rest) = piece.get(from..).filter(|rest| !rest.is_empty()) {
                let n = sink.put(rest);
                self.sent = self.sent.saturating_add(n);
                if n < rest.len() {
                    return false;
                }
            }
            start = start.saturating_add(piece.len());
        }
        true
    }
}

#[inline]
const fn front_header(front: Front) -> FrameHeader {
    FrameHeader { more: front.more, command: false, len: front.len as u64 }
}
