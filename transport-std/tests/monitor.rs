//! What a monitor tells, and that it is in nobody's way.

mod support;

use omnimq::{CloseReason, Context, Errno, Event, EventKind, Monitor, SocketType};
use omnimq_raw::Octets;
use std::io::ErrorKind;
use std::time::Duration;
use support::*;

/// The next event; `Dropped` aside.
#[track_caller]
fn next(monitor: &Monitor) -> Event {
    monitor.recv_timeout(PATIENCE).expect("an event")
}

#[track_caller]
fn nothing_more(monitor: &Monitor) {
    if let Some(event) = monitor.try_recv() {
        panic!("{event:?}");
    }
}

macro_rules! expect {
    ($monitor:expr, $pattern:pat $(if $guard:expr)?) => {{
        let event = next(&$monitor);
        assert!(matches!(&event, $pattern $(if $guard)?), "{event:?}, not {}", stringify!($pattern));
        event
    }};
}

#[test]
fn a_connections_life_on_both_sides() {
    for at in TRANSPORTS.iter().filter(|at| !at.starts_with("inproc")) {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        let mut push = socket(&context, SocketType::Push);
        let (there, here) = (pull.monitor(), push.monitor());
        let bound = pull.bind(at).unwrap();
        expect!(there, Event::Listening { endpoint } if *endpoint == bound);
        push.connect(&bound).unwrap();
        expect!(here, Event::ConnectDelayed { endpoint } if *endpoint == bound);
        let Event::Connected { endpoint, peer } = next(&here) else { panic!("not connected") };
        assert_eq!(endpoint, bound);
        expect!(here, Event::HandshakeSucceeded { endpoint, peer: who } if *endpoint == bound && *who == peer);
        push.send(b"x").unwrap();
        assert_eq!(push.last_peer(), Some(peer));
        let Event::Accepted { endpoint, peer, address } = next(&there) else { panic!("not accepted") };
        assert_eq!(endpoint, bound);
        assert_eq!(address.is_some_and(|address| address.ip().is_loopback()), bound.starts_with("tcp"));
        expect!(there, Event::HandshakeSucceeded { endpoint, peer: who } if *endpoint == bound && *who == peer);
        pull.recv().unwrap();
        nothing_more(&here);
        pull.unbind(&bound).unwrap();
        expect!(there, Event::Closed { endpoint } if *endpoint == bound);
        nothing_more(&there);
        push.disconnect(&bound).unwrap();
        expect!(here, Event::Disconnected { endpoint, reason: CloseReason::Unwanted, .. } if *endpoint == bound);
        expect!(there, Event::Disconnected { endpoint, peer: who, reason: CloseReason::EndOfStream }
            if *endpoint == bound && *who == peer);
        drop((pull, push));
        assert!(there.recv().is_none() && here.recv().is_none(), "the sockets have gone");
    }
}

#[test]
fn attempts_and_their_failures_are_told() {
    let context = Context::new().unwrap();
    let nobody = Port::reserve();
    let push = socket(&context, SocketType::Push);
    let here = push.monitor();
    let mut push = push;
    push.connect(nobody.endpoint()).unwrap();
    for _ in 0..3 {
        expect!(here, Event::ConnectDelayed { .. });
        expect!(here, Event::ConnectFailed { endpoint, error }
            if endpoint == nobody.endpoint() && error.kind() == ErrorKind::ConnectionRefused);
        expect!(here, Event::ConnectRetried { after, .. }
            if *after >= Duration::from_millis(10) && *after < Duration::from_millis(20));
    }
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(nobody.endpoint()).unwrap();
    until(|| matches!(next(&here), Event::HandshakeSucceeded { .. }));
    drop(pull);
    expect!(here, Event::Disconnected { reason: CloseReason::EndOfStream, .. });
    expect!(here, Event::ConnectRetried { .. });
}

