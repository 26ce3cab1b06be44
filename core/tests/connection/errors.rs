//! Each way a connection can end, told once, and nothing after it.

use crate::runs::Runs;
use crate::trace::{Side, Small, command, frame, greeting, greeting_of, long_frame, message, property, ready};
use omnimq_core::connection::{Config, Event};
use omnimq_core::wire::WireError;
use omnimq_core::{CloseReason, Heap, Limit, LocalStorage, PipeReader, PipeWriter, Signal, SocketType};

fn protocol(error: WireError) -> CloseReason {
    CloseReason::Protocol(error)
}

/// What a PULL's peer may send from the first octet on, and what it makes of it.
fn table() -> Vec<(&'static str, Vec<u8>, CloseReason)> {
    let hello = greeting(3, 1);
    let after = |rest: &[u8]| [&hello[..], rest].concat();
    let long_id = ready(SocketType::Push, Some(&[1; 256]));
    let typed = |data: &[u8]| command(b"READY", data);
    let in_traffic = |rest: &[u8]| after(&[&ready(SocketType::Push, None), rest].concat());
    vec![
        ("not ZMTP", b"GET / HTTP/1.1\r\n".to_vec(), CloseReason::UnsupportedVersion),
        ("1.0, short identity", b"\x01\0\0\x05hello".to_vec(), CloseReason::UnsupportedVersion),
        ("1.0, long identity", b"\xff\0\0\0\0\0\0\x01\0\0".to_vec(), CloseReason::UnsupportedVersion),
        ("1.0 with revision", b"\xff\0\0\0\0\0\0\0\x01\x7f\0".to_vec(), CloseReason::UnsupportedVersion),
        ("2.0", b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0".to_vec(), CloseReason::UnsupportedVersion),
        ("PLAIN", greeting_of(3, 1, b"PLAIN", 0), CloseReason::MechanismMismatch),
        ("NULLS", greeting_of(3, 1, b"NULLS", 0), CloseReason::MechanismMismatch),
        ("no mechanism", greeting_of(3, 1, b"", 0), CloseReason::MechanismMismatch),
        (
            "the 20th octet of the mechanism",
            greeting_of(3, 1, b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0!", 0),
            CloseReason::MechanismMismatch,
        ),
        ("a message before READY", after(&frame(0, b"early")), protocol(WireError::BadCommand)),
        ("READY as a message", after(&frame(0, &ready(SocketType::Push, None)[2..])), protocol(WireError::BadCommand)),
        ("PING before READY", after(&command(b"PING", b"\0\0")), protocol(WireError::BadCommand)),
        ("SUBSCRIBE before READY", after(&command(b"SUBSCRIBE", b"")), protocol(WireError::BadCommand)),
        ("an unknown command before READY", after(&command(b"HOWDY", b"")), protocol(WireError::BadCommand)),
        ("a command without a name", after(b"\x04\0"), protocol(WireError::BadCommand)),
        ("a name longer than the command", after(b"\x04\x02\x05R"), protocol(WireError::BadCommand)),
        ("a command of two frames", after(b"\x05\x06\x05READY"), protocol(WireError::CommandWithMore)),
        ("ERROR", after(&command(b"ERROR", b"\x03400")), CloseReason::PeerError),
        ("a torn ERROR", after(&command(b"ERROR", b"\x09400")), protocol(WireError::BadError)),
        ("READY without a type", after(&typed(b"")), protocol(WireError::BadMetadata)),
        ("READY with an identity only", after(&typed(&property(b"Identity", b"x"))), protocol(WireError::BadMetadata)),
        (
            "octets after the last property",
            after(&typed(&[property(b"Socket-Type", b"PUSH"), vec![1]].concat())),
            protocol(WireError::BadMetadata),
        ),
        (
            "a value longer than the command",
            after(&typed(b"\x0bSocket-Type\xff\xff\xff\xffPUSH")),
            protocol(WireError::BadMetadata),
        ),
        ("the wrong type", after(&ready(SocketType::Pull, None)), CloseReason::IncompatiblePeer),
        ("no type at all", after(&typed(&property(b"Socket-Type", b"PUS"))), CloseReason::IncompatiblePeer),
        ("an identity of 256 octets", after(&long_id), protocol(WireError::BadIdentity)),
        ("a length of 2^63", after(b"\x06\x80\0\0\0\0\0\0\0"), protocol(WireError::LengthOverflow)),
        ("a READY of 2^44 octets", after(b"\x06\0\0\x10\0\0\0\0\0"), CloseReason::Limit(Limit::Handshake)),
        (
            "a length of 2^63 in traffic",
            in_traffic(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff"),
            protocol(WireError::LengthOverflow),
        ),
        ("ERROR in traffic", in_traffic(&command(b"ERROR", b"\x03500")), CloseReason::PeerError),
        ("a PING of one octet", in_traffic(&command(b"PING", b"\0")), protocol(WireError::BadPing)),
    ]
}

fn closes<S: LocalStorage>(what: &str, octets: &[u8], reason: CloseReason, step: usize) {
    let mut side = Side::<S>::new(SocketType::Pull);
    for piece in octets.chunks(step) {
        // Octets after the end are taken and passed over.
        assert_eq!(side.feed(piece), piece.len(), "{what}");
    }
    assert_eq!(side.connection.closed(), Some(reason), "{what}, {step} at a time");
    assert_eq!(side.events().pop(), Some(Event::Closed(reason)), "{what}");
    assert_eq!(side.signals().pop(), Some(Signal::Close(reason)), "{what}");
    assert_eq!(side.drain(), b"", "{what}: a closed connection sends nothing");
    side.feed(b"\0\x01x");
    side.eof();
    at!(side, 60_000);
    assert_eq!((side.events(), side.signals(), side.messages()), (vec![], vec![], vec![]), "{what}: told once");
    assert_eq!(side.connection.wanted(), None, "{what}");
    assert_eq!(side.connection.poll_timeout(), None, "{what}");
    assert_eq!(side.connection.closed(), Some(reason), "{what}: the first reason holds");
}

#[test]
fn every_reason_is_told_once_however_the_octets_are_cut() {
    for (what, octets, reason) in table() {
        for step in [1, 7, octets.len()] {
            closes::<Heap>(what, &octets, reason, step);
            closes::<Small>(what, &octets, reason, step);
        }
    }
}

#[test]
fn every_prefix_of_a_stream_may_be_the_last() {
    let whole = [greeting(3, 1), ready(SocketType::Push, None), message(&[b"one", b"two"]), message(&[b"three"])].concat();
    let (begun, first) = (whole.len() - 15, whole.len() - 5);
    for len in 0..=whole.len() {
        let mut side = Side::<Heap>::new(SocketType::Pull);
        send!(side, whole[..len]);
        side.eof();
        let expected: &[&[&[u8]]] = match len {
            _ if len < first - 2 => &[],
            _ if len < whole.len() => &[&[b"one", b"two"]],
            _ => &[&[b"one", b"two"], &[b"three"]],
        };
        assert_eq!(side.messages(), expected, "after {len} octets: whole messages only");
        let ready = (len >= begun - 2).then_some(Event::HandshakeSucceeded { minor: 1 });
        let told: Vec<_> = ready.into_iter().chain([Event::Closed(CloseReason::EndOfStream)]).collect();
        assert_eq!(side.events(), told, "after {len} octets");
        assert_eq!(side.signals().last(), Some(&Signal::Close(CloseReason::EndOfStream)));
    }
}

#[test]
fn every_pair_of_types_that_may_not_talk_is_refused() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL {
            let mut side = Side::<Heap>::new(ours);
            send!(side, greeting(3, 1), ready(theirs, None));
            let reason = (!ours.pairs_with(theirs)).then_some(CloseReason::IncompatiblePeer);
            assert_eq!(side.connection.closed(), reason, "{ours} and {theirs}");
            assert_eq!(side.connection.is_ready(), reason.is_none(), "{ours} and {theirs}");
        }
    }
}

fn limited(change: impl Fn(&mut Config)) -> Config {
    let mut config = Config::DEFAULT;
    change(&mut config);
    config
}

#[test]
fn a_frame_may_have_max_frame_octets_and_no_more() {
    let config = limited(|config| config.max_frame = 300);
    for (len, reason) in [(299, None), (300, None), (301, Some(CloseReason::TooLarge))] {
        let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
        send!(side, long_frame(0, &vec![9; len]));
        assert_eq!(side.connection.closed(), reason, "{len} octets");
        assert_eq!(side.messages().len(), usize::from(reason.is_none()));
    }
}

#[test]
fn a_frame_that_is_too_large_is_refused_by_its_header() {
    let config = limited(|config| config.max_frame = 300);
    let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
    send!(side, message(&[b"before"]), b"\x02\0\0\0\0\0\0\x01\x2d");
    events!(side, Event::Closed(CloseReason::TooLarge));
    assert_eq!(side.messages(), [[b"before"]], "what came before it stays");
}

#[test]
fn fixed_storage_refuses_what_it_cannot_keep() {
    let mut side = Side::<Small>::ready(SocketType::Pull, SocketType::Push, 1);
    send!(side, long_frame(0, &[1; 319]));
    events!(side, Event::Closed(CloseReason::TooLarge));
    let mut side = Side::<Small>::ready(SocketType::Pull, SocketType::Push, 1);
    send!(side, b"\x02\0\0\0\0\0\x01\0\0");
    events!(side, Event::Closed(CloseReason::TooLarge));
}

/// A header that announces 2^44 octets or more costs nothing but what has arrived.
#[test]
fn an_announced_length_is_not_memory() {
    for len in [1_u64 << 44, 1 << 50, (1 << 63) - 1] {
        let mut side = Side::<Heap>::ready(SocketType::Pull, SocketType::Push, 1);
        let mut arrived = 0;
        send!(side, b"\x02", len.to_be_bytes());
        if usize::try_from(len).is_err() {
            // A small machine cannot even count that far.
            assert_eq!(side.connection.closed(), Some(CloseReason::TooLarge));
            continue;
        }
        for _ in 0..40 {
            let space = side.connection.wanted().map_or(0, |space| space.len());
            assert!(space <= (64 << 10) + arrived, "{space} octets of room after {arrived} octets");
            send!(side, [0; 5000]);
            arrived += 5000;
        }
        assert_eq!(side.connection.closed(), None);
        side.eof();
        assert_eq!((side.messages(), side.connection.wanted()), (vec![], None));
    }
}

#[test]
fn metadata_has_a_limit() {
    let config = limited(|config| config.limits.metadata = 100);
    for (len, reason) in [(100, None), (101, Some(CloseReason::Limit(Limit::Metadata)))] {
        let mut data = property(b"Socket-Type", b"PUSH");
        let filler = len - data.len() - property(b"X-Fill", b"").len();
        data.extend(property(b"X-Fill", &vec![b'.'; filler]));
        let mut side = Side::<Heap>::with(SocketType::Pull, config);
        send!(side, greeting(3, 1), command(b"READY", &data));
        assert_eq!(side.connection.closed(), reason, "{len} octets");
    }
}

#[test]
fn octets_before_the_end_of_the_handshake_have_a_limit() {
    let octets = [greeting(3, 1), ready(SocketType::Push, None)].concat();
    let most = u32::try_from(octets.len()).unwrap();
    for (limit, reason) in [(most, None), (most - 1, Some(CloseReason::Limit(Limit::Handshake)))] {
        let config = limited(|config| config.limits.handshake = limit);
        let mut side = Side::<Heap>::with(SocketType::Pull, config);
        // What follows READY does not count.
        send!(side, octets, message(&[&[0; 100]]));
        assert_eq!(side.connection.closed(), reason, "a limit of {limit}");
    }
    // A long header counts as what it is.
    let body = [b"\x05READY".to_vec(), property(b"Socket-Type", b"PUSH"), property(b"X", &[0; 300])].concat();
    let octets = [greeting(3, 1), long_frame(4, &body)].concat();
    let most = u32::try_from(octets.len()).unwrap();
    for (limit, closed) in [(most, false), (most - 1, true)] {
        let mut side = Side::<Heap>::with(SocketType::Pull, limited(|config| config.limits.handshake = limit));
        send!(side, octets);
        assert_eq!(side.connection.closed().is_some(), closed, "a limit of {limit}");
    }
}

#[test]
fn commands_in_traffic_have_a_limit() {
    let config = limited(|config| (config.limits.command, config.limits.topic_len) = (500, 20));
    for (len, reason) in [(500, None), (501, Some(CloseReason::Limit(Limit::Command)))] {
        let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
        send!(side, command(b"WHATEVER", &vec![0; len - 9]));
        assert_eq!(side.connection.closed(), reason, "{len} octets");
        // Refused by the header: nothing of the body has come.
        let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
        send!(side, b"\x06", (len as u64).to_be_bytes());
        assert_eq!(side.connection.closed(), reason, "{len} octets announced");
    }
}

#[test]
fn frames_of_a_message_have_a_limit_however_they_come() {
    let config = limited(|config| config.limits.frames = 3);
    for (frames, reason) in [(3, None), (4, Some(CloseReason::Limit(Limit::Frames)))] {
        let body = vec![&b"x"[..]; frames];
        let octets = [message(&[b"a", b"b", b"c"]), message(&body), message(&[b"end"])].concat();
        for step in [1, 5, octets.len()] {
            let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
            for piece in octets.chunks(step) {
                send!(side, piece);
            }
            assert_eq!(side.connection.closed(), reason, "{frames} frames, {step} octets at a time");
        }
        let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
        let mut runs = Runs { lane: Heap::lane(9), most: u32::MAX, taken: 0 };
        side.connection.handle_input(side.local(), octets.as_slice(), &mut 0, &mut runs, side.now);
        assert_eq!((side.connection.closed(), runs.taken), (reason, if frames == 3 { 3 } else { 1 }));
    }
    // Before the message has come to its end, if it ever does.
    let mut side = Side::<Heap>::ready_with(SocketType::Pull, SocketType::Push, 1, config);
    send!(side, frame(1, b"x").repeat(4));
    assert_eq!(side.connection.closed(), Some(CloseReason::Limit(Limit::Frames)));
}

#[test]
fn topics_have_a_limit_in_every_form() {
    // With a lower limit for other commands, the longest topic still passes.
    let config = limited(|config| (config.limits.command, config.limits.topic_len) = (0, 300));
    for (len, reason) in [(300, None), (301, Some(CloseReason::Limit(Limit::TopicLen)))] {
        let topic = vec![b't'; len];
        let forms = [
            command_frame(b"\x06CANCEL", &topic),
            command_frame(b"\x09SUBSCRIBE", &topic),
            frame(0, &[&[1], &topic[..]].concat()),
            frame(0, &[&[0], &topic[..]].concat()),
        ];
        for (n, octets) in forms.iter().enumerate() {
            let mut side = Side::<Heap>::ready_with(SocketType::XPub, SocketType::Sub, 1, config);
            send!(side, octets);
            let reason = match (n, reason) {
                (1, Some(_)) => Some(CloseReason::Limit(Limit::Command)),
                (_, reason) => reason,
            };
            assert_eq!(side.connection.closed(), reason, "{len} octets, form {n}");
        }
    }
}

fn command_frame(name: &[u8], data: &[u8]) -> Vec<u8> {
    frame(4, &[name, data].concat())
}

#[test]
fn closed_by_its_socket() {
    let mut side = Side::<Heap>::ready(SocketType::Pair, SocketType::Pair, 1);
    side.write(&[b"left"]);
    side.tx.signal(Signal::Close(CloseReason::Unwanted)).unwrap();
    silent!(side);
    events!(side, Event::Closed(CloseReason::Unwanted));
    assert_eq!(crate::trace::read_all(&mut side.tx), [[b"left"]], "it stays in the pipe");
    assert_eq!(side.signals(), [], "nobody has had the writing end yet");
    side.eof();
    assert_eq!(side.signals(), [Signal::Close(CloseReason::Unwanted)]);
    events!(side);
}

/// Whatever is half sent or waited for: a peer that says and reads nothing does not delay it.
#[test]
fn closed_by_its_socket_at_any_time() {
    fn close<S: LocalStorage>(mut side: Side<S>) {
        side.events();
        side.tx.signal(Signal::Close(CloseReason::Unwanted)).unwrap();
        silent!(side);
        events!(side, Event::Closed(CloseReason::Unwanted));
        assert_eq!(side.tx.front_signal(), None);
    }
    fn on<S: LocalStorage>() {
        for sent in [0, 5, 64, 70] {
            for room in [0, 5, 64] {
                let mut side = Side::<S>::new(SocketType::Pair);
                send!(side, [greeting(3, 1), ready(SocketType::Pair, None)].concat()[..sent]);
                side.drain_into(room);
                close(side);
            }
        }
        for room in 0..20 {
            let mut side = Side::<S>::ready(SocketType::Pair, SocketType::Pair, 1);
            side.write(&[b"one", b"two"]);
            side.drain_into(room);
            close(side);
        }
    }
    on::<Heap>();
    on::<Small>();
}
