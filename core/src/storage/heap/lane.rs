//! A single-owner lane on the allocator.

use super::Blob;
use crate::body::{Frame, Sink};
use crate::error::Refusal;
use crate::pipe::{Credit, Front, PipeReader, PipeWriter, Receipts, Signal};
use alloc::collections::VecDeque;

/// A single-owner lane: both ends in one struct.
#[derive(Clone, Debug)]
pub struct Lane {
    frames: VecDeque<Frame<Blob>>,
    /// Frames at the back that belong to the uncommitted message.
    open: usize,
    credit: Credit,
    receipts: Receipts,
    signals: VecDeque<Signal<Blob>>,
    /// Octets that `signals` stand for.
    signalled: usize,
}

impl Lane {
    /// Octets of signals that may wait, keys and places together: 4 MiB, or one signal of any size.
    pub const SIGNALS: usize = 4 << 20;

    /// An empty lane of `hwm` messages; 0 = no limit.
    pub fn new(hwm: u32) -> Self {
        Self {
            frames: VecDeque::new(),
            open: 0,
            credit: Credit::new(hwm),
            receipts: Receipts::new(hwm),
            signals: VecDeque::new(),
            signalled: 0,
        }
    }
    /// The front frame, if a whole message is at hand.
    #[inline]
    fn visible(&self) -> Option<&Frame<Blob>> {
        if self.frames.len() > self.open { self.frames.front() } else { None }
    }
    fn cost(signal: Signal<&[u8]>) -> usize {
        let key = match signal {
            Signal::Ready(key) | Signal::Subscribe(key) | Signal::Cancel(key) => key.len(),
            Signal::Close(_) => 0,
        };
        key.saturating_add(size_of::<Signal<Blob>>())
    }
}

impl PipeWriter for Lane {
    type Body = Blob;
    #[inline]
    fn room(&mut self) -> u32 {
        self.credit.room()
    }
    fn hwm(&self) -> u32 {
        self.credit.hwm()
    }
    fn set_hwm(&mut self, hwm: u32) {
        self.credit.set_hwm(hwm);
        self.credit.on_return(self.receipts.set_hwm(hwm));
    }
    #[inline]
    fn write(&mut self, frame: Frame<Blob>) -> Result<(), (Frame<Blob>, Refusal)> {
        if self.open == 0 && !self.credit.available() {
            return Err((frame, Refusal::Full));
        }
        if frame.more {
            self.open = self.open.saturating_add(1);
        } else {
            self.open = 0;
            self.credit.on_commit(1);
        }
        self.frames.push_back(frame);
        Ok(())
    }
    fn rollback(&mut self) {
        self.frames.truncate(self.frames.len().saturating_sub(self.open));
        self.open = 0;
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        let total = self.signalled.saturating_add(Self::cost(signal));
        let closes = matches!(signal, Signal::Close(_));
        if total > Self::SIGNALS && !self.signals.is_empty() && !closes {
            return Err(Refusal::Full);
        }
        self.signals.push_back(signal.try_map(|key| Some(Blob::from(key))).ok_or(Refusal::TooLarge)?);
        self.signalled = total;
        Ok(())
    }
}

impl PipeReader for Lane {
    type Body = Blob;
    type Key = Blob;
    #[inline]
    fn front(&mut self) -> Option<Front> {
        self.visible().map(|frame| Front { len: frame.body.len(), more: frame.more })
    }
    #[inline]
    fn lend(&self, from: usize, sink: &mut impl Sink<Blob>) -> usize {
        self.visible().map_or(0, |frame| sink.put_body(&frame.body, from))
    }
    #[inline]
    fn read(&mut self) -> Option<Frame<Blob>> {
        self.visible()?;
        let frame = self.frames.pop_front()?;
        if !frame.more
            && let Some(total) = self.receipts.on_read(1)
        {
            self.credit.on_return(total);
        }
        Some(frame)
    }
    #[inline]
    fn skip(&mut self) {
        self.read();
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        self.signals.front().map(Signal::as_ref)
    }
    fn pop_signal(&mut self) -> Option<Signal<Blob>> {
        let signal = self.signals.pop_front()?;
        self.signalled = self.signalled.saturating_sub(Self::cost(signal.as_ref()));
        Some(signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::CloseReason;

    #[test]
    fn skipping_never_reaches_an_uncommitted_message() {
        let mut lane = Lane::new(0);
        lane.write_bytes(b"begun", true).unwrap();
        lane.skip();
        assert_eq!(lane.front(), None);
        lane.write_bytes(b"ended", false).unwrap();
        assert_eq!(lane.read().unwrap().body.as_ref(), b"begun");
    }

    #[test]
    fn waiting_signals_are_bounded_in_octets_and_none_is_lost() {
        let mut lane = Lane::new(1);
        let mut sent = 0_u32;
        while lane.signal(Signal::Subscribe(&[sent.to_le_bytes(); 250].concat())).is_ok() {
            sent += 1;
        }
        assert!((4000..4200).contains(&sent), "{sent} signals of 1000 octets");
        assert_eq!(lane.signal(Signal::Close(CloseReason::Unwanted)), Ok(()), "there is always room to close");
        for n in 0..sent {
            let Some(Signal::Subscribe(topic)) = lane.pop_signal() else { panic!("signal {n} is missing") };
            assert_eq!(topic[..4], n.to_le_bytes());
        }
        assert!(matches!(lane.pop_signal(), Some(Signal::Close(_))));
        assert_eq!((lane.signalled, lane.signals.len()), (0, 0));
    }

    #[test]
    fn a_signal_of_any_size_passes_an_empty_queue() {
        let mut lane = Lane::new(1);
        let huge = std::vec![0; 2 * Lane::SIGNALS];
        assert_eq!(lane.signal(Signal::Subscribe(&huge)), Ok(()));
        assert_eq!(lane.signal(Signal::Subscribe(b"next")), Err(Refusal::Full));
    }
}
