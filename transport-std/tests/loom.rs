//! The hand-overs between threads, in every order: `RUSTFLAGS="--cfg loom" cargo test -p omnimq --release --test loom`.
//!
//! The words themselves are the library's; what surrounds them is reduced to what the promise needs. A lost wake-up
//! shows as a deadlock, which loom reports.
//!
//! What the models are worth was tried by planting mistakes, one at a time; each of these turns at least the model named
//! red. Seat: entered without Acquire, left without Release, left in spite of a knock, the knock cleared before the read
//! (`seat_loses_no_edge`), a knock without Release or answered without Acquire (`reading_that_stopped_goes_on`), one's own
//! knock kept (`seat_loses_no_edge`). Bell: either fence left out, not rung, rung by everybody (`bell_loses_no_wake`),
//! a store for the swap of who goes to sleep (`nobody_sleeps_beside_a_message`). Watch: either fence left out, never
//! cleared, cleared after the look, wanted before the work is there (`watch_looks_again_…`). Starved: either fence left
//! out, no second look, credit returned after the answer, answered twice (`sender_at_the_mark_is_told_of_room`,
//! `reading_that_stopped_goes_on`), reading that is owed left undone (`reading_that_stopped_goes_on`). Post: the flag set
//! before the number, or cleared after the numbers were taken (`post_keeps_what_it_is_given`). Receive: the count of looks
//! not compared, compared too late or not kept, no ring, the lane found empty and not marked so
//! (`nobody_sleeps_beside_a_message`), counted after the post was taken
//! (`nobody_sleeps_beside_a_message_that_the_other_half_found`). Two changes stay without effect: Acquire on the knock of a seat that fell free, for
//! the swap that follows has it; and no second look at the mail, for who posts rings after it.
#![cfg(loom)]
#![allow(dead_code, reason = "the library uses the rest")]

#[path = "../src/runtime/interest.rs"]
mod interest;
#[path = "../src/runtime/seat.rs"]
mod seat;
#[path = "../src/sync.rs"]
mod sync;

use loom::sync::atomic::{AtomicU32, Ordering::*};
use loom::sync::{Arc, Mutex};
use loom::thread;
use omnimq_core::{Credit, Receipts};
use seat::{Bell, Post, Seat, Starved, Watch};
use sync::lock;

/// Tries every order with at most three preemptions; a bug that needs more has not been met.
fn model(play: impl Fn() + Sync + Send + 'static) {
    let mut orders = loom::model::Builder::new();
    orders.preemption_bound = Some(3);
    orders.check(play);
}

/// What wakes a sleeper: an eventfd.
struct Waker(loom::sync::Notify);

impl Waker {
    fn new() -> Self {
        Self(loom::sync::Notify::new())
    }
    fn wake(&self) {
        self.0.notify();
    }
    fn wait(&self) {
        self.0.wait();
    }
}

/// A stream whose edges come to several threads: bytes that arrived, and bytes read under the seat, not atomically.
struct Stream {
    seat: Seat,
    arrived: AtomicU32,
    read: AtomicU32,
    knocks: AtomicU32,
    stayed: AtomicU32,
}

impl Stream {
    fn on_edge(&self) {
        self.arrived.fetch_add(1, Relaxed);
        if !self.seat.enter() {
            self.knocks.fetch_add(1, Relaxed);
            return;
        }
        loop {
            // Two holders at once, or one that does not see what the last did, would lose some.
            let read = self.read.load(Relaxed);
            self.read.store(read + self.arrived.swap(0, Relaxed), Relaxed);
            if self.seat.leave() {
                return;
            }
            self.stayed.fetch_add(1, Relaxed);
        }
    }
}

/// Every byte is read by somebody after its edge, under one holder at a time, who stays for others' knocks only.
#[test]
fn seat_loses_no_edge() {
    model(|| {
        let stream = Arc::new(Stream {
            seat: Seat::new(),
            arrived: AtomicU32::new(0),
            read: AtomicU32::new(0),
            knocks: AtomicU32::new(0),
            stayed: AtomicU32::new(0),
        });
        let others: Vec<_> = (0..2)
            .map(|_| {
                let stream = stream.clone();
                thread::spawn(move || stream.on_edge())
            })
            .collect();
        stream.on_edge();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(stream.seat.enter(), "left by all");
        assert_eq!(stream.read.load(Relaxed), 3);
        assert!(stream.stayed.load(Relaxed) <= stream.knocks.load(Relaxed));
    });
}

