//! The end of sockets and contexts: what lingers, for how long, and that nothing waits for ever.

mod support;

use omnimq::{Context, Error, Socket, SocketOptions, SocketType};
use std::time::{Duration, Instant};
use support::*;

fn lingering(linger: Option<Duration>) -> SocketOptions {
    let mut options = patient();
    options.linger = linger;
    options
}

const MS: Duration = Duration::from_millis(1);

/// Terminates on a thread of its own: how long that took.
fn term(context: &Context) -> Duration {
    let context = context.clone();
    bounded(move || {
        let start = Instant::now();
        context.term();
        start.elapsed()
    })
}

#[test]
fn who_has_sent_nothing_does_not_linger() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
    push.connect(port.endpoint()).unwrap();
    drop(push);
    assert!(term(&context) < Duration::from_secs(1));
}

/// A peer is lost while a socket lingers: what it did not get goes to the next that comes.
#[test]
fn lingering_socket_connects_again() {
    let context = Context::new().unwrap();
    next_gets_what_lingers(&context, |push, _| {
        drop(push);
        assert!(matches!(context.term_timeout(20 * MS), Err(Error::StillOpen(_))));
    });
    term(&context);
}

/// A peer that neither reads nor goes is what an unlimited linger waits for; its death ends it.
#[test]
fn unlimited_linger_ends_with_the_accepted_peer() {
    for unread in [0u32, 5000] {
        let context = Context::new().unwrap();
        let mut options = lingering(None);
        options.recv_hwm = 10;
        let mut dealer = context.socket_with(SocketType::Dealer, options).unwrap();
        let endpoint = dealer.bind(ANY).unwrap();
        let mut raw = Raw::connect(&endpoint).shake("DEALER").unwrap();
        raw.say(&frame(0, b"hello"));
        dealer.recv().unwrap();
        // More than the dealer's mark, so that its side of the stream is not read to the end.
        for n in 0..unread {
            raw.say(&frame(0, &n.to_be_bytes()));
        }
        let large = vec![1; 1 << 20];
        for _ in 0..40 {
            dealer.send(large.as_slice()).unwrap();
        }
        drop(dealer);
        assert!(matches!(context.term_timeout(100 * MS), Err(Error::StillOpen(_))));
        drop(raw);
        term(&context);
    }
}

#[test]
fn term_ends_all_waits() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut threads = Vec::new();
    let (waiting, waits) = std::sync::mpsc::channel();
    let mut start = |mut socket: Socket, send: bool| {
        let waiting = waiting.clone();
        threads.push(std::thread::spawn(move || {
            waiting.send(()).unwrap();
            let error = loop {
                let done = if send { socket.send(b"x").map_err(Error::from) } else { socket.recv().map(drop) };
                if let Err(error) = done {
                    break error;
                }
            };
            assert!(matches!(error, Error::Terminated), "{error}");
            // And from here on, at once.
            assert!(matches!(socket.try_recv(), Err(Error::Terminated | Error::NotSupported)));
            assert!(matches!(socket.try_send(b"x").map_err(Error::from), Err(Error::Terminated | Error::NotSupported)));
            assert!(matches!(socket.bind(ANY), Err(Error::Terminated)));
            assert!(matches!(socket.connect("tcp://127.0.0.1:1"), Err(Error::Terminated)));
        }));
    };
    for socket_type in [SocketType::Pull, SocketType::Dealer, SocketType::Rep, SocketType::Sub, SocketType::Router] {
        let mut options = lingering(Some(Duration::ZERO));
        options.recv_timeout = None;
        let mut socket = context.socket_with(socket_type, options).unwrap();
        socket.bind(ANY).unwrap();
        start(socket, false);
    }
    for socket_type in [SocketType::Push, SocketType::Dealer, SocketType::Pair] {
        let mut options = lingering(Some(Duration::ZERO));
        (options.send_timeout, options.send_hwm) = (None, 5);
        let mut socket = context.socket_with(socket_type, options).unwrap();
        socket.connect(port.endpoint()).unwrap();
        start(socket, true);
    }
    for _ in 0..threads.len() {
        waits.recv().unwrap();
    }
    std::thread::sleep(20 * MS);
    term(&context);
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(matches!(context.socket(SocketType::Pull), Err(Error::Terminated)));
}