#[test]
fn a_name_that_cannot_be_resolved_is_told() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.reconnect.ivl = None;
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    let here = push.monitor();
    // No label of a name has 64 octets: this is found out without asking anybody.
    let endpoint = format!("tcp://{}:5555", "x".repeat(64));
    push.connect(&endpoint).unwrap();
    expect!(here, Event::ConnectFailed { endpoint: at, .. } if *at == endpoint);
    expect!(here, Event::ConnectGivenUp { endpoint: at } if *at == endpoint);
    nothing_more(&here);
}

#[test]
fn failed_handshakes_say_why() {
    let context = Context::new().unwrap();
    let mut options = patient();
    options.handshake = Some(Duration::from_millis(50));
    let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
    let there = pull.monitor();
    let endpoint = pull.bind(ANY).unwrap();
    expect!(there, Event::Listening { .. });

    let mut garbage = Raw::connect(&endpoint);
    garbage.say(&[b'?'; 100]);
    expect!(there, Event::Accepted { .. });
    expect!(there, Event::HandshakeFailed { reason: CloseReason::UnsupportedVersion | CloseReason::Protocol(_), .. });

    let mut sub = Raw::connect(&endpoint);
    sub.send(&Octets::opening(1, "SUB"));
    expect!(there, Event::Accepted { .. });
    expect!(there, Event::HandshakeFailed { reason: CloseReason::IncompatiblePeer, .. });

    let _silent = Raw::connect(&endpoint);
    expect!(there, Event::Accepted { .. });
    expect!(there, Event::HandshakeFailed { reason: CloseReason::HandshakeTimeout, .. });

    let mut rude = Raw::connect(&endpoint).shake("PUSH").unwrap();
    expect!(there, Event::Accepted { .. });
    expect!(there, Event::HandshakeSucceeded { .. });
    rude.send(&Octets::new().frame(5, b"a command that goes on"));
    expect!(there, Event::Disconnected { reason: CloseReason::Protocol(_), .. });

    // The connecting side stops at what would end the same way again.
    let mut other = socket(&context, SocketType::Pull);
    let here = other.monitor();
    let port = Port::reserve();
    let listener = port.listen();
    other.connect(port.endpoint()).unwrap();
    let _another_pull = Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap();
    expect!(here, Event::ConnectDelayed { .. });
    expect!(here, Event::Connected { .. });
    expect!(here, Event::HandshakeFailed { reason: CloseReason::IncompatiblePeer, .. });
    expect!(here, Event::ConnectGivenUp { endpoint } if endpoint == port.endpoint());
}

#[test]
fn dropped_messages_are_counted() {
    let context = Context::new().unwrap();
    let mut publisher = context.socket_with(SocketType::Pub, marks(10, 1)).unwrap();
    let mut sub = context.socket_with(SocketType::Sub, marks(1, 5)).unwrap();
    publisher.bind("inproc://here").unwrap();
    sub.subscribe("").unwrap();
    sub.connect("inproc://here").unwrap();
    publisher.send("before anybody asks").unwrap();
    for _ in 0..20 {
        publisher.send("x").unwrap();
    }
    let monitor = publisher.monitor();
    for _ in 0..100 {
        publisher.send("x").unwrap();
    }
    expect!(monitor, Event::Dropped { messages: 100 });
    nothing_more(&monitor);
    let mut router = socket(&context, SocketType::Router);
    let monitor = router.monitor();
    router.send(["nobody", "x"]).unwrap();
    expect!(monitor, Event::Dropped { messages: 1 });
}

/// A monitor that nobody reads: connections come and go by the thousand, and messages pass as ever.
#[test]
fn a_monitor_that_is_not_read_delays_nobody() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind("inproc://unused").and_then(|_| pull.bind(ANY)).unwrap();
    let monitor = pull.monitor();
    for n in 0..600u32 {
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        push.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
    drop(pull);
    let (mut told, mut missed) = (0, 0);
    for event in monitor {
        match event {
            Event::Missed { events } => missed += events,
            _ => told += 1,
        }
    }
    // Each is accepted, ready and gone, or still there when the socket goes; the last may be told while others are read.
    assert!((1024..1034).contains(&told), "{told}");
    assert!((600 * 2..=600 * 3 + 1).contains(&(told + missed)), "{told} and {missed}");
}

