//! Frames of a byte stream, in and out, in any framing. `Connection`, PGM and STREAM are built on these two.

use crate::body::{Body, Draft, Input, Sink};
use crate::error::CloseReason;
use crate::pipe::{Front, PipeReader};
use crate::wire::{Decoder, FrameHeader, Framing, MAX_HEADER};

/// Inbound frames. Keeps at most one: the frame that straddles inputs.
pub struct Inflow<B: Body> {
    decoder: Decoder,
    draft: Option<B::Draft>,
}

impl<B: Body> Inflow<B> {
    pub fn new(framing: Framing, max: u64) -> Self {
        Self { decoder: Decoder::new(framing, max), draft: None }
    }
    /// The header of the next frame, once its whole body is at hand. Repeats until `take` or `discard`.
    #[inline]
    pub fn poll<I: Input<B> + ?Sized>(&mut self, input: &I, at: &mut usize) -> Result<Option<FrameHeader>, CloseReason> {
        let bytes = input.bytes();
        let Some(header) = self.decoder.header(bytes, at)? else { return Ok(None) };
        if self.draft.is_none() && header.len <= (bytes.len() - *at) as u64 {
            return Ok(Some(header));
        }
        self.fill(header, bytes, at)
    }
    fn fill(&mut self, header: FrameHeader, bytes: &[u8], at: &mut usize) -> Result<Option<FrameHeader>, CloseReason> {
        let draft = match &mut self.draft {
            Some(draft) => draft,
            empty => {
                let len = usize::try_from(header.len).map_err(|_| CloseReason::TooLarge)?;
                empty.insert(B::Draft::with_len(len).ok_or(CloseReason::TooLarge)?)
            }
        };
        while let Some(rest) = bytes.get(*at..).filter(|rest| !rest.is_empty() && draft.missing() > 0) {
            let space = draft.space();
            let n = rest.len().min(space.len());
            if let (Some(to), Some(from)) = (space.get_mut(..n), rest.get(..n)) {
                to.copy_from_slice(from);
            }
            draft.advance(n);
            *at += n;
        }
        Ok((draft.missing() == 0).then_some(header))
    }
    /// The polled frame's bytes, to look at.
    #[inline]
    pub fn bytes<'a, I: Input<B> + ?Sized>(&'a self, header: FrameHeader, input: &'a I, at: usize) -> &'a [u8] {
        match &self.draft {
            Some(draft) => draft.bytes(),
            None => input.bytes().get(at..at + header.len as usize).unwrap_or_default(),
        }
    }
    /// Finishes the polled frame and keeps its body, less the first `skip` bytes.
    #[inline]
    pub fn take<I: Input<B> + ?Sized>(&mut self, header: FrameHeader, input: &I, at: &mut usize, skip: usize) -> Option<B> {
        self.decoder.finish();
        match self.draft.take() {
            Some(draft) => Some(draft.freeze(skip)),
            None => {
                let end = *at + header.len as usize;
                let body = input.body(*at + skip..end);
                *at = end;
                body
            }
        }
    }
    /// Finishes the polled frame without keeping it.
    pub fn discard(&mut self, header: FrameHeader, at: &mut usize) {
        self.decoder.finish();
        if self.draft.take().is_none() {
            *at += header.len as usize;
        }
    }
    /// Where the next bytes of the stream belong, while a body is incomplete: read straight into it.
    pub fn wanted(&mut self) -> Option<&mut [u8]> {
        self.draft.as_mut().filter(|draft| draft.missing() > 0).map(Draft::space)
    }
    /// `n` bytes of `wanted` have been filled.
    pub fn filled(&mut self, n: usize) {
        if let Some(draft) = &mut self.draft {
            draft.advance(n);
        }
    }
}

/// Outbound frames: keeps an offset. The body stays in its pipe until it has gone.
pub struct Outflow {
    pub framing: Framing,
    pub sent: usize,
}

impl Outflow {
    pub const fn new(framing: Framing) -> Self {
        Self { framing, sent: 0 }
    }
    /// Offers the rest of the front frame; true when it has gone entirely.
    #[inline]
    pub fn frame<R: PipeReader>(&mut self, front: Front, pipe: &mut R, sink: &mut impl Sink<R::Body>) -> bool {
        let mut head = [0; MAX_HEADER];
        let header = FrameHeader { more: front.more, command: false, len: front.len as u64 };
        let used = header.emit(self.framing, &mut head);
        if self.sent < used {
            self.sent += sink.put(head.get(self.sent..used).unwrap_or_default());
            if self.sent < used {
                return false;
            }
        }
        if self.sent < used + front.len {
            self.sent += pipe.lend(self.sent - used, sink);
        }
        if self.sent < used + front.len {
            return false;
        }
        self.sent = 0;
        pipe.skip();
        true
    }
    /// Offers the rest of `pieces` taken as one run; true when all have gone.
    pub fn pieces<B>(&mut self, pieces: &[&[u8]], sink: &mut impl Sink<B>) -> bool {
        let mut start = 0;
        for piece in pieces {
            let from = self.sent.saturating_sub(start);
            if let Some(rest) = piece.get(from..).filter(|rest| !rest.is_empty()) {
                let n = sink.put(rest);
                self.sent += n;
                if n < rest.len() {
                    return false;
                }
            }
            start += piece.len();
        }
        self.sent = 0;
        true
    }
}
