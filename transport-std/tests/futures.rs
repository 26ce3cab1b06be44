//! Sockets in tasks: on tokio's threads, on smol's, and on a bare loop; futures that are dropped at every point.
#![cfg(not(loom))]

mod support;

use omnimq::{Context, Dealer, Error, Event, Message, Pair, Pull, Push, Rep, Req, Router, Socket, SocketType};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use support::*;

/// An executor of a few lines: polls, and sleeps until woken.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    let start = Instant::now();
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            return done;
        }
        std::thread::park_timeout(PATIENCE);
        assert!(start.elapsed() < PATIENCE, "never woken");
    }
}

/// Polls once, with a waker that wakes nobody.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

async fn answer(mut rep: Rep, count: u32) {
    for _ in 0..count {
        let question = rep.recv_async().await.unwrap();
        rep.send_async(question).await.unwrap();
    }
}

async fn ask(mut req: Req, count: u32) {
    for n in 0..count {
        req.send_async(&n.to_be_bytes()).await.unwrap();
        assert_eq!(number(&req.recv_async().await.unwrap()), n);
    }
}

fn asker_and_answerer(context: &Context, at: &str) -> (Req, Rep) {
    let (mut req, mut rep) = (Req::new(context).unwrap(), Rep::new(context).unwrap());
    let endpoint = rep.bind(at).unwrap();
    req.connect(&endpoint).unwrap();
    (req, rep)
}

#[test]
fn questions_and_answers_on_a_bare_loop() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (req, rep) = asker_and_answerer(&context, at);
        let answerer = std::thread::spawn(move || block_on(answer(rep, 500)));
        block_on(ask(req, 500));
        answerer.join().unwrap();
    }
}

#[test]
fn on_the_threads_of_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_time().build().unwrap();
    runtime.block_on(async {
        let context = Context::new().unwrap();
        let mut tasks = Vec::new();
        for at in TRANSPORTS {
            let (req, rep) = asker_and_answerer(&context, at);
            tasks.push(tokio::spawn(answer(rep, 300)));
            tasks.push(tokio::spawn(ask(req, 300)));
        }
        for task in tasks {
            tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
        }
    });
}

#[test]
fn on_smol() {
    let context = Context::new().unwrap();
    let tasks: Vec<_> = TRANSPORTS
        .iter()
        .flat_map(|at| {
            let (req, rep) = asker_and_answerer(&context, at);
            [smol::spawn(answer(rep, 300)), smol::spawn(ask(req, 300))]
        })
        .collect();
    bounded(|| {
        smol::block_on(async {
            for task in tasks {
                task.await
            }
        })
    });
}

/// A flood through small marks: both sides wait all the time.
#[test]
fn floods_between_tasks() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = Pull::with(&context, marks(10, 10)).unwrap();
        let endpoint = pull.bind(at).unwrap();
        let mut push = Push::with(&context, marks(10, 10)).unwrap();
        push.connect(&endpoint).unwrap();
        let body = vec![7; 2000];
        let sender = std::thread::spawn(move || {
            block_on(async {
                for n in 0..5000u32 {
                    push.send_async([&body[..], &n.to_be_bytes()]).await.unwrap();
                }
                push
            })
        });
        block_on(async {
            for n in 0..5000u32 {
                assert_eq!(number(&pull.recv_async().await.unwrap()), n);
            }
        });
        drop(sender.join().unwrap());
    }
}

