//! Sockets of the host library against peers that speak ZMTP octet by octet, badly on purpose.

use omnimq::{Context, Error, Socket, SocketOptions, SocketType};
use omnimq_core::{Limits, ReconnectPolicy};
use omnimq_raw::{Octets, RawListener, RawPeer, flag};
use omnimq_seeds as seeds;
use omnimq_seeds::Rng;
use std::time::{Duration, Instant};

const ANY: &str = "tcp://127.0.0.1:*";
const SOON: Duration = Duration::from_secs(10);
/// Longer than an answer on this machine takes, shorter than any timeout.
const A_MOMENT: Duration = Duration::from_millis(100);
/// The handshake's time where a test waits for its end.
const HANDSHAKE: Duration = Duration::from_millis(200);

fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.recv_timeout = Some(SOON);
    options.send_timeout = Some(SOON);
    options.linger = Some(Duration::ZERO);
    options.reconnect = ReconnectPolicy::from_options(10, 0, 0);
    options
}

fn bound(context: &Context, socket_type: SocketType, options: SocketOptions) -> (Socket, String) {
    let mut socket = context.socket_with(socket_type, options).unwrap();
    let endpoint = socket.bind(ANY).unwrap();
    (socket, endpoint)
}

/// A good peer is still served: whatever happened before did no harm.
fn assert_serves(pull: &mut Socket, endpoint: &str) {
    let mut good = RawPeer::connect(endpoint);
    good.send(&Octets::opening(1, "PUSH").message(b"still here"));
    assert_eq!(pull.recv().unwrap().bytes(), b"still here");
}

fn nothing_comes(socket: &mut Socket) -> bool {
    matches!(socket.recv_timeout(A_MOMENT), Err(Error::WouldBlock))
}

/// What a PULL hears of each of these, having bound.
#[test]
fn what_is_right_is_heard() {
    let push = || Octets::opening(1, "PUSH");
    let ready = |octets: Octets| octets.ready(&[("Socket-Type", b"PUSH")]);
    let table: &[(&str, Octets, &[&[u8]])] = &[
        ("3.1", push().message(b"x"), &[b"x"]),
        ("3.0", Octets::opening(0, "PUSH").message(b"x"), &[b"x"]),
        ("a minor version to come", Octets::opening(7, "PUSH").message(b"x"), &[b"x"]),
        ("a major version to come", ready(Octets::new().greeting(4, 0)).message(b"x"), &[b"x"]),
        ("an empty message", push().message(b""), &[b""]),
        ("three parts", push().frame(1, b"a").frame(1, b"").frame(0, b"c"), &[b"a", b"", b"c"]),
        ("a long header for a short frame", push().header(flag::LONG, 1).raw(b"x"), &[b"x"]),
        ("255 octets", push().message(&[7; 255]), &[&[7; 255]]),
        ("256 octets", push().message(&[7; 256]), &[&[7; 256]]),
        ("unknown properties", ready(Octets::new().greeting(3, 1)).message(b"x"), &[b"x"]),
        ("an unknown command", push().command("WHATEVER", b"...").message(b"x"), &[b"x"]),
        ("a PONG that nobody asked for", push().command("PONG", b"").message(b"x"), &[b"x"]),
        ("reserved flags", push().frame(0xf8, b"x"), &[b"x"]),
        (
            "more properties than are known",
            Octets::new()
                .greeting(3, 1)
                .ready(&[("X-Name", b"value"), ("Socket-Type", b"PUSH"), ("Identity", b"me"), ("Resource", b"")])
                .message(b"x"),
            &[b"x"],
        ),
    ];
    let context = Context::new().unwrap();
    for (name, octets, due) in table {
        for trickle in [false, true] {
            let (mut pull, endpoint) = bound(&context, SocketType::Pull, options());
            let mut peer = RawPeer::connect(&endpoint);
            if trickle {
                peer.trickle(octets)
            } else {
                peer.send(octets)
            }
            let message = pull.recv().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(message.iter().map(|frame| &frame[..]).collect::<Vec<_>>(), *due, "{name}");
        }
    }
}

