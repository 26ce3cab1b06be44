//! Lanes of every storage against a model that keeps whole messages in a list: the high-water mark is neither exceeded
//! nor under-used, messages are never torn, and a rollback leaves nothing.

use omnimq_core::storage::LocalStorage;
use omnimq_core::{Fixed, Frame, PipeReader, PipeWriter, Refusal, Sink};
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Debug)]
enum Step {
    /// A frame of so many octets, and whether more follow; the next two likewise.
    Write(usize, bool),
    WriteBytes(usize, bool),
    WriteShared(usize, bool),
    Rollback,
    Read,
    /// Lends this many octets at a time, then skips.
    Lend(usize),
    SetHwm(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = || prop_oneof![4 => 0_usize..12, 1 => 0_usize..40, 1 => 60_usize..64];
    let step = prop_oneof![
        4 => (len(), any::<bool>()).prop_map(|(len, more)| Step::Write(len, more)),
        2 => (len(), any::<bool>()).prop_map(|(len, more)| Step::WriteBytes(len, more)),
        2 => (len(), any::<bool>()).prop_map(|(len, more)| Step::WriteShared(len, more)),
        1 => Just(Step::Rollback),
        5 => Just(Step::Read),
        2 => (1_usize..9).prop_map(Step::Lend),
        1 => (0_u32..9).prop_map(Step::SetHwm),
    ];
    prop::collection::vec(step, 0..200)
}

/// The lane as it is meant: messages as lists of frames.
struct Model {
    hwm: u32,
    most: Option<u32>,
    octets: usize,
    open: Vec<(Vec<u8>, bool)>,
    waiting: VecDeque<(Vec<u8>, bool)>,
    messages: u32,
    unreported: u32,
}

impl Model {
    fn new(hwm: u32, most: Option<u32>, octets: usize) -> Self {
        let (open, waiting) = (Vec::new(), VecDeque::new());
        let mut model = Self { hwm: 0, most, octets, open, waiting, messages: 0, unreported: 0 };
        model.set_hwm(hwm);
        model
    }
    fn set_hwm(&mut self, hwm: u32) {
        self.hwm = match self.most {
            Some(most) if hwm == 0 || hwm > most => most,
            _ => hwm,
        };
        self.unreported = 0;
    }
    fn room(&self) -> u32 {
        if self.hwm == 0 { u32::MAX } else { self.hwm.saturating_sub(self.messages + self.unreported) }
    }
    fn write(&mut self, body: &[u8], more: bool) -> Result<(), Refusal> {
        if self.open.is_empty() && self.room() == 0 {
            return Err(Refusal::Full);
        }
        let used: usize = self.open.iter().map(|(body, _)| body.len() + 2).sum();
        if used + body.len() + 2 > self.octets {
            return Err(Refusal::TooLarge);
        }
        self.open.push((body.to_vec(), more));
        if !more {
            self.waiting.extend(self.open.drain(..));
            self.messages += 1;
        }
        Ok(())
    }
    fn read(&mut self) -> Option<(Vec<u8>, bool)> {
        let frame = self.waiting.pop_front()?;
        if !frame.1 {
            self.messages -= 1;
            self.unreported += 1;
            if self.hwm > 0 && self.unreported >= self.hwm.div_ceil(2) {
                self.unreported = 0;
            }
        }
        Some(frame)
    }
}

/// Takes a few octets at a time.
struct Sips(Vec<u8>, usize);

impl<B> Sink<B> for Sips {
    fn put(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.1);
        self.0.extend_from_slice(&bytes[..n]);
        n
    }
}

/// Does one step to the lane; what came of it, frames read included.
fn apply<L, B>(lane: &mut L, step: &Step, fill: u8) -> (Option<Refusal>, Option<(Vec<u8>, bool)>)
where
    L: PipeWriter<Body = B> + PipeReader<Body = B>,
    B: omnimq_core::Body,
{
    let body = |len: usize| vec![fill; len];
    let refused = |refusal: Result<(), Refusal>| (refusal.err(), None);
    match *step {
        Step::WriteBytes(len, more) => refused(lane.write_bytes(&body(len), more)),
        Step::Write(len, more) | Step::WriteShared(len, more) => {
            let Some(kept) = B::copy_from(&body(len)) else { return (Some(Refusal::TooLarge), None) };
            let frame = Frame { body: kept, more };
            if matches!(step, Step::WriteShared(..)) {
                return refused(lane.write_shared(&frame));
            }
            refused(lane.write(frame).map_err(|(frame, refusal)| {
                assert_eq!((frame.body.as_ref(), frame.more), (&body(len)[..], more), "the frame comes back");
                refusal
            }))
        }
        Step::Rollback => {
            lane.rollback();
            (None, None)
        }
        Step::Read => (None, lane.read().map(|frame| (frame.body.as_ref().to_vec(), frame.more))),
        Step::Lend(sip) => {
            let mut sips = Sips(Vec::new(), sip);
            let Some(front) = lane.front() else { return (None, None) };
            while sips.0.len() < front.len {
                assert!(lane.lend(sips.0.len(), &mut sips) > 0);
            }
            lane.skip();
            (None, Some((sips.0, front.more)))
        }
        Step::SetHwm(hwm) => {
            lane.set_hwm(hwm);
            (None, None)
        }
    }
}