#[test]
fn what_cannot_be_bound_is_told() {
    let context = Context::new().unwrap();
    let mut one = socket(&context, SocketType::Pull);
    let mut other = socket(&context, SocketType::Pull);
    let monitor = other.monitor();
    let taken = [one.bind(ANY).unwrap(), one.bind("inproc://here").unwrap()];
    for endpoint in &taken {
        let error = other.bind(endpoint).unwrap_err();
        expect!(monitor, Event::BindFailed { endpoint: at, errno: Errno::AddrInUse, why }
            if at == endpoint && *why == error.to_string());
    }
    other.bind("tcp://127.0.0.1:99999").unwrap_err();
    expect!(monitor, Event::BindFailed { errno: Errno::Inval, .. });
    nothing_more(&monitor);
}

/// Sockets of one process that may not talk, whoever comes first, and peers beyond the limit.
#[test]
fn those_who_do_not_meet_are_told_why() {
    let context = Context::new().unwrap();
    for connector_first in [true, false] {
        let mut sub = socket(&context, SocketType::Sub);
        let mut push = socket(&context, SocketType::Push);
        let (there, here) = (sub.monitor(), push.monitor());
        let name = format!("inproc://{connector_first}");
        if connector_first {
            push.connect(&name).unwrap();
            sub.bind(&name).unwrap();
        } else {
            sub.bind(&name).unwrap();
            push.connect(&name).unwrap();
        }
        for monitor in [&there, &here] {
            expect!(monitor, Event::HandshakeFailed { endpoint, reason: CloseReason::IncompatiblePeer, .. }
                if *endpoint == name);
            nothing_more(monitor);
        }
    }
    let mut options = patient();
    options.pattern.limits.peers = 1;
    let mut pull = context.socket_with(SocketType::Pull, options).unwrap();
    let monitor = pull.monitor_only(&[EventKind::Refused, EventKind::HandshakeFailed]);
    let endpoint = pull.bind(ANY).unwrap();
    pull.bind("inproc://full").unwrap();
    let _one = Raw::connect(&endpoint).shake("PUSH").unwrap();
    let _other = Raw::connect(&endpoint);
    expect!(monitor, Event::Refused { endpoint: at, address: Some(_), reason: CloseReason::Limit(_) } if *at == endpoint);
    let mut push = socket(&context, SocketType::Push);
    push.connect("inproc://full").unwrap();
    expect!(monitor, Event::HandshakeFailed { reason: CloseReason::Limit(_), .. });
    nothing_more(&monitor);
}

#[test]
fn only_what_was_asked_for_is_told() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let all = pull.monitor();
    let ends = pull.monitor_only(&[EventKind::Closed]);
    let endpoint = pull.bind(ANY).unwrap();
    pull.unbind(&endpoint).unwrap();
    expect!(all, Event::Listening { .. });
    expect!(all, Event::Closed { .. });
    expect!(ends, Event::Closed { .. });
    nothing_more(&ends);
}

/// The file of a listener goes with it; where something is in the way, that is told.
#[cfg(unix)]
#[test]
fn what_cannot_be_cleaned_up_is_told() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let monitor = pull.monitor();
    let endpoint = pull.bind("ipc://*").unwrap();
    let folder = std::path::Path::new(endpoint.strip_prefix("ipc://").unwrap()).parent().unwrap();
    std::fs::write(folder.join("in the way"), "").unwrap();
    pull.unbind(&endpoint).unwrap();
    expect!(monitor, Event::Listening { .. });
    expect!(monitor, Event::CloseFailed { endpoint: at, error } if *at == endpoint && error.raw_os_error().is_some());
    nothing_more(&monitor);
    std::fs::remove_dir_all(folder).unwrap();
}