/// The sleeper sees the work or is rung, and rung by one of two.
#[test]
fn bell_loses_no_wake() {
    struct Shared {
        bell: Bell,
        work: [AtomicU32; 2],
        rings: AtomicU32,
        waker: Waker,
    }
    model(|| {
        let work = [AtomicU32::new(0), AtomicU32::new(0)];
        let shared = Arc::new(Shared { bell: Bell::new(), work, rings: AtomicU32::new(0), waker: Waker::new() });
        let workers: Vec<_> = (0..2)
            .map(|n| {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared.work[n].store(1, Release);
                    if shared.bell.ring() {
                        shared.rings.fetch_add(1, Relaxed);
                        shared.waker.wake();
                    }
                })
            })
            .collect();
        shared.bell.going_to_sleep();
        if shared.work.iter().all(|work| work.load(Acquire) == 0) {
            shared.waker.wait();
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert!(shared.rings.load(Relaxed) <= 1, "one sleep, one ring");
    });
}

/// What is left undone under a lock is seen by a look that is still to come: the unwritten batches.
#[test]
fn watch_looks_again_at_batches() {
    model(|| {
        let shared = Arc::new((Watch::new(), Mutex::new(0), AtomicU32::new(0)));
        assert!(shared.0.want(), "armed by an earlier send");
        let io = shared.clone();
        let look = thread::spawn(move || {
            io.0.fired();
            let staged = std::mem::take(&mut *lock(&io.1));
            io.2.fetch_add(staged, Relaxed);
        });
        *lock(&shared.1) += 1;
        let armed = shared.0.want();
        look.join().unwrap();
        assert!(armed || shared.2.load(Relaxed) == 1);
    });
}

/// The same without a lock in between: the streams left unread.
#[test]
fn watch_looks_again_at_hot_streams() {
    model(|| {
        let shared = Arc::new((Watch::new(), AtomicU32::new(0), AtomicU32::new(0)));
        assert!(shared.0.want());
        let io = shared.clone();
        let look = thread::spawn(move || {
            io.0.fired();
            io.2.fetch_add(io.1.load(Relaxed), Relaxed);
        });
        shared.1.store(1, Relaxed);
        let armed = shared.0.want();
        look.join().unwrap();
        assert!(armed || shared.2.load(Relaxed) == 1);
    });
}

/// An outbound lane (`Outlet::room`, `Outbox::on_gone`).
struct Outbound {
    returned: AtomicU32,
    starved: Starved,
    queued: Mutex<u32>,
    told: Waker,
    announced: AtomicU32,
    answered: AtomicU32,
}

impl Outbound {
    fn new() -> Self {
        Self {
            returned: AtomicU32::new(0),
            starved: Starved::new(),
            queued: Mutex::new(0),
            told: Waker::new(),
            announced: AtomicU32::new(0),
            answered: AtomicU32::new(0),
        }
    }
    fn room(&self, credit: &mut Credit) -> u32 {
        credit.on_return(self.returned.load(Acquire));
        if credit.room() == 0 {
            self.starved.announce();
            self.announced.fetch_add(1, Relaxed);
            credit.on_return(self.returned.load(Acquire));
            if credit.room() > 0 {
                self.starved.withdraw();
            }
        }
        credit.room()
    }
    fn write(&self, hwm: u32, messages: u32) {
        let (mut receipts, mut gone) = (Receipts::new(hwm), 0);
        while gone < messages {
            let batch = std::mem::take(&mut *lock(&self.queued));
            if batch == 0 {
                thread::yield_now();
                continue;
            }
            gone += batch;
            if let Some(total) = receipts.on_read(batch) {
                self.returned.store(total, Release);
                if self.starved.answer() {
                    self.answered.fetch_add(1, Relaxed);
                    self.told.wake();
                }
            }
        }
    }
}

