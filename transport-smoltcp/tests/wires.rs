//! Sockets over byte streams of `embedded-io` and `embedded-io-async`, on both storages.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async", feature = "nb"))]

use omnimq_core::{
    CloseReason, Event, Fixed, Heap, Instant, LocalStorage, Options, Pull, Push, RecvError, Rep, Req, SendErrorKind, Side,
};
use omnimq_smoltcp::WaitError;
use omnimq_smoltcp::nonblocking::Nb;
use omnimq_smoltcp::{asynch, io};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// One direction of a line: octets under way, and whether the writer has hung up.
#[derive(Default)]
struct Way {
    octets: RefCell<VecDeque<u8>>,
    ended: Cell<bool>,
}

/// One end of a line that takes up to 50 octets, and gives 7 at a time.
struct Line {
    from: Rc<Way>,
    to: Rc<Way>,
}

impl Line {
    fn pair() -> (Self, Self) {
        let (there, back) = (Rc::new(Way::default()), Rc::new(Way::default()));
        (Self { from: back.clone(), to: there.clone() }, Self { from: there, to: back })
    }
    fn take(&self, to: &mut [u8]) -> usize {
        let mut octets = self.from.octets.borrow_mut();
        let n = octets.len().min(to.len()).min(7);
        to.iter_mut().zip(octets.drain(..n)).for_each(|(to, from)| *to = from);
        n
    }
    fn give(&self, from: &[u8]) -> usize {
        let room = 50 - self.to.octets.borrow().len();
        let n = from.len().min(room);
        self.to.octets.borrow_mut().extend(&from[..n]);
        n
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.to.ended.set(true);
    }
}

#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the line is broken")
    }
}

impl std::error::Error for Broken {}

impl embedded_io::Error for Broken {
    fn kind(&self) -> embedded_io::ErrorKind {
        embedded_io::ErrorKind::BrokenPipe
    }
}

impl embedded_io::ErrorType for Line {
    type Error = Broken;
}

impl embedded_io::Read for Line {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Broken> {
        let n = self.take(to);
        if n == 0 && !self.from.ended.get() { Err(Broken) } else { Ok(n) }
    }
}

impl embedded_io::ReadReady for Line {
    fn read_ready(&mut self) -> Result<bool, Broken> {
        Ok(self.from.ended.get() || !self.from.octets.borrow().is_empty())
    }
}

