//! A lane that takes runs of whole messages, and one that refuses most of them.

use omnimq_core::wire::{FrameHeader, Framing};
use omnimq_core::{Frame, Front, Input, PipeReader, PipeWriter, Refusal, Signal, Sink};
use std::ops::Range;

/// `L`, and whole runs of at most `most` messages.
pub(crate) struct Runs<L> {
    pub lane: L,
    pub most: u32,
    /// Messages that have come in runs.
    pub taken: u32,
}

impl<L: PipeWriter + Clone> PipeWriter for Runs<L> {
    type Body = L::Body;
    const RUNS: bool = true;
    fn room(&mut self) -> u32 {
        self.lane.room()
    }
    fn hwm(&self) -> u32 {
        self.lane.hwm()
    }
    fn set_hwm(&mut self, hwm: u32) {
        self.lane.set_hwm(hwm);
    }
    fn write(&mut self, frame: Frame<L::Body>) -> Result<(), (Frame<L::Body>, Refusal)> {
        self.lane.write(frame)
    }
    fn write_run<I: Input<L::Body> + ?Sized>(
        &mut self,
        input: &I,
        range: Range<usize>,
        messages: u32,
    ) -> Result<(), Refusal> {
        assert!(messages > 0 && messages <= self.lane.room(), "no more than there is room for");
        if messages > self.most {
            return Err(Refusal::Full);
        }
        let mut lane = self.lane.clone();
        let (mut at, mut ended) = (range.start, 0);
        while at < range.end {
            let header = FrameHeader::parse(Framing::V3, &input.bytes()[at..range.end]);
            let (header, used) = header.unwrap().expect("a run ends where a frame ends");
            assert!(!header.command, "a run has no commands");
            let end = at + used + usize::try_from(header.len).unwrap();
            assert!(end <= range.end, "a run ends where a frame ends");
            let body = input.body(at + used..end).ok_or(Refusal::TooLarge)?;
            lane.write(Frame { body, more: header.more }).map_err(|(_, refusal)| refusal)?;
            ended += u32::from(!header.more);
            at = end;
        }
        assert_eq!(ended, messages, "the count is right");
        assert!(input.bytes().get(at..).is_some());
        self.lane = lane;
        self.taken += messages;
        Ok(())
    }
    fn rollback(&mut self) {
        self.lane.rollback();
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        self.lane.signal(signal)
    }
}

impl<L: PipeReader> PipeReader for Runs<L> {
    type Body = L::Body;
    type Key = L::Key;
    fn front(&mut self) -> Option<Front> {
        self.lane.front()
    }
    fn lend(&self, from: usize, sink: &mut impl Sink<L::Body>) -> usize {
        self.lane.lend(from, sink)
    }
    fn read(&mut self) -> Option<Frame<L::Body>> {
        self.lane.read()
    }
    fn skip(&mut self) {
        self.lane.skip();
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        self.lane.front_signal()
    }
    fn pop_signal(&mut self) -> Option<Signal<L::Key>> {
        self.lane.pop_signal()
    }
}