/// What a PULL hangs up on, with nobody else noticing.
#[test]
fn what_is_wrong_is_hung_up_on() {
    let greeting = || Octets::new().greeting(3, 1);
    let property = |name: &str, value: &[u8]| greeting().ready(&[(name, value)]);
    let flood: Vec<(String, Vec<u8>)> = (0..1000).map(|at| (format!("X-{at}"), vec![7; 16])).collect();
    let flood: Vec<(&str, &[u8])> = flood.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    let table: &[(&str, Octets)] = &[
        ("HTTP", Octets::new().raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("TLS", Octets::new().raw(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])),
        ("zeros", Octets::new().raw(&[0; 64])),
        ("another mechanism", Octets::new().greeting_for(3, 1, "PLAIN")),
        ("a longer mechanism", Octets::new().greeting_for(3, 1, "NULLS")),
        ("a SUB", property("Socket-Type", b"SUB")),
        ("another PULL", property("Socket-Type", b"PULL")),
        ("no such type", property("Socket-Type", b"PUSHY")),
        ("a type in lower case", property("Socket-Type", b"push")),
        ("no type", property("Identity", b"me")),
        ("no properties", greeting().ready(&[])),
        ("a torn property", greeting().command("READY", b"\x0bSocket-Type\0\0\0\xffPUSH")),
        ("a torn name", greeting().command("READY", b"\xffSocket-Type")),
        ("a message before READY", greeting().message(b"early")),
        ("a subscription before READY", greeting().command("SUBSCRIBE", b"early")),
        ("HELLO", greeting().command("HELLO", b"")),
        ("ERROR", greeting().command("ERROR", b"\x03400")),
        ("an empty command", greeting().frame(flag::COMMAND, b"")),
        ("a name beyond its command", greeting().frame(flag::COMMAND, b"\x09READY")),
        ("a flood of metadata", greeting().ready(&flood)),
        ("a READY of 2^44 octets", greeting().header(flag::COMMAND | flag::LONG, 1 << 44)),
        ("a READY of 2^63 octets", greeting().header(flag::COMMAND | flag::LONG, 1 << 63)),
        ("a frame of 2^63 octets", Octets::opening(1, "PUSH").header(flag::LONG, 1 << 63)),
        ("a frame of 2^64 - 1 octets", Octets::opening(1, "PUSH").header(flag::LONG, u64::MAX)),
        ("a command of 2^44 octets", Octets::opening(1, "PUSH").header(flag::COMMAND | flag::LONG, 1 << 44)),
        ("a PING without its time", Octets::opening(1, "PUSH").command("PING", b"\0")),
        ("ERROR after READY", Octets::opening(1, "PUSH").command("ERROR", b"\0")),
    ];
    let context = Context::new().unwrap();
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options());
    for (name, octets) in table {
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(octets);
        let heard = peer.hear(SOON, |_| false);
        assert!(heard.ended, "{name}: the stream lives on");
        assert!(nothing_comes(&mut pull), "{name}: heard");
    }
    assert_serves(&mut pull, &endpoint);
}

/// Cut off after every octet, what was whole is heard and nothing else.
#[test]
fn a_stream_cut_anywhere_leaves_whole_messages() {
    let mut stream = Octets::opening(1, "PUSH");
    let mut ends = Vec::new();
    for body in [&b"one"[..], &[7; 300], b""] {
        stream = stream.frame(flag::MORE, b"part").message(body);
        ends.push((stream.0.len(), body));
    }
    let context = Context::new().unwrap();
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options());
    for len in 0..=stream.0.len() {
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&Octets(stream.0[..len].to_vec()));
        peer.finish();
        peer.expect_end();
        for (_, body) in ends.iter().filter(|(end, _)| *end <= len) {
            let message = pull.recv().unwrap();
            assert_eq!((&message[0][..], &message[1][..], message.len()), (&b"part"[..], *body, 2), "cut after {len}");
        }
        assert!(pull.try_recv().is_err(), "cut after {len}");
    }
    assert_serves(&mut pull, &endpoint);
}