/// `most` rows of `octets` each are what the storage has.
fn equals_model<S: LocalStorage>(hwm: u32, most: Option<u32>, octets: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut lane, mut model) = (S::lane(hwm), Model::new(hwm, most, octets));
    for (at, step) in steps.iter().enumerate() {
        let fill = at as u8;
        let came = apply(&mut lane, step, fill);
        let expected = match *step {
            Step::Write(len, more) | Step::WriteBytes(len, more) | Step::WriteShared(len, more) => {
                (model.write(&vec![fill; len], more).err(), None)
            }
            Step::Rollback => {
                model.open.clear();
                (None, None)
            }
            Step::Read | Step::Lend(_) => (None, model.read()),
            Step::SetHwm(hwm) => {
                model.set_hwm(hwm);
                (None, None)
            }
        };
        prop_assert_eq!(&came, &expected, "step {} {:?}", at, step);
        prop_assert_eq!((lane.hwm(), lane.room(), lane.writable()), (model.hwm, model.room(), model.room() > 0));
        let front = model.waiting.front().map(|(body, more)| (body.len(), *more));
        prop_assert_eq!(lane.front().map(|front| (front.len, front.more)), front);
    }
    Ok(())
}

type Small = Fixed<1, 6, 64, 1, 8>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn fixed_equals_the_model(hwm in 0_u32..9, steps in steps()) {
        equals_model::<Small>(hwm, Some(6), 64, &steps)?;
    }
}

#[test]
fn exactly_the_mark_is_taken_and_room_returns_by_halves() {
    fn check<S: LocalStorage>() {
        for hwm in 1..=6 {
            let mut lane = S::lane(hwm);
            for n in 0..hwm {
                assert_eq!(lane.room(), hwm - n);
                lane.write_bytes(b"a", true).unwrap();
                lane.write_bytes(b"b", false).unwrap();
            }
            assert_eq!(lane.write_bytes(b"one too many", false), Err(Refusal::Full));
            for read in 1..=hwm {
                lane.skip();
                lane.skip();
                let returned = read - read % hwm.div_ceil(2);
                assert_eq!(lane.room(), returned, "mark {hwm}, {read} read");
            }
            assert_eq!(lane.front(), None);
        }
    }
    check::<Small>();
    #[cfg(feature = "alloc")]
    check::<omnimq_core::Heap>();
}

#[test]
fn a_begun_message_is_finished_whatever_the_mark_says() {
    fn check<S: LocalStorage>() {
        let mut lane = S::lane(2);
        lane.write_bytes(b"first", false).unwrap();
        lane.write_bytes(b"begun", true).unwrap();
        lane.set_hwm(1);
        assert!(!lane.writable());
        lane.write_bytes(b"ended", false).unwrap();
        assert_eq!(lane.write_bytes(b"next", false), Err(Refusal::Full));
    }
    check::<Small>();
    #[cfg(feature = "alloc")]
    check::<omnimq_core::Heap>();
}

#[cfg(feature = "alloc")]
mod heap {
    use super::*;
    use omnimq_core::Heap;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn heap_equals_the_model(hwm in 0_u32..9, steps in steps()) {
            equals_model::<Heap>(hwm, None, usize::MAX, &steps)?;
        }

        /// Within Fixed's capacities: marks it can keep, messages that fit.
        #[test]
        fn fixed_and_heap_agree(hwm in 1_u32..7, steps in steps()) {
            type Large = Fixed<1, 6, 4096, 1, 8>;
            let (mut fixed, mut heap) = (Large::lane(hwm), Heap::lane(hwm));
            let mut begun = 0;
            for (at, step) in steps.iter().enumerate() {
                // A message ends at its thirtieth frame, so that it fits.
                let step = match *step {
                    Step::Write(len, _) if begun == 29 => Step::Write(len, false),
                    Step::WriteBytes(len, _) if begun == 29 => Step::WriteBytes(len, false),
                    Step::WriteShared(len, _) if begun == 29 => Step::WriteShared(len, false),
                    Step::SetHwm(hwm) => Step::SetHwm(hwm.clamp(1, 6)),
                    ref other => other.clone(),
                };
                let came = apply(&mut fixed, &step, at as u8);
                prop_assert_eq!(&came, &apply(&mut heap, &step, at as u8), "step {} {:?}", at, step);
                begun = match step {
                    Step::Write(_, true) | Step::WriteBytes(_, true) | Step::WriteShared(_, true) if came.0.is_none() => begun + 1,
                    Step::Read | Step::Lend(_) | Step::SetHwm(_) => begun,
                    _ if came.0.is_some() => begun,
                    _ => 0,
                };
                prop_assert_eq!(fixed.front(), heap.front());
                prop_assert_eq!((fixed.hwm(), fixed.room()), (heap.hwm(), heap.room()));
            }
        }
    }

    #[test]
    fn a_frame_shared_with_many_lanes_is_one_allocation() {
        let frame = Frame { body: omnimq_core::Blob::from(vec![1; 1000]), more: false };
        let mut lanes: Vec<_> = (0..10).map(|_| Heap::lane(1)).collect();
        lanes.iter_mut().for_each(|lane| lane.write_shared(&frame).unwrap());
        for lane in &mut lanes {
            assert_eq!(lane.read().unwrap().body.as_ptr(), frame.body.as_ptr());
        }
    }
}