/// However a socket's making and the context's end meet: the socket's waits end.
#[test]
fn sockets_made_while_the_context_ends() {
    for _ in 0..200 {
        let context = Context::new().unwrap();
        let maker = context.clone();
        let thread = std::thread::spawn(move || {
            for _ in 0..3 {
                let mut options = lingering(Some(Duration::ZERO));
                options.recv_timeout = None;
                match maker.socket_with(SocketType::Pull, options) {
                    Ok(mut socket) => assert!(matches!(socket.recv(), Err(Error::Terminated))),
                    Err(error) => assert!(matches!(error, Error::Terminated)),
                }
            }
        });
        term(&context);
        bounded(move || thread.join().unwrap());
    }
}

#[test]
fn shutdown_does_not_wait() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
    push.connect(port.endpoint()).unwrap();
    push.send(b"x").unwrap();
    let start = Instant::now();
    context.shutdown();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(matches!(push.send(b"x").map_err(Error::from), Err(Error::Terminated)));
    // What was sent before still lingers, and leaves.
    drop(push);
    let other = Context::new().unwrap();
    let mut pull = socket(&other, SocketType::Pull);
    pull.bind(port.endpoint()).unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"x");
    term(&context);
}

/// Dropping never waits for long, whatever is left: with an unlimited linger a second of grace.
#[test]
fn dropping_everything_never_blocks() {
    let took = bounded(|| {
        let start = Instant::now();
        let port = Port::reserve();
        let context = Context::new().unwrap();
        let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
        push.connect(port.endpoint()).unwrap();
        push.send(b"for nobody").unwrap();
        drop(context);
        drop(push);
        start.elapsed()
    });
    assert!(took < Duration::from_secs(4), "{took:?}");
}

/// The last handle of a context may go on any thread, in any order.
#[test]
fn any_order_of_dropping() {
    for order in 0..6 {
        bounded(move || {
            let context = Context::with_io_threads(2).unwrap();
            let mut pull = socket(&context, SocketType::Pull);
            let endpoint = pull.bind(ANY).unwrap();
            let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
            push.connect(&endpoint).unwrap();
            push.send(b"x").unwrap();
            assert_eq!(pull.recv().unwrap().bytes(), b"x");
            match order {
                0 => drop((context, push, pull)),
                1 => drop((context, pull, push)),
                2 => drop((push, context, pull)),
                3 => drop((pull, context, push)),
                4 => drop((push, pull, context)),
                _ => std::thread::spawn(move || drop((push, pull, context))).join().unwrap(),
            }
        });
    }
}

/// The error names what is open, and is none any more when that has gone.
#[test]
fn a_deadline_that_passes_names_the_sockets_still_open() {
    let context = Context::new().unwrap();
    let port = Port::reserve();
    let mut pull = socket(&context, SocketType::Pull);
    let bound = [pull.bind(ANY).unwrap(), pull.bind("inproc://here").unwrap()];
    let unbound = pull.bind(ANY).unwrap();
    pull.unbind(&unbound).unwrap();
    let mut push = context.socket_with(SocketType::Push, lingering(None)).unwrap();
    push.connect(port.endpoint()).unwrap();
    push.connect("inproc://nobody").unwrap();
    push.send(b"for nobody").unwrap();
    push.send(b"for nobody").unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.disconnect("tcp://127.0.0.1:1").unwrap();
    let mut open = still_open(&context);
    open.sort_by_key(|socket| socket.socket_type.number());
    let [one, other] = &open[..] else { panic!("{open:?}") };
    assert_eq!((one.socket_type, &one.bound[..], one.lingers), (SocketType::Pull, &bound[..], false));
    assert_eq!((other.socket_type, other.lingers), (SocketType::Push, false));
    assert_eq!(other.connected, [port.endpoint(), "inproc://nobody"]);

    drop((pull, push));
    until(|| still_open(&context).len() == 1);
    let open = still_open(&context);
    assert_eq!(open[0].to_string(), format!("PUSH connected to {}, inproc://nobody (lingers)", port.endpoint()));
    let other = Context::new().unwrap();
    let mut pull = socket(&other, SocketType::Pull);
    pull.bind(port.endpoint()).unwrap();
    context.term_timeout(Duration::from_secs(10)).unwrap();
    context.term_timeout(Duration::ZERO).unwrap();
}

fn still_open(context: &Context) -> Vec<omnimq::OpenSocket> {
    match context.term_timeout(MS) {
        Err(Error::StillOpen(sockets)) => sockets,
        done => panic!("{done:?}"),
    }
}