/// The outbound lane: a sender at the mark is told of room, whenever the writer returns it, and never for nothing.
#[test]
fn sender_at_the_mark_is_told_of_room() {
    const MESSAGES: u32 = 3;
    for hwm in [1, 2] {
        model(move || {
            let shared = Arc::new(Outbound::new());
            let io = shared.clone();
            let writer = thread::spawn(move || io.write(hwm, MESSAGES));
            let mut credit = Credit::new(hwm);
            for _ in 0..MESSAGES {
                while shared.room(&mut credit) == 0 {
                    shared.told.wait();
                }
                credit.on_commit(1);
                *lock(&shared.queued) += 1;
            }
            writer.join().unwrap();
            assert!(shared.answered.load(Relaxed) <= shared.announced.load(Relaxed));
        });
    }
}

/// An inbound lane and the stream it is filled from (`Intake::room`, `Inlet::done`, the read seat).
struct Inbound {
    seat: Seat,
    /// Under the seat: left in the stream, and the credit.
    reading: Mutex<(u32, Credit)>,
    lane: Mutex<u32>,
    returned: AtomicU32,
    paused: Starved,
}

impl Inbound {
    fn read(&self) {
        if !self.seat.enter() {
            return;
        }
        loop {
            let mut reading = lock(&self.reading);
            let (left, credit) = &mut *reading;
            while *left > 0 && self.room(credit) > 0 {
                credit.on_commit(1);
                *left -= 1;
                *lock(&self.lane) += 1;
            }
            drop(reading);
            if self.seat.leave() {
                return;
            }
        }
    }
    fn room(&self, credit: &mut Credit) -> u32 {
        if credit.room() == 0 {
            credit.on_return(self.returned.load(Acquire));
            if credit.room() == 0 {
                self.paused.announce();
                credit.on_return(self.returned.load(Acquire));
                if credit.room() > 0 {
                    self.paused.withdraw();
                }
            }
        }
        credit.room()
    }
    /// One message out of the lane; the reading it owes is done at once.
    fn take(&self, receipts: &mut Receipts) -> u32 {
        let mut lane = lock(&self.lane);
        if *lane == 0 {
            return 0;
        }
        *lane -= 1;
        drop(lane);
        if let Some(total) = receipts.on_read(1) {
            self.returned.store(total, Release);
            if self.paused.answer() {
                self.read();
            }
        }
        1
    }
}

/// The inbound lane: reading that stopped for want of credit is owed by whoever returned some.
#[test]
fn reading_that_stopped_goes_on() {
    const MESSAGES: u32 = 3;
    for hwm in [1, 2] {
        model(move || {
            let shared = Arc::new(Inbound {
                seat: Seat::new(),
                reading: Mutex::new((MESSAGES, Credit::new(hwm))),
                lane: Mutex::new(0),
                returned: AtomicU32::new(0),
                paused: Starved::new(),
            });
            let io = shared.clone();
            let edge = thread::spawn(move || io.read());
            let mut receipts = Receipts::new(hwm);
            let mut taken = shared.take(&mut receipts) + shared.take(&mut receipts);
            edge.join().unwrap();
            // No edge comes any more: what is left depends on what is owed.
            while shared.take(&mut receipts) == 1 {
                taken += 1;
            }
            assert_eq!(taken, MESSAGES);
        });
    }
}

/// Nothing posted is lost, however takes and posts meet.
#[test]
fn post_keeps_what_it_is_given() {
    model(|| {
        let post = Arc::new(Post::new());
        let posters: Vec<_> = [[1, 2], [3, 4]]
            .into_iter()
            .map(|ids| {
                let post = post.clone();
                thread::spawn(move || ids.into_iter().for_each(|id| post.push(id)))
            })
            .collect();
        let mut got = Vec::new();
        post.take(&mut got);
        post.take(&mut got);
        posters.into_iter().for_each(|poster| poster.join().unwrap());
        if !post.is_empty() {
            post.take(&mut got);
        }
        got.sort_unstable();
        assert_eq!(got, [1, 2, 3, 4]);
    });
}

/// All of it: a receive that finds nothing goes to sleep while the I/O thread fills the lane, posts the pipe, lets the
/// socket look and rings. Nobody sleeps while a message is in the lane.
struct Socket {
    /// The lane: messages, and whether the socket wants to be told of the next.
    lane: Mutex<(u32, bool)>,
    mail: Post<u32>,
    pumped: AtomicU32,
    /// Under the socket's lock: whether the pipe is in the fair queue.
    core: Mutex<bool>,
    reader: Bell,
    waker: Waker,
}