impl embedded_io::Write for Line {
    fn write(&mut self, from: &[u8]) -> Result<usize, Broken> {
        Some(self.give(from)).filter(|n| *n > 0).ok_or(Broken)
    }
    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl embedded_io::WriteReady for Line {
    fn write_ready(&mut self) -> Result<bool, Broken> {
        Ok(self.to.octets.borrow().len() < 50)
    }
}

/// A line whose futures wait.
struct Slow(Line);

impl embedded_io::ErrorType for Slow {
    type Error = Broken;
}

impl embedded_io_async::Read for Slow {
    async fn read(&mut self, to: &mut [u8]) -> Result<usize, Broken> {
        std::future::poll_fn(|_| match self.0.take(to) {
            0 if !self.0.from.ended.get() => Poll::Pending,
            n => Poll::Ready(Ok(n)),
        })
        .await
    }
}

impl embedded_io_async::Write for Slow {
    async fn write(&mut self, from: &[u8]) -> Result<usize, Broken> {
        std::future::poll_fn(|_| match self.0.give(from) {
            0 => Poll::Pending,
            n => Poll::Ready(Ok(n)),
        })
        .await
    }
    async fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

const NOW: Instant = Instant::ZERO;

fn work_passes_without_waiting<S: LocalStorage>() {
    let (a, b) = Line::pair();
    let mut options = Options::default();
    (options.send_hwm, options.recv_hwm) = (4, 4);
    let mut push = io::Socket::<Push, S, _>::new(Push, options);
    let mut pull = io::Socket::<Pull, S, _>::new(Pull, options);
    push.attach(a, Side::Connect, NOW).ok().unwrap();
    let there = pull.attach(b, Side::Bind, NOW).ok().unwrap();
    // The reader is slower than the writer: both queues fill, and each side is told to come again.
    let (mut sent, mut heard, mut held_back, mut empty) = (0u8, 0u8, 0, 0);
    for turn in 0..10_000 {
        push.poll(NOW);
        pull.poll(NOW);
        if sent < 200 {
            match Nb(push.node()).send(&vec![sent; usize::from(sent % 60)], false) {
                Ok(()) => sent += 1,
                Err(error) => {
                    assert_eq!(error, nb::Error::WouldBlock);
                    held_back += 1;
                }
            }
        }
        if turn % 3 > 0 {
            continue;
        }
        match Nb(pull.node()).recv() {
            Ok(frame) => {
                assert_eq!(frame.body.as_ref(), vec![heard; usize::from(heard % 60)]);
                heard += 1;
            }
            Err(error) => {
                assert_eq!(error, nb::Error::WouldBlock);
                empty += 1;
            }
        }
        if heard == 200 {
            break;
        }
    }
    assert!(heard == 200 && held_back > 0 && empty > 0, "{heard}, {held_back}, {empty}");
    // The end of a line is heard behind what came over it, and another line takes its place.
    Nb(push.node()).send(b"last", false).unwrap();
    push.poll(NOW);
    drop(push);
    pull.poll(NOW);
    let told: Vec<_> = std::iter::from_fn(|| pull.poll_event()).map(|(_, event)| event).collect();
    assert_eq!(told, [Event::HandshakeSucceeded { minor: 1 }, Event::Closed(CloseReason::EndOfStream)]);
    assert_eq!(pull.node().recv().unwrap().body.as_ref(), b"last");
    assert!(pull.close(there).is_some());
    assert!(pull.attach(Line::pair().0, Side::Bind, NOW).is_ok(), "its place is free");
}

#[test]
fn work_passes_without_waiting_on_fixed() {
    work_passes_without_waiting::<Fixed<1, 4, 64>>();
}

#[test]
fn work_passes_without_waiting_on_heap() {
    work_passes_without_waiting::<Heap>();
}

#[test]
fn beyond_the_places_a_stream_comes_back() {
    let mut pull = io::Socket::<Pull, Fixed<1, 4, 64>, _>::new(Pull, Options::default());
    let (a, b) = Line::pair();
    assert!(pull.attach(a, Side::Bind, NOW).is_ok());
    assert!(pull.attach(b, Side::Bind, NOW).is_err());
}

#[test]
fn a_line_that_is_replaced_carries_what_was_left() {
    let mut push = io::Socket::<Push, Fixed<1, 4, 64>, _>::new(Push, Options::default());
    let mut pull = io::Socket::<Pull, Fixed<2, 4, 64>, _>::new(Pull, Options::default());
    let (a, b) = Line::pair();
    let id = push.attach(a, Side::Connect, NOW).ok().unwrap();
    drop(b);
    push.node().send_bytes(b"kept", false).unwrap();
    push.poll(NOW);
    assert_eq!(push.poll_event(), Some((id, Event::Closed(CloseReason::EndOfStream))));
    let (a, b) = Line::pair();
    assert!(push.replace(id, a, NOW).is_ok());
    pull.attach(b, Side::Bind, NOW).ok().unwrap();
    let frame = (0..100).find_map(|_| {
        push.poll(NOW);
        pull.poll(NOW);
        pull.node().recv().ok()
    });
    assert_eq!(frame.unwrap().body.as_ref(), b"kept");
}

/// A line that never ends: how often it is read, and whether for more than a piece.
#[derive(Default)]
struct Endless {
    reads: Rc<Cell<usize>>,
}

impl embedded_io::ErrorType for Endless {
    type Error = Broken;
}

impl embedded_io::Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Broken> {
        assert!((1..=64).contains(&to.len()), "{} octets at once", to.len());
        self.reads.set(self.reads.get() + 1);
        let greeting = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL"[..], &[0; 48]].concat();
        let ready = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH";
        let words: [&[u8]; 2] = [&greeting, ready];
        // Then one-octet messages for ever.
        let octets = words.get(self.reads.get() - 1).copied().unwrap_or(b"\0\x01x");
        to[..octets.len()].copy_from_slice(octets);
        Ok(octets.len())
    }
}

impl embedded_io::ReadReady for Endless {
    fn read_ready(&mut self) -> Result<bool, Broken> {
        Ok(true)
    }
}

impl embedded_io::Write for Endless {
    fn write(&mut self, from: &[u8]) -> Result<usize, Broken> {
        Ok(from.len())
    }
    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

impl embedded_io::WriteReady for Endless {
    fn write_ready(&mut self) -> Result<bool, Broken> {
        Ok(true)
    }
}

#[test]
fn one_poll_reads_each_line_sixteen_times_at_most() {
    let mut pull = io::Socket::<Pull, Fixed<2, 64, 64>, _>::new(Pull, Options::default());
    let lines = [Rc::default(), Rc::default()];
    for reads in &lines {
        pull.attach(Endless { reads: Rc::clone(reads) }, Side::Bind, NOW).ok().unwrap();
    }
    for turn in 1..=3 {
        pull.poll(NOW);
        assert_eq!(lines.each_ref().map(|reads| reads.get()), [16 * turn; 2]);
        while pull.node().recv().is_ok() {}
    }
}

/// A line that a thread of the other side keeps: reading waits.
struct Waiting(std::os::unix::net::UnixStream);

impl embedded_io::ErrorType for Waiting {
    type Error = Broken;
}

impl embedded_io::Read for Waiting {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Broken> {
        std::io::Read::read(&mut self.0, to).map_err(|_| Broken)
    }
}

impl embedded_io::Write for Waiting {
    fn write(&mut self, from: &[u8]) -> Result<usize, Broken> {
        std::io::Write::write(&mut self.0, from).map_err(|_| Broken)
    }
    fn flush(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

#[test]
fn questions_are_answered_over_a_line_that_is_waited_for() {
    let (a, b) = std::os::unix::net::UnixStream::pair().unwrap();
    let answering = std::thread::spawn(move || {
        let mut rep = io::Socket::<Rep, Fixed<1, 2, 64>, _>::new(Rep, Options::default());
        rep.attach(Waiting(b), Side::Bind, NOW).ok().unwrap();
        let mut last = Vec::new();
        let mut answer = || {
            let question = rep.recv_wait(|| NOW)?;
            last = question.body.to_vec();
            rep.send_wait(&question.body, false, || NOW)
        };
        let end = (0..1000).find_map(|_| answer().err());
        (end, last)
    });
    let mut req = io::Socket::<Req, Fixed<1, 2, 64>, _>::new(Req, Options::default());
    assert_eq!(req.send_wait(b"nobody", false, || NOW), Err(WaitError::Closed(CloseReason::Unwanted)));
    req.attach(Waiting(a), Side::Connect, NOW).ok().unwrap();
    for number in 0..100u8 {
        req.send_wait(&[number; 40], false, || NOW).unwrap();
        assert_eq!(req.send_wait(b"again", false, || NOW), Err(WaitError::Send(SendErrorKind::State)));
        assert_eq!(req.recv_wait(|| NOW).unwrap().body.as_ref(), [number; 40]);
        assert_eq!(req.recv_wait(|| NOW).map(|_| ()), Err(WaitError::Recv(RecvError::State)));
    }
    // What has been sent has been written: the line may go.
    req.send_wait(b"farewell", false, || NOW).unwrap();
    drop(req);
    let (end, last) = answering.join().unwrap();
    assert_eq!(last, b"farewell");
    assert_eq!(end, Some(WaitError::Closed(CloseReason::EndOfStream)));
}

/// Polls both until the first is done, which takes it less than ten thousand polls.
fn together<T>(first: impl Future<Output = T>, second: impl Future) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut context = Context::from_waker(Waker::noop());
    let mut over = false;
    for _ in 0..10_000 {
        if let Poll::Ready(done) = first.as_mut().poll(&mut context) {
            return done;
        }
        over = over || second.as_mut().poll(&mut context).is_ready();
    }
    panic!("neither gets on");
}

fn questions_are_answered_asynchronously<S: LocalStorage>() {
    let (a, b) = Line::pair();
    let mut req = asynch::Socket::<Req, S, _>::new(Req, Options::default(), Side::Connect);
    let mut rep = asynch::Socket::<Rep, S, _>::new(Rep, Options::default(), Side::Bind);
    assert!(req.open(Slow(a), NOW).is_none() && rep.open(Slow(b), NOW).is_none());
    let answering = async {
        loop {
            let question = rep.recv(|| NOW).await.unwrap();
            rep.send(question.body.as_ref(), false, || NOW).await.unwrap();
        }
    };
    let asking = async {
        for number in 0..100u8 {
            let question = vec![number; usize::from(number % 60)];
            req.send(&question, false, || NOW).await.unwrap();
            assert_eq!(req.recv(|| NOW).await.unwrap().body.as_ref(), question);
        }
        let first = req.poll_event();
        assert_eq!(first, Some(Event::HandshakeSucceeded { minor: 1 }));
    };
    together(asking, answering);
}

#[test]
fn questions_are_answered_asynchronously_on_fixed() {
    questions_are_answered_asynchronously::<Fixed<1, 2, 80>>();
}

#[test]
fn questions_are_answered_asynchronously_on_heap() {
    questions_are_answered_asynchronously::<Heap>();
}

/// Futures are dropped after every poll, and nothing is lost.
#[test]
fn dropped_futures_lose_nothing() {
    let (a, b) = Line::pair();
    let mut push = asynch::Socket::<Push, Fixed<1, 2, 80>, _>::new(Push, Options::default(), Side::Connect);
    let mut pull = asynch::Socket::<Pull, Fixed<1, 2, 80>, _>::new(Pull, Options::default(), Side::Bind);
    push.open(Slow(a), NOW);
    pull.open(Slow(b), NOW);
    let mut context = Context::from_waker(Waker::noop());
    let (mut sent, mut heard, mut turns) = (0u8, 0u8, 0);
    while heard < 100 {
        turns += 1;
        assert!(turns < 10_000, "{heard} of {sent}");
        // A send that is dropped while it writes has sent: the socket's mark tells.
        if sent < 100 && push.node().socket().can_send() {
            let _ = pin!(push.send(&[sent; 40], false, || NOW)).poll(&mut context);
            sent += 1;
        } else {
            let _ = pin!(push.exchange(|| NOW)).poll(&mut context);
        }
        if let Poll::Ready(Ok(frame)) = pin!(pull.recv(|| NOW)).poll(&mut context) {
            assert_eq!(frame.body.as_ref(), [heard; 40]);
            heard += 1;
        }
    }
}
