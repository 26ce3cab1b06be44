//! From packets into a lane.

use super::run::Run;
use super::{NONE, OFFSET_LEN};
use omnimq_core::flow::Inflow;
use omnimq_core::wire::Framing;
use omnimq_core::{Body, CloseReason, Frame, Input, PipeWriter};

/// What became of a packet's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// All of it is in the lane, or was to be skipped.
    Done,
    /// The lane has no room: offer the rest again later.
    Full,
    /// It is no stream of ZeroMQ messages, or a message is larger than may be kept: the message is given up, and the
    /// stream goes on where the next packet says that a message begins.
    Broken(CloseReason),
}

/// Takes the stream of one source apart into a lane.
#[derive(Debug)]
pub struct Unpacker<B: Body> {
    inflow: Inflow<B>,
    max_frame_len: u64,
    max_frames: u32,
    state: State,
}

/// Where in the stream the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Unknown: it has to be found.
    Apart,
    /// After a frame that ends a message, or within the first frame of one.
    First,
    /// So many frames of a message are in the lane, and more follow.
    Within(u32),
}

impl<B: Body> Unpacker<B> {
    /// Waits for the first message to begin. Frames have at most `max_frame_len` octets, messages at most
    /// `max_frames` frames.
    pub const fn new(max_frame_len: u64, max_frames: u32) -> Self {
        Self { inflow: Inflow::new(Framing::V1, max_frame_len), max_frame_len, max_frames, state: State::Apart }
    }
    /// Packets are missing: the message in progress, if there is one, will not come.
    pub fn handle_gap<W: PipeWriter<Body = B>>(&mut self, lane: &mut W) {
        if matches!(self.state, State::Within(_)) {
            lane.rollback();
        }
        self.inflow = Inflow::new(Framing::V1, self.max_frame_len);
        self.state = State::Apart;
    }
    /// Takes the data of the next packet from `at` on, which is 0 at first and moves. What is not taken is to be offered
    /// again.
    pub fn unpack<I, W>(&mut self, tsdu: &I, at: &mut usize, lane: &mut W) -> Unpacked
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        let begun = if *at == 0 { self.begin(tsdu.bytes(), at, lane) } else { Ok(()) };
        match begun.and_then(|()| self.frames(tsdu, at, lane)) {
            Ok(true) => Unpacked::Done,
            Ok(false) => Unpacked::Full,
            Err(reason) => {
                *at = tsdu.bytes().len();
                self.handle_gap(lane);
                Unpacked::Broken(reason)
            }
        }
    }
    /// Reads the offset and finds the place in the stream.
    fn begin<W: PipeWriter<Body = B>>(&mut self, tsdu: &[u8], at: &mut usize, lane: &mut W) -> Result<(), CloseReason> {
        const MALFORMED: CloseReason = CloseReason::Protocol(omnimq_core::wire::WireError::BadGreeting);
        let (offset, stream) = tsdu.split_first_chunk::<OFFSET_LEN>().ok_or(MALFORMED)?;
        let offset = match u16::from_be_bytes(*offset) {
            NONE => None,
            offset => Some(usize::from(offset)),
        };
        // libzmq gives the length of the stream when the packet ends a message and none begins in it.
        if offset.is_some_and(|offset| offset > stream.len()) {
            return Err(MALFORMED);
        }
        *at = OFFSET_LEN;
        if self.state == State::First && self.inflow.is_boundary() && offset != Some(0) && !stream.is_empty() {
            // A message begins with this packet, and the packet says it does not: the stream is another one.
            self.handle_gap(lane);
        }
        if self.state == State::Apart {
            match offset {
                Some(offset) => {
                    *at = at.saturating_add(offset);
                    self.state = State::First;
                }
                None => *at = tsdu.len(),
            }
        }
        Ok(())
    }
    /// Passes the frames on; false when the lane is full.
    fn frames<I, W>(&mut self, tsdu: &I, at: &mut usize, lane: &mut W) -> Result<bool, CloseReason>
    where
        I: Input<B> + ?Sized,
        W: PipeWriter<Body = B>,
    {
        while *at < tsdu.bytes().len() || self.inflow.is_complete() {
            if W::RUNS && self.state == State::First && self.inflow.is_boundary() && self.run(tsdu.bytes(), at, lane)? {
                continue;
            }
            let Some(header) = self.inflow.poll(tsdu, at)? else { return Ok(true) };
            let before = match self.state {
                State::Within(frames) => frames,
                _ if !lane.writable() => return Ok(false),
                _ => 0,
            };
            if before >= self.max_frames {
                return Err(CloseReason::Limit(omnimq_core::Limit::Frames));
            }
            let body = self.inflow.take(header, tsdu, at, 0).ok_or(CloseReason::TooLarge)?;
            // From here on a frame that is refused has begun a message that the lane has to forget.
            self.state = State::Within(before.saturating_add(1));
            lane.write(Frame { body, more: header.more }).map_err(|_| CloseReason::TooLarge)?;
            if !header.more {
                self.state = State::First;
            }
        }
        Ok(true)
    }
    /// Passes on in one piece what there is of several whole messages; false when there are not.
    fn run<W: PipeWriter<Body = B>>(&self, tsdu: &[u8], at: &mut usize, lane: &mut W) -> Result<bool, CloseReason> {
        let stream = tsdu.get(*at..).unwrap_or_default();
        let run = Run::scan(stream, self.max_frame_len, lane.room(), self.max_frames);
        if run.messages < 2 {
            return Ok(false);
        }
        let whole = run.turn(stream).ok_or(CloseReason::TooLarge)?;
        lane.write_run(&whole, 0..whole.bytes().len(), run.messages).map_err(|_| CloseReason::TooLarge)?;
        *at = at.saturating_add(run.len);
        Ok(true)
    }
}
