//! Sockets, halves and monitors as streams and sinks: on tokio's threads and on a bare loop, dropped at every point.
#![cfg(all(feature = "stream", not(loom)))]

mod support;

use futures::executor::block_on;
use futures::{Sink, SinkExt, Stream, StreamExt, stream};
use omnimq::{Context, Error, Event, Message, Pull, Push, RecvHalf, Rep, Req, SendHalf, SocketType};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll, Waker};
use support::*;

/// Polls once, with a waker that wakes nobody.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn numbered(n: u32) -> Message {
    Message::from([&b"part"[..], &n.to_be_bytes()])
}

/// A PUSH and a PULL that are held up all the time.
fn narrow(context: &Context, at: &str) -> (Push, Pull) {
    let mut options = marks(3, 3);
    (options.send_buffer, options.recv_buffer) = (Some(8 << 10), Some(8 << 10));
    let mut pull = Pull::with(context, options.clone()).unwrap();
    let endpoint = pull.bind(at).unwrap();
    let mut push = Push::with(context, options).unwrap();
    push.connect(&endpoint).unwrap();
    (push, pull)
}

/// What every executor is given: `count` messages into a sink, and out of a stream.
async fn fill(mut sink: impl Sink<Message, Error = omnimq::SendError<Message>> + Unpin, count: u32) {
    sink.send_all(&mut stream::iter(0..count).map(|n| Ok(numbered(n)))).await.unwrap();
    // It stays until its messages have left.
    sink.close().await.unwrap();
}

async fn drain(messages: impl Stream<Item = Result<Message, Error>>, count: u32) {
    let mut messages = pin!(messages.take(count as usize));
    let mut n = 0;
    while let Some(message) = messages.next().await {
        assert_eq!(number(&message.unwrap()), n);
        n += 1;
    }
    assert_eq!(n, count);
}

#[test]
fn floods_on_a_bare_loop() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut push, pull) = narrow(&context, at);
        let sender = std::thread::spawn(move || {
            block_on(fill(&mut push, 3000));
            push
        });
        block_on(drain(pull, 3000));
        drop(sender.join().unwrap());
    }
}

#[test]
fn floods_on_the_threads_of_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_time().build().unwrap();
    runtime.block_on(async {
        let context = Context::new().unwrap();
        let mut tasks = Vec::new();
        for at in TRANSPORTS {
            let (mut push, pull) = narrow(&context, at);
            let sender = tokio::spawn(async move {
                fill(&mut push, 3000).await;
                push
            });
            tasks.push((sender, tokio::spawn(drain(pull, 3000))));
        }
        for (sender, receiver) in tasks {
            tokio::time::timeout(PATIENCE, receiver).await.unwrap().unwrap();
            drop(sender.await.unwrap());
        }
    });
}

/// Both halves of one socket at once, against a socket whose stream is forwarded into its own sink.
#[test]
fn halves_are_streams_and_sinks() {
    async fn play(mut to: SendHalf, from: RecvHalf) {
        let (_, ()) = futures::join!(async { fill(&mut to, 1000).await }, drain(from, 1000));
    }
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let mut router = socket(&context, SocketType::Router);
        let endpoint = router.bind(at).unwrap();
        let mut dealer = omnimq::Dealer::with(&context, patient()).unwrap();
        dealer.connect(&endpoint).unwrap();
        let (answers, questions) = router.split().unwrap();
        let echo = std::thread::spawn(move || {
            let questions = questions.map(|message| Ok::<_, omnimq::SendError<Message>>(message.unwrap()));
            block_on(questions.take(1000).forward(answers)).unwrap();
        });
        let (to, from) = dealer.split();
        bounded(move || block_on(play(to, from)));
        echo.join().unwrap();
    }
}

/// Every future of the extension traits is polled once and dropped, over and over: what it had not handed over is there
/// for the next, and what it had not sent was not sent.
#[test]
fn dropped_at_every_point_nothing_is_lost() {
    for at in TRANSPORTS {
        let context = Context::new().unwrap();
        let (mut push, mut pull) = narrow(&context, at);
        let (mut sent, mut received, mut waits) = (0, 0, (0, 0));
        let body = vec![7; 2000];
        while received < 2000 {
            // As much as fits into the kernel's buffers, which is not all.
            while sent < 2000 {
                let message = Message::from([&body[..], &u32::to_be_bytes(sent)]);
                let done = match sent % 3 {
                    0 => poll_once(push.feed(message)),
                    1 => poll_once(SinkExt::send(&mut push, message)),
                    _ => poll_once(push.send_async(message)),
                };
                let Some(done) = done else {
                    waits.0 += 1;
                    break;
                };
                done.unwrap();
                sent += 1;
            }
            assert!(poll_once(SinkExt::flush(&mut push)).is_some(), "there is nothing to flush");
            while let Some(message) = poll_once(pull.next()) {
                assert_eq!(number(&message.unwrap().unwrap()), received);
                received += 1;
            }
            waits.1 += 1;
        }
        assert_eq!(sent, 2000);
        assert!(waits.0 > 0 && waits.1 > 1, "none of them waited");
        assert!(poll_once(pull.next()).is_none());
    }
}

