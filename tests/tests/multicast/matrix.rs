//! Both transports, both families, each direction, three rates of loss, three sizes: complete, in order, byte-equal.
//!
//! All are sprayed with malformed and foreign packets throughout: those of ours alone with every kind, the others with the
//! kinds that libzmq survives.
//!
//! libzmq as a receiver may stall for good after a loss that it could not repair in time. Such a cell is repeated once
//! and said so; ours is never repeated.

use crate::ours;
use omnimq_tests::multicast::{Heard, Host, Net, Program, Whose, available, endpoint};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Copy, Debug)]
struct Cell {
    transport: &'static str,
    six: bool,
    publisher: Whose,
    subscriber: Whose,
    /// Thousandths.
    loss: u32,
    count: u64,
    size: usize,
}

impl Cell {
    /// Kilobits per second: what libzmq bears at this loss, while ours alone may go faster.
    const fn rate(&self) -> u32 {
        match (self.publisher, self.subscriber, self.loss) {
            (Whose::Ours, Whose::Ours, _) => 100_000,
            (_, _, 0) => 100_000,
            (_, _, 1..=10) => 50_000,
            _ => 20_000,
        }
    }
    fn run(&self) -> Heard {
        let net = Net::new();
        if self.loss > 0 {
            net.lose(Host::B, self.loss);
        }
        let (from, to) = (endpoint(self.transport, self.six, Host::A), endpoint(self.transport, self.six, Host::B));
        let words = [
            format!("count={}", self.count),
            format!("size={}", self.size),
            format!("rate={}", self.rate()),
            "recovery=10000".to_owned(),
            "idle=12000".to_owned(),
            // A unit is lost as a whole: towards libzmq packets leave one by one, so that losses are spread.
            format!("offload={}", u8::from(self.publisher == self.subscriber)),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let subscriber = Program::start(&net, Host::B, self.subscriber, ours(), &[&["sub", &to], words.as_slice()].concat());
        net.await_member(Host::B, &to, 1);
        let mut publisher =
            Program::start(&net, Host::A, self.publisher, ours(), &[&["pub", &from], words.as_slice()].concat());
        let spray = Spray::start(&net, &from, self.kinds());
        publisher.go();
        let heard = subscriber.heard();
        publisher.stop();
        drop(spray);
        heard
    }
    /// What kinds of packets that nobody should send come all the time.
    const fn kinds(&self) -> u32 {
        match (self.publisher, self.subscriber) {
            (Whose::Ours, Whose::Ours) => Spray::ALL,
            (Whose::Theirs, _) => Spray::ALL & !Spray::CUT,
            (_, Whose::Theirs) => Spray::ALL & !Spray::CUT & !Spray::DATA,
        }
    }
    /// Whether everything came. The first packets may be lost before the receiver can know of the stream: it joins
    /// where it hears it first.
    const fn is_whole(&self, heard: Heard) -> bool {
        let joined = self.loss > 0 && heard.first * 20 <= self.count;
        (heard.first == 0 || joined)
            && heard.received + heard.first == self.count
            && heard.missing + heard.disorder + heard.corrupt == 0
    }
}

/// A program that sends packets that nobody should send, until this is dropped.
pub(crate) struct Spray(Child);

impl Spray {
    /// All kinds, by the numbers of `tests/src/bin/pgm/spray.rs`.
    pub(crate) const ALL: u32 = 31;
    /// Datagrams that are cut off within the header. libzmq ends its process: as a publisher by an assertion on
    /// `dummy_bytes` (src/pgm_socket.cpp:654), as a subscriber by one on `status` (:612).
    const CUT: u32 = 1;
    /// Data of other sources that is no stream of messages. libzmq as a subscriber ends its process by an assertion on
    /// `offset` (src/pgm_receiver.cpp:236); as a publisher it does not look.
    const DATA: u32 = 16;

    /// To the session of `endpoint`, from host A.
    pub(crate) fn start(net: &Net, endpoint: &str, kinds: u32) -> Self {
        let mut command = net.command(Host::A, ours());
        command.args(["spray", endpoint, "count=10000000", "every=200", "seed=7", &format!("kinds={kinds}")]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut String::new()).expect("it is ready");
        Self(child)
    }
}

impl Drop for Spray {
    fn drop(&mut self) {
        let early = self.0.try_wait().expect("a child");
        let _ = self.0.kill();
        let _ = self.0.wait();
        // Where a test has failed already, that is what is to be told.
        assert!(std::thread::panicking() || early.is_none(), "it ended by itself: {early:?}");
    }
}

fn cells() -> Vec<Cell> {
    let mut cells = vec![];
    for (count, size) in [(20, 1_000_000), (2000, 1000), (2000, 100)] {
        for loss in [50, 10, 0] {
            for transport in ["epgm", "pgm"] {
                for six in [false, true] {
                    for (publisher, subscriber) in
                        [(Whose::Ours, Whose::Theirs), (Whose::Theirs, Whose::Ours), (Whose::Ours, Whose::Ours)]
                    {
                        cells.push(Cell { transport, six, publisher, subscriber, loss, count, size });
                    }
                }
            }
        }
    }
    cells
}

/// Runs cells on several threads, the longest first: most of the time they wait for the rate.
#[test]
fn every_cell_is_complete_in_order_and_equal() {
    if !available() {
        return;
    }
    let (cells, next, failed) = (cells(), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut heard = cell.run();
                    if !cell.is_whole(heard) && cell.subscriber == Whose::Theirs {
                        println!("REPEATED, libzmq as the receiver stalled: {cell:?} {heard:?}");
                        heard = cell.run();
                    }
                    println!("{cell:?} {heard:?}");
                    if !cell.is_whole(heard) {
                        failed.lock().expect("no panic").push((*cell, heard));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no panic");
    assert!(failed.is_empty(), "{} of {} cells failed: {failed:#?}", failed.len(), cells.len());
}