/// The last message and the end of the stream come in one go, while the application waits in `recv`, or is away with
/// its pipe full.
#[test]
fn an_end_right_behind_a_message_is_noticed() {
    let context = Context::new().unwrap();
    let mut options = options();
    options.recv_hwm = 3;
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let last_words = |count: usize| {
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&Octets::opening(1, "PUSH"));
        peer.expect(&Octets::opening(1, "PULL"));
        peer.send(&(0..count).fold(Octets::new(), |octets, _| octets.message(b"last words")));
        peer.finish();
        peer
    };
    for _ in 0..100 {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| pull.recv());
            let mut peer = last_words(1);
            assert_eq!(waiting.join().unwrap().unwrap().bytes(), b"last words");
            peer.expect_end();
        });
    }
    for count in [2, 3, 4, 10, 100] {
        let mut peer = last_words(count);
        std::thread::sleep(Duration::from_millis(10));
        for _ in 0..count {
            assert_eq!(pull.recv().unwrap().bytes(), b"last words");
        }
        peer.expect_end();
    }
}

#[test]
fn random_octets_do_no_harm() {
    seeds::each_of(1, |seed| {
        let context = Context::new().unwrap();
        let (mut pull, endpoint) = bound(&context, SocketType::Pull, options());
        let mut rng = Rng::new(seed);
        for round in 0..300 {
            let opening = match round % 3 {
                0 => Octets::new(),
                1 => Octets::new().greeting(3, 1),
                _ => Octets::opening(1, "PUSH").frame(flag::MORE, b"half a message"),
            };
            // Every other frame of noise is of a kind that is neither command nor last.
            let len = rng.length(0..=400);
            let noise = rng.bytes(len);
            let mut peer = RawPeer::connect(&endpoint);
            peer.send(&opening.raw(&noise));
        }
        // What looked like messages may have been heard: past it, the good peer is.
        let mut good = RawPeer::connect(&endpoint);
        good.send(&Octets::opening(1, "PUSH").message(b"still here"));
        while pull.recv().unwrap().bytes() != b"still here" {}
    });
}

#[test]
fn who_is_silent_during_the_handshake_is_hung_up_on_in_time() {
    let context = Context::new().unwrap();
    let mut options = options();
    options.handshake = Some(HANDSHAKE);
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let whole = Octets::opening(1, "PUSH").0;
    for len in [0, 1, 10, 11, 63, 64, 65, 66, whole.len() - 1] {
        let begun = Instant::now();
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&Octets(whole[..len].to_vec()));
        peer.expect_end();
        let took = begun.elapsed();
        assert!((HANDSHAKE..HANDSHAKE * 5).contains(&took), "{took:?} after {len} octets");
    }
    // A handshake in time has no further limit.
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&Octets(whole));
    std::thread::sleep(HANDSHAKE * 2);
    peer.send(&Octets::new().message(b"late"));
    assert_eq!(pull.recv().unwrap().bytes(), b"late");
}

#[test]
fn an_announced_length_costs_no_memory() {
    let context = Context::new().unwrap();
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options());
    let before = resident();
    let mut peers: Vec<RawPeer> = (44..63)
        .map(|power| {
            let mut peer = RawPeer::connect(&endpoint);
            peer.send(&Octets::opening(1, "PUSH").header(flag::LONG, 1 << power).raw(&[7; 1000]));
            peer
        })
        .collect();
    assert!(nothing_comes(&mut pull));
    assert_serves(&mut pull, &endpoint);
    let grown = resident().saturating_sub(before);
    assert!(grown <= peers.len() * (1 << 20) + (8 << 20), "{grown} octets for {} peers", peers.len());
    // They are waited for, not hung up on, since no limit was set.
    assert!(peers.iter_mut().all(|peer| !peer.hear(Duration::from_millis(5), |_| false).ended));
}