/// Futures polled once and dropped, over and over: what they had not handed over is there for the next, and what they had
/// not sent was not sent.
#[test]
fn futures_dropped_at_every_point_lose_nothing() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut pull = Pull::with(&context, marks(3, 3)).unwrap();
        let endpoint = pull.bind(at).unwrap();
        let mut push = Push::with(&context, marks(3, 3)).unwrap();
        push.connect(&endpoint).unwrap();
        let (mut sent, mut received, mut waits) = (0u32, 0u32, 0);
        while received < 2000 {
            for _ in 0..10 {
                if sent == 2000 {
                    break;
                }
                let body = Message::from([&b"part"[..], &sent.to_be_bytes()]);
                match poll_once(push.send_async(&body)) {
                    Some(done) => done.unwrap(),
                    None => {
                        waits += 1;
                        break;
                    }
                }
                sent += 1;
            }
            for _ in 0..10 {
                let Some(message) = poll_once(pull.recv_async()) else {
                    waits += 1;
                    break;
                };
                let message = message.unwrap();
                assert_eq!((message.len(), number(&message)), (2, received));
                received += 1;
            }
        }
        assert_eq!((sent, received), (2000, 2000));
        assert!(waits > 0, "none of them waited");
        assert!(poll_once(pull.recv_async()).is_none());
    }
}

/// Dropped while it waits, then asked again with another waker, or by the thread itself: whoever asked last is woken.
#[test]
fn whoever_asks_last_is_woken() {
    let context = Context::new().unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    let endpoint = pull.bind(ANY).unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    push.connect(&endpoint).unwrap();
    let (say, said) = std::sync::mpsc::channel::<u32>();
    let sender = std::thread::spawn(move || {
        for n in said {
            std::thread::sleep(Duration::from_millis(2));
            push.send(&n.to_be_bytes()).unwrap();
        }
    });
    for n in 0..100 {
        assert!(poll_once(pull.recv_async()).is_none());
        say.send(n).unwrap();
        let message = if n % 2 == 0 { block_on(pull.recv_async()).unwrap() } else { pull.recv().unwrap() };
        assert_eq!(number(&message), n);
    }
    drop(say);
    sender.join().unwrap();
}

#[test]
fn the_end_of_the_context_ends_every_wait() {
    let context = Context::new().unwrap();
    let mut pull = Pull::new(&context).unwrap();
    let mut push = Push::new(&context).unwrap();
    let receiver = std::thread::spawn(move || block_on(pull.recv_async()).unwrap_err());
    let sender = std::thread::spawn(move || block_on(push.send_async("nobody")).unwrap_err().error);
    std::thread::sleep(Duration::from_millis(20));
    context.shutdown();
    assert!(matches!(receiver.join().unwrap(), Error::Terminated));
    assert!(matches!(sender.join().unwrap(), Error::Terminated));
    bounded(move || context.term());
}

/// Dropped while it waits, it has taken no event; the end of the socket is the end of the events.
#[test]
fn a_monitor_is_awaited() {
    let context = Context::new().unwrap();
    let mut pull = Pull::new(&context).unwrap();
    let mut monitor = pull.monitor();
    assert!(poll_once(monitor.recv_async()).is_none());
    let binder = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        pull.bind(ANY).unwrap();
    });
    assert!(matches!(block_on(monitor.recv_async()), Some(Event::Listening { .. })));
    assert!(matches!(block_on(monitor.recv_async()), Some(Event::Closed { .. })));
    assert!(block_on(monitor.recv_async()).is_none());
    binder.join().unwrap();
}

#[test]
fn errors_are_those_of_the_blocking_calls() {
    let context = Context::new().unwrap();
    let mut req = Req::new(&context).unwrap();
    assert!(matches!(poll_once(req.recv_async()), Some(Err(Error::State))));
    let mut pull = context.socket(SocketType::Pull).unwrap();
    let refused = poll_once(pull.send_async(vec![1])).unwrap().unwrap_err();
    assert!(matches!(refused.error, Error::NotSupported));
    assert_eq!(refused.message, [1], "it comes back");
}

/// What is spawned on many threads has to be `Send`.
#[test]
fn futures_may_be_sent() {
    fn may_be_sent<T: Send>(_: T) {}
    let context = Context::new().unwrap();
    let mut pair = Pair::new(&context).unwrap();
    may_be_sent(pair.recv_async());
    may_be_sent(pair.send_async(Message::from("x")));
    may_be_sent(pair.monitor().recv_async());
    may_be_sent(Dealer::new(&context).unwrap());
    may_be_sent(Router::new(&context).unwrap());
    may_be_sent::<Socket>(context.socket(SocketType::XPub).unwrap());
}
