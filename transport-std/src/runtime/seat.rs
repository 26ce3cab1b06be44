//! The hand-over between an application and the I/O thread, reduced to its shared words so that loom can try every order.

use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering, fence, lock};
use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// A try-lock whose loser leaves a knock: the holder may not leave without having seen it.
///
/// ```text
/// FREE --enter--> HELD --leave--> FREE
///                  | enter by another: lost
///                  v
///             HELD + KNOCK --leave--> HELD (refused: look again)
/// ```
pub(crate) struct Seat(AtomicU32);

const FREE: u32 = 0;
const HELD: u32 = 1;
const KNOCK: u32 = 2;

impl Seat {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(FREE))
    }
    /// True: the seat is ours. False: whoever holds it will look once more.
    pub(crate) fn enter(&self) -> bool {
        if self.0.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok() {
            return true;
        }
        if self.0.fetch_or(HELD | KNOCK, AcqRel) & HELD != 0 {
            return false;
        }
        // It fell free in between: ours, and the knock was our own.
        self.0.swap(HELD, Acquire);
        true
    }
    /// True: left. False: somebody knocked; it is still ours and we must look again.
    pub(crate) fn leave(&self) -> bool {
        if self.0.compare_exchange(HELD, FREE, Release, Relaxed).is_ok() {
            return true;
        }
        self.0.swap(HELD, Acquire);
        false
    }
}

/// One sleeper, many wakers: the sleeper announces itself, looks again, then sleeps.
pub(crate) struct Bell(AtomicU32);

/// What a [`Bell`]'s owner does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Awake,
    Asleep,
}

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;

impl Bell {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(AWAKE))
    }
    /// Call, then look for work once more, then sleep.
    pub(crate) fn going_to_sleep(&self) {
        // A swap, so that a ring that came too late for the last sleep comes before this one for all to see.
        self.0.swap(ASLEEP, AcqRel);
        fence(SeqCst);
    }
    pub(crate) fn woke(&self) {
        self.0.store(AWAKE, Relaxed);
    }
    pub(crate) fn state(&self) -> Rest {
        if self.0.load(SeqCst) == AWAKE { Rest::Awake } else { Rest::Asleep }
    }
    /// Call after publishing work. True: the caller, and nobody else, has to wake the sleeper.
    pub(crate) fn ring(&self) -> bool {
        fence(SeqCst);
        self.0.load(Relaxed) != AWAKE && self.0.swap(AWAKE, AcqRel) != AWAKE
    }
}

/// "Somebody will look before long": set by who leaves something undone, cleared by who looks.
pub(crate) struct Watch(AtomicBool);

impl Watch {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }
    /// Call after publishing what is left undone. True: the look has to be arranged.
    pub(crate) fn want(&self) -> bool {
        fence(SeqCst);
        !self.0.load(Relaxed) && !self.0.swap(true, AcqRel)
    }
    /// Call before looking for what was left undone.
    pub(crate) fn fired(&self) {
        self.0.store(false, SeqCst);
        fence(SeqCst);
    }
}

/// One side waits for what the other returns: credit that ran out, a queue that ran empty.
///
/// The waiter says so, looks again, and gives up; the returner publishes, looks here, and answers for it.
pub(crate) struct Starved(AtomicBool);

impl Starved {
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }
    /// Call, then look once more.
    pub(crate) fn announce(&self) {
        self.0.store(true, Relaxed);
        fence(SeqCst);
    }
    /// The second look was lucky.
    pub(crate) fn withdraw(&self) {
        self.0.store(false, Relaxed);
    }
    /// Call after publishing. True: the other side gave up and has to be told, by the caller alone.
    pub(crate) fn answer(&self) -> bool {
        fence(SeqCst);
        self.0.load(Relaxed) && self.0.swap(false, AcqRel)
    }
}

/// A set of numbers handed over: pipes with news. Cheap to find empty.
pub(crate) struct Post<Id> {
    any: AtomicBool,
    ids: Mutex<Vec<Id>>,
}

impl<Id> Post<Id> {
    pub(crate) fn new() -> Self {
        Self { any: AtomicBool::new(false), ids: Mutex::new(Vec::new()) }
    }
    pub(crate) fn push(&self, id: Id) {
        lock(&self.ids).push(id);
        self.any.store(true, Release);
    }
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Acquire)
    }
    /// Appends what was posted to `to`; false when there was nothing.
    ///
    /// The flag is cleared first: a number that is not seen here comes after the lock was let go, and its flag after that.
    pub(crate) fn take(&self, to: &mut Vec<Id>) -> bool {
        if !self.any.load(Relaxed) {
            return false;
        }
        // What the caller did before is seen by who finds this empty.
        self.any.store(false, Release);
        to.append(&mut lock(&self.ids));
        true
    }
}
