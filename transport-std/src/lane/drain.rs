//! From a socket to a driver without a connection: the messages of an [`Outbox`], frame by frame.
//!
//! Signals go nowhere: who listens to a multicast group says nothing.

use super::{Batch, Outbox};
use crate::sync::lock;
use omnimq_core::{Blob, Frame, Front, PipeReader, Signal, Sink};
use std::sync::Arc;

/// The reading end of an outbound lane, for a driver that is its only reader.
pub(crate) struct Drain {
    outbox: Arc<Outbox>,
    batch: Batch,
    /// The segment and the octet where the next frame begins.
    at: (usize, usize),
    /// Messages that have gone and were not reported.
    gone: u32,
    /// The socket waits for room and has to be told.
    pub(crate) room: bool,
}

impl Drain {
    pub(crate) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox, batch: Batch::default(), at: (0, 0), gone: 0, room: false }
    }
    /// Reports what has gone; to be called before the driver waits.
    pub(crate) fn settle(&mut self) {
        let mut out = lock(&self.outbox.state);
        self.room |= self.outbox.on_gone(&mut out, std::mem::take(&mut self.gone));
    }
    fn refill(&mut self) -> bool {
        let mut out = lock(&self.outbox.state);
        self.room |= self.outbox.on_gone(&mut out, std::mem::take(&mut self.gone));
        out.signals.clear();
        if out.queue.len() == 0 {
            return false;
        }
        self.batch.clear();
        std::mem::swap(&mut self.batch, &mut out.queue);
        self.at = (0, 0);
        true
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        let mut out = lock(&self.outbox.state);
        out.closed = true;
        out.queue.clear();
        out.signals.clear();
    }
}

impl PipeReader for Drain {
    type Body = Blob;
    type Key = Blob;
    fn front(&mut self) -> Option<Front> {
        loop {
            if let Some(frame) = self.batch.frame_at(self.at) {
                return Some(Front { len: frame.body.len(), more: frame.more });
            }
            if !self.refill() {
                return None;
            }
        }
    }
    fn lend(&self, from: usize, sink: &mut impl Sink<Blob>) -> usize {
        let body = self.batch.frame_at(self.at).and_then(|frame| frame.body.get(from..));
        sink.put(body.unwrap_or_default())
    }
    fn read(&mut self) -> Option<Frame<Blob>> {
        self.front()?;
        let frame = self.batch.frame_at(self.at).map(|frame| Frame { body: Blob::from(frame.body), more: frame.more });
        self.skip();
        frame
    }
    fn skip(&mut self) {
        let Some((next, more)) = self.batch.frame_at(self.at).map(|frame| (frame.next, frame.more)) else { return };
        self.at = next;
        self.gone = self.gone.wrapping_add(u32::from(!more));
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        None
    }
    fn pop_signal(&mut self) -> Option<Signal<Blob>> {
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::lane::{BIG, Notices, Outlet};
    use omnimq_core::PipeWriter;

    #[test]
    fn frames_come_out_as_they_went_in_and_room_comes_back() {
        let notices = Arc::new(Notices::new(false));
        let (mut outlet, outbox) = Outlet::new(omnimq_core::PipeId(0), 1, 4, &notices);
        let mut drain = Drain::new(outbox);
        let bodies = [vec![1; 10], vec![], vec![2; 300], vec![3; BIG + 7], vec![4; 1]];
        let mut seen = Vec::new();
        for round in 0..10 {
            for (n, body) in bodies.iter().enumerate() {
                outlet.write(Frame { body: Blob::from(body.as_slice()), more: n % 2 == 0 && n < 4 }).unwrap();
            }
            outlet.publish();
            while let Some(front) = drain.front() {
                let frame = drain.read().unwrap();
                assert_eq!((front.len, front.more), (frame.body.len(), frame.more));
                seen.push(frame.body.to_vec());
            }
            drain.settle();
            assert_eq!(seen.len(), (round + 1) * bodies.len());
            assert_eq!(seen[round * bodies.len()..], bodies);
        }
    }
}