impl Socket {
    fn new() -> Self {
        Self {
            lane: Mutex::new((0, true)),
            mail: Post::new(),
            pumped: AtomicU32::new(0),
            core: Mutex::new(false),
            reader: Bell::new(),
            waker: Waker::new(),
        }
    }
    fn pump(&self, core: &mut bool) {
        if !self.mail.is_empty() {
            self.pumped.fetch_add(1, Release);
            let mut posted = Vec::new();
            self.mail.take(&mut posted);
            *core |= !posted.is_empty();
        }
    }
    /// The I/O thread has read a message for an application that is away.
    fn bring(&self) {
        self.deliver(|| self.pump(&mut lock(&self.core)));
    }
    /// A socket of this process has sent a message: it leaves the look to others.
    fn tell(&self) {
        self.deliver(|| {});
    }
    fn deliver(&self, look: impl FnOnce()) {
        let mut lane = lock(&self.lane);
        lane.0 += 1;
        let news = std::mem::take(&mut lane.1);
        drop(lane);
        if news {
            self.mail.push(0);
            look();
            if self.reader.ring() {
                self.waker.wake();
            }
        }
    }
    /// A message, or the number of looks when there was none.
    fn get(&self) -> Result<(), u32> {
        let mut core = lock(&self.core);
        self.pump(&mut core);
        if *core {
            let mut lane = lock(&self.lane);
            if lane.0 > 0 {
                lane.0 -= 1;
                return Ok(());
            }
            lane.1 = true;
            *core = false;
        }
        Err(self.pumped.load(Acquire))
    }
    fn recv(&self) {
        loop {
            let Err(pumped) = self.get() else { return };
            self.reader.going_to_sleep();
            if self.mail.is_empty() && self.pumped.load(Acquire) == pumped {
                self.waker.wait();
            }
            self.reader.woke();
        }
    }
}

#[test]
fn nobody_sleeps_beside_a_message() {
    model(|| {
        let socket = Arc::new(Socket::new());
        let io = socket.clone();
        let reads = thread::spawn(move || {
            io.bring();
            io.bring();
        });
        socket.recv();
        socket.recv();
        reads.join().unwrap();
    });
}

/// The same with two I/O threads, as several sockets' threads and a sender's own look may meet.
#[test]
fn nobody_sleeps_beside_messages_of_two_threads() {
    model(|| {
        let socket = Arc::new(Socket::new());
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let io = socket.clone();
                thread::spawn(move || io.bring())
            })
            .collect();
        socket.recv();
        socket.recv();
        threads.into_iter().for_each(|io| io.join().unwrap());
    });
}

/// A message from a socket of this process, while the half that sends looks at the post for its own ends.
#[test]
fn nobody_sleeps_beside_a_message_that_the_other_half_found() {
    model(|| {
        let socket = Arc::new(Socket::new());
        let (peer, half) = (socket.clone(), socket.clone());
        let tells = thread::spawn(move || peer.tell());
        let sends = thread::spawn(move || half.pump(&mut lock(&half.core)));
        socket.recv();
        tells.join().unwrap();
        sends.join().unwrap();
    });
}

/// A task that is woken through its waker hears of everything, also when it is polled in between for no reason.
#[test]
fn an_interest_is_never_lost() {
    struct Woken(Waker);
    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.wake();
        }
    }
    model(|| {
        let interest = Arc::new(interest::Interest::new());
        let published = Arc::new(AtomicU32::new(0));
        let teller = {
            let (interest, published) = (interest.clone(), published.clone());
            thread::spawn(move || {
                for n in 1..=2 {
                    published.store(n, Release);
                    interest.ring();
                }
            })
        };
        let woken = std::sync::Arc::new(Woken(Waker::new()));
        let waker = std::task::Waker::from(woken.clone());
        for polled_for_no_reason in [true, false, false, false] {
            interest.announce(&waker);
            if published.load(Acquire) == 2 {
                break;
            }
            if !polled_for_no_reason {
                woken.0.wait();
            }
        }
        teller.join().unwrap();
        assert_eq!(published.load(Relaxed), 2);
    });
}