/// Octets of memory this process has.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn a_frame_beyond_the_limit_is_hung_up_on_at_its_header() {
    let context = Context::new().unwrap();
    let mut options = options();
    options.max_frame = Some(1000);
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&Octets::opening(1, "PUSH").message(&[7; 1000]).header(flag::LONG, 1001));
    peer.expect_end();
    assert_eq!(pull.recv().unwrap().bytes(), [7; 1000]);
    assert!(nothing_comes(&mut pull));
}

#[test]
fn peers_beyond_the_limit_are_hung_up_on() {
    let context = Context::new().unwrap();
    let mut options = options();
    options.pattern.limits.peers = 2;
    let (mut pull, endpoint) = bound(&context, SocketType::Pull, options);
    let mut peers = [(); 2].map(|()| RawPeer::connect(&endpoint));
    for peer in &mut peers {
        peer.send(&Octets::opening(1, "PUSH"));
        peer.expect(&Octets::opening(1, "PULL"));
    }
    RawPeer::connect(&endpoint).expect_end();
    for peer in &mut peers {
        peer.send(&Octets::new().message(b"still here"));
        assert_eq!(pull.recv().unwrap().bytes(), b"still here");
    }
}

#[test]
fn topics_beyond_the_limit_are_hung_up_on() {
    let context = Context::new().unwrap();
    let mut options = options();
    let mut limits = Limits::DEFAULT;
    (limits.topics, limits.topic_len) = (10, 100);
    options.pattern.limits = limits;
    let (mut publisher, endpoint) = bound(&context, SocketType::XPub, options);
    let opening = || Octets::opening(1, "SUB");
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&(0..11_u8).fold(opening(), |octets, topic| octets.command("SUBSCRIBE", &[topic])));
    peer.expect_end();
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&opening().command("SUBSCRIBE", &[7; 101]));
    peer.expect_end();
    // Within the limits all is well, and what the others had asked for is forgotten.
    let mut events: Vec<Vec<u8>> =
        std::iter::from_fn(|| Some(publisher.recv_timeout(A_MOMENT).ok()?.bytes().to_vec())).collect();
    let (on, off): (Vec<_>, Vec<_>) = events.drain(..).partition(|event| event[0] == 1);
    assert_eq!((on.len(), off.len()), (10, 10));
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&(0..10_u8).fold(opening(), |octets, topic| octets.command("SUBSCRIBE", &[topic; 100])));
    for topic in 0..10 {
        assert_eq!(publisher.recv().unwrap().bytes(), [&[1][..], &[topic; 100]].concat());
    }
}

#[test]
fn subscriptions_come_in_either_form_from_any_version() {
    let context = Context::new().unwrap();
    for minor in [0, 1] {
        let (mut publisher, endpoint) = bound(&context, SocketType::XPub, options());
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&Octets::opening(minor, "SUB").message(b"\x01old").command("SUBSCRIBE", b"new").message(b"\x01gone"));
        for event in [&b"\x01old"[..], b"\x01new", b"\x01gone"] {
            assert_eq!(publisher.recv().unwrap().bytes(), event);
        }
        peer.send(&Octets::new().message(b"\x00gone"));
        assert_eq!(publisher.recv().unwrap().bytes(), b"\x00gone");
        peer.expect(&Octets::new().greeting(3, 1));
        for topic in ["other", "old topic", "gone", "new topic"] {
            publisher.send(topic).unwrap();
        }
        peer.expect(&Octets::new().ready(&[("Socket-Type", b"XPUB")]).message(b"old topic").message(b"new topic"));
        // What the peer speaks decides how it is told of topics.
        let (mut sub, endpoint) = bound(&context, SocketType::Sub, options());
        sub.subscribe("x").unwrap();
        let mut peer = RawPeer::connect(&endpoint);
        peer.send(&Octets::opening(minor, "PUB"));
        peer.expect(&Octets::opening(1, "SUB"));
        let told = |on: bool| match (minor, on) {
            (0, true) => Octets::new().message(b"\x01x"),
            (0, false) => Octets::new().message(b"\x00x"),
            (_, true) => Octets::new().command("SUBSCRIBE", b"x"),
            (_, false) => Octets::new().command("CANCEL", b"x"),
        };
        peer.expect(&told(true));
        sub.unsubscribe("x").unwrap();
        peer.expect(&told(false));
    }
}