/// There was room, and then the peer went: the sink keeps the message, and it goes before all others.
#[test]
fn a_message_for_whom_there_was_room_is_kept() {
    let context = Context::new().unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    let monitor = push.monitor();
    let endpoint = push.bind(ANY).unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    pull.connect(&endpoint).unwrap();
    let mut task = Task::from_waker(Waker::noop());
    block_on(std::future::poll_fn(|task| Pin::new(&mut push).poll_ready(task))).unwrap();
    drop(pull);
    until(|| matches!(monitor.try_recv(), Some(Event::Disconnected { .. })));
    Pin::new(&mut push).start_send(Message::from("kept")).unwrap();
    assert!(Pin::new(&mut push).poll_flush(&mut task).is_pending(), "there is nobody");
    assert!(Pin::new(&mut push).poll_ready(&mut task).is_pending(), "it keeps one and no more");
    let refused = push.try_send(vec![1]).unwrap_err();
    assert!(matches!(refused.error, Error::WouldBlock));
    assert_eq!(refused.message, [1]);
    assert!(poll_once(push.send_async("nor this")).is_none());

    let mut pull = Pull::with(&context, patient()).unwrap();
    pull.connect(&endpoint).unwrap();
    push.send("then").unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"kept");
    assert_eq!(pull.recv().unwrap().bytes(), b"then");
    assert!(pull.try_recv().is_err());
}

/// A REQ has no room to tell of: it takes its question, and keeps it until there is somebody to ask.
#[test]
fn a_question_waits_for_somebody_to_ask() {
    let context = Context::new().unwrap();
    let mut req = Req::with(&context, patient()).unwrap();
    let endpoint = req.bind(ANY).unwrap();
    assert!(poll_once(req.feed("question".into())).is_some());
    assert!(poll_once(SinkExt::flush(&mut req)).is_none());
    let mut rep = Rep::with(&context, patient()).unwrap();
    rep.connect(&endpoint).unwrap();
    let answerer = std::thread::spawn(move || {
        block_on(async {
            let question = rep.next().await.unwrap().unwrap();
            SinkExt::send(&mut rep, question).await.unwrap();
            rep
        })
    });
    block_on(async {
        SinkExt::flush(&mut req).await.unwrap();
        assert_eq!(req.next().await.unwrap().unwrap().bytes(), b"question");
    });
    answerer.join().unwrap();
}

#[test]
fn a_stream_ends_with_the_context_and_a_sink_hands_back() {
    let context = Context::new().unwrap();
    let mut pull = Pull::with(&context, patient()).unwrap();
    let mut push = Push::with(&context, patient()).unwrap();
    let waiting = std::thread::spawn(move || {
        assert!(block_on(pull.next()).is_none());
        assert!(block_on(pull.next()).is_none());
    });
    std::thread::sleep(std::time::Duration::from_millis(20));
    context.shutdown();
    waiting.join().unwrap();
    let refused = block_on(push.feed("late".into())).unwrap_err();
    assert!(matches!(refused.error, Error::Terminated));
    assert_eq!(refused.message.bytes(), b"late");

    let other = Context::new().unwrap();
    let mut pull = socket(&other, SocketType::Pull);
    let refused = block_on(pull.feed("no PULL sends".into())).unwrap_err();
    assert!(matches!(refused.error, Error::NotSupported));
    let mut req = socket(&other, SocketType::Req);
    assert!(matches!(block_on(req.next()), Some(Err(Error::State))), "an error is no end");
}

#[test]
fn a_monitor_is_a_stream() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let mut monitor = pull.monitor();
    assert!(poll_once(monitor.next()).is_none());
    let watcher = std::thread::spawn(move || block_on(monitor.collect::<Vec<_>>()));
    pull.bind(ANY).unwrap();
    drop(pull);
    let events = bounded(move || watcher.join().unwrap());
    assert!(matches!(events[..], [Event::Listening { .. }, Event::Closed { .. }]), "{events:?}");
}