#[test]
fn a_long_topic_in_the_old_form_has_a_long_header() {
    let context = Context::new().unwrap();
    let (mut sub, endpoint) = bound(&context, SocketType::Sub, options());
    sub.subscribe([b'x'; 255]).unwrap();
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&Octets::opening(0, "PUB"));
    peer.expect(&Octets::opening(1, "SUB").header(flag::LONG, 256).raw(b"\x01").raw(&[b'x'; 255]));
}

#[test]
fn the_signature_comes_unasked_and_the_rest_when_it_is_known_to_be_understood() {
    let context = Context::new().unwrap();
    let (_pull, endpoint) = bound(&context, SocketType::Pull, options());
    let own = Octets::new().greeting(3, 1).0;
    let mut peer = RawPeer::connect(&endpoint);
    let heard = peer.hear(A_MOMENT, |_| false);
    assert!(!heard.ended && heard.octets == own[..heard.octets.len()] && heard.octets.len() >= 10, "{heard:?}");
    peer.send(&Octets(own.clone()));
    peer.expect(&Octets(own[heard.octets.len()..].to_vec()));
    peer.expect(&Octets::new().ready(&[("Socket-Type", b"PULL")]));
}

#[test]
fn routing_ids_are_announced_by_those_that_have_them() {
    let context = Context::new().unwrap();
    for (socket_type, peer_type) in
        [(SocketType::Dealer, "ROUTER"), (SocketType::Router, "DEALER"), (SocketType::Req, "REP")]
    {
        for id in [&b""[..], b"me"] {
            let mut options = options();
            options.routing_id = id.into();
            let (_socket, endpoint) = bound(&context, socket_type, options);
            let mut peer = RawPeer::connect(&endpoint);
            peer.send(&Octets::opening(1, peer_type));
            let name = socket_type.name().as_bytes();
            // The greeting's padding tells a 1.0 peer how long a frame the routing id would be.
            let mut due = Octets::new().greeting(3, 1).ready(&[("Socket-Type", name), ("Identity", id)]);
            due.0[8] = id.len() as u8 + 1;
            peer.expect(&due);
        }
    }
}

#[test]
fn a_ping_is_answered_with_its_context() {
    let context = Context::new().unwrap();
    let (_pull, endpoint) = bound(&context, SocketType::Pull, options());
    let mut peer = RawPeer::connect(&endpoint);
    peer.send(&Octets::opening(1, "PUSH"));
    peer.expect(&Octets::opening(1, "PULL"));
    for ping in [&b""[..], b"0123456789abcdef"] {
        peer.send(&Octets::new().command("PING", &[&[0, 10], ping].concat()));
        peer.expect(&Octets::new().command("PONG", ping));
    }
}

#[test]
fn a_server_that_hangs_up_is_tried_again_and_one_that_breaks_the_protocol_is_not() {
    let context = Context::new().unwrap();
    let listener = RawListener::new();
    let mut push = context.socket_with(SocketType::Push, options()).unwrap();
    push.connect(&listener.endpoint()).unwrap();
    push.send("waits").unwrap();
    for len in [0, 5, 64, 70] {
        let mut peer = listener.accept();
        peer.send(&Octets(Octets::opening(1, "PULL").0[..len].to_vec()));
    }
    let mut peer = listener.accept();
    peer.send(&Octets::opening(1, "PULL"));
    peer.expect(&Octets::opening(1, "PUSH").message(b"waits"));
    drop(peer);
    let mut peer = listener.accept();
    peer.send(&Octets::opening(1, "PUSH"));
    peer.expect_end();
    assert!(listener.accept_within(Duration::from_millis(300)).is_none(), "it would end the same way again");
}
