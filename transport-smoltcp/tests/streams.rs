//! What becomes of streams: capacities, refusals, back-offs, patience and ends.
#![cfg(all(feature = "ip", feature = "ipv6"))]
mod support;

use core::time::Duration as Span;
use omnimq_core::{CloseReason, Failure, Options, Pub, Pull, Push, Rep, Req, SendErrorKind, Sub};
use omnimq_smoltcp::{BindError, Capacity, ConnectError, Event, Settings};
use smoltcp::socket::tcp;
use smoltcp::time::Duration;
use support::pipe::Weather;
use support::{Network, Watched, message};

type Small = Capacity<4, 2, 2, 128, 8, 16, 256, 256>;
type One = Capacity<1, 2, 2, 1100, 8, 16, 512, 512>;
type Wide = Capacity<1, 64, 2, 128, 8, 16, 256, 1024>;

fn options() -> Options {
    Options::new(3)
}

fn quick() -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.connect = Span::from_millis(500);
    settings.connection.handshake = Some(Span::from_secs(2));
    settings
}

#[test]
fn a_fifth_peer_is_refused_and_told_of_and_the_four_go_on() {
    let mut net = Network::calm();
    let mut publisher = Watched::new(net.socket::<_, Small>(0, Pub, options(), quick()));
    publisher.socket.bind(5555).unwrap();
    let mut subs: Vec<_> = (0..5).map(|_| Watched::new(net.socket::<_, One>(1, Sub, options(), quick()))).collect();
    for sub in &mut subs[..4] {
        sub.socket.subscribe(b"").unwrap();
        sub.socket.connect((net.address(0), 5555)).unwrap();
    }
    let [a, b, c, d, late] = &mut subs[..] else { unreachable!() };
    assert!(until!(net, 10, [0 => publisher, 1 => *a, 1 => *b, 1 => *c, 1 => *d], publisher.ready() == 4));
    late.socket.connect((net.address(0), 5555)).unwrap();
    let from = net.address(1);
    let refused = |event: &Event| matches!(event, Event::Refused(remote) if remote.addr == from);
    let told = until!(net, 10, [0 => publisher, 1 => *a, 1 => *b, 1 => *c, 1 => *d, 1 => *late], {
        publisher.told(|event| matches!(event, Event::Refused(_))) > 2
    });
    assert!(told && publisher.told(refused) > 2 && late.ready() == 0, "{:?}", late.events);
    // Each time it was reset, was told of once, and tried again from another port.
    assert!(late.told(|event| *event == Event::ConnectFailed(Failure::Refused)) >= 2, "{:?}", late.events);
    let port = |(_, event): &(usize, Event)| if let Event::Refused(remote) = event { Some(remote.port) } else { None };
    let ports: Vec<u16> = publisher.events.iter().filter_map(port).collect();
    assert!(ports.is_sorted_by(|one, next| one < next), "{ports:?}");
    publisher.socket.send(b"still here").unwrap();
    let mut heard = 0;
    assert!(until!(net, 10, [0 => publisher, 1 => *a, 1 => *b, 1 => *c, 1 => *d], {
        heard += [&mut *a, &mut *b, &mut *c, &mut *d].into_iter().filter_map(|sub| sub.recv()).count();
        heard == 4
    }));
    // When one leaves, the one that came too late comes in.
    a.socket.close(net.now);
    assert!(until!(net, 30, [0 => publisher, 1 => *a, 1 => *b, 1 => *c, 1 => *d, 1 => *late], late.ready() == 1));
}

/// One frame that is too long, and frames that are so together.
#[test]
fn a_message_beyond_the_capacity_closes_its_peer_alone() {
    for parts in [vec![vec![7; 1000]], vec![vec![7; 80]; 2]] {
        let mut net = Network::calm();
        let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
        pull.socket.bind(5555).unwrap();
        let mut good = Watched::new(net.socket::<_, One>(1, Push, options(), quick()));
        let mut bad = Watched::new(net.socket::<_, One>(1, Push, options(), quick()));
        good.socket.connect((net.address(0), 5555)).unwrap();
        bad.socket.connect((net.address(0), 5555)).unwrap();
        assert!(until!(net, 10, [0 => pull, 1 => good, 1 => bad], pull.ready() == 2));
        assert_eq!(good.socket.send(&[7; 1200]), Err(SendErrorKind::TooLarge));
        assert!(bad.send(&parts));
        let closed = |event: &Event| *event == Event::Closed(CloseReason::TooLarge);
        assert!(until!(net, 10, [0 => pull, 1 => good, 1 => bad], pull.told(closed) == 1));
        good.socket.send(b"small").unwrap();
        let mut heard = None;
        assert!(until!(net, 10, [0 => pull, 1 => good], {
            heard = heard.take().or_else(|| pull.recv());
            heard.is_some()
        }));
        assert_eq!(heard.unwrap(), [b"small"]);
        assert_eq!(good.told(|event| matches!(event, Event::Closed(_))), 0);
    }
}

#[test]
fn a_full_queue_holds_the_sender_back_and_nothing_is_lost() {
    let mut net = Network::calm();
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    pull.socket.bind(5555).unwrap();
    push.socket.connect((net.address(0), 5555)).unwrap();
    let mut sent = 0u32;
    let mut quiet = 0;
    assert!(until!(net, 60, [0 => pull, 1 => push], {
        let before = sent;
        while push.send(&[vec![sent as u8; 64]]) {
            sent += 1;
        }
        quiet = if sent == before { quiet + 1 } else { 0 };
        quiet > 200
    }));
    // Two queues of two, two TCP buffers of 256 octets, and a message in progress at most.
    assert!((4..=4 + 512 / 66 + 1).contains(&sent), "{sent}");
    let mut heard = 0;
    assert!(until!(net, 60, [0 => pull, 1 => push], {
        while let Some(parts) = pull.recv() {
            assert_eq!(parts, [vec![heard as u8; 64]]);
            heard += 1;
        }
        heard == sent
    }));
    // One more than the queue takes, and nothing after it: it comes when there is room, though TCP has nothing to tell.
    for number in 0..3 {
        assert!(until!(net, 10, [0 => pull, 1 => push], push.send(&[vec![number; 64]])));
    }
    until!(net, 1, [0 => pull, 1 => push], false);
    for number in 0..3 {
        assert_eq!(pull.recv(), Some(vec![vec![number; 64]]));
        until!(net, 1, [0 => pull, 1 => push], false);
    }
}

/// However much has come: `RX` octets of each stream, and queues that would take more.
#[test]
fn one_poll_takes_what_the_buffers_of_its_streams_hold() {
    const RX: usize = 256;
    let mut net = Network::calm();
    let mut pull = Watched::new(net.socket::<_, Capacity<2, 2, 64, 128, 8, 16, RX, 256>>(0, Pull, options(), quick()));
    let mut pushes = [0, 1].map(|_| Watched::new(net.socket::<_, Wide>(1, Push, options(), quick())));
    pull.socket.bind(5555).unwrap();
    for push in &mut pushes {
        push.socket.connect((net.address(0), 5555)).unwrap();
    }
    let [a, b] = &mut pushes;
    assert!(until!(net, 10, [0 => pull, 1 => *a, 1 => *b], pull.ready() == 2));
    for push in [&mut *a, &mut *b] {
        while push.send(&[vec![1; 14]]) {}
    }
    until!(net, 2, [1 => *a, 1 => *b], false);
    for _ in 0..3 {
        net.turn(&mut [(0, &mut pull)]);
        let heard = std::iter::from_fn(|| pull.recv()).count();
        assert_eq!(heard, 2 * RX / 16, "messages of 16 octets with their headers");
        until!(net, 2, [1 => *a, 1 => *b], false);
    }
}

#[test]
fn a_refusal_is_told_and_tried_again_with_back_off_until_somebody_listens() {
    let mut net = Network::calm();
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    push.socket.connect((net.address(0), 5555)).unwrap();
    assert!(push.send(&message(1)), "what is sent before waits");
    let refused = |event: &Event| *event == Event::ConnectFailed(Failure::Refused);
    let start = net.now;
    assert!(until!(net, 60, [0 => pull, 1 => push], push.told(refused) == 5));
    let took = net.now - start;
    // 100, 200, 400 and 800 ms, each up to twice as long.
    assert!(took >= Duration::from_millis(1500) && took < Duration::from_millis(3200), "{took}");
    pull.socket.bind(5555).unwrap();
    let mut heard = None;
    assert!(until!(net, 30, [0 => pull, 1 => push], {
        heard = heard.take().or_else(|| pull.recv());
        heard.is_some()
    }));
    assert_eq!(heard.unwrap(), message(1));
}

#[test]
fn a_silent_host_is_given_up_in_time_and_tried_again() {
    let mut net = Network::calm();
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    pull.socket.bind(5555).unwrap();
    net.cable.borrow_mut().weather = Weather::CUT;
    push.socket.connect((net.address(0), 5555)).unwrap();
    let start = net.now;
    let silent = |event: &Event| *event == Event::ConnectFailed(Failure::Unreachable);
    assert!(until!(net, 60, [0 => pull, 1 => push], push.told(silent) == 1));
    let took = net.now - start;
    assert!(took >= Duration::from_millis(500) && took < Duration::from_millis(600), "{took}");
    assert!(until!(net, 60, [0 => pull, 1 => push], push.told(silent) == 3));
    net.cable.borrow_mut().weather = Weather::CALM;
    assert!(until!(net, 60, [0 => pull, 1 => push], push.ready() == 1 && pull.ready() == 1));
}

#[test]
fn a_peer_that_says_nothing_is_closed_when_the_handshake_is_due() {
    let mut net = Network::calm();
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    pull.socket.bind(5555).unwrap();
    let raw = net.raw(1);
    let remote = (net.address(0), 5555);
    let host = &mut net.hosts[1];
    host.sockets.get_mut::<tcp::Socket>(raw).connect(host.interface.context(), remote, 50_000).unwrap();
    assert!(until!(net, 10, [0 => pull], pull.told(|event| *event == Event::Connected) == 1));
    let start = net.now;
    let late = |event: &Event| *event == Event::Closed(CloseReason::HandshakeTimeout);
    assert!(until!(net, 10, [0 => pull], pull.told(late) == 1));
    assert!(net.now - start <= Duration::from_millis(2100), "{}", net.now - start);
    assert!(until!(net, 10, [0 => pull], !net.hosts[1].sockets.get::<tcp::Socket>(raw).is_open()));
}

#[test]
fn what_was_sent_before_close_arrives() {
    let mut net = Network::calm();
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    pull.socket.bind(5555).unwrap();
    push.socket.connect((net.address(0), 5555)).unwrap();
    assert!(push.send(&[b"one".to_vec()]) && push.send(&[b"two".to_vec()]));
    push.socket.close(net.now);
    assert_eq!(push.socket.connect((net.address(0), 5556)), Err(ConnectError::Closed));
    let mut heard = Vec::new();
    assert!(until!(net, 10, [0 => pull, 1 => push], {
        heard.extend(pull.recv());
        push.socket.is_closed() && heard.len() == 2
    }));
    assert_eq!(heard, [[b"one".to_vec()], [b"two".to_vec()]]);
    assert!(until!(net, 10, [0 => pull], pull.told(|event| matches!(event, Event::Closed(CloseReason::EndOfStream))) == 1));
}

/// What owes nothing ends with a FIN, at once: a reset could overtake what the peer has yet to read.
#[test]
fn a_stream_that_is_closed_ends_with_a_fin() {
    let mut net = Network::calm();
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    let raw = net.raw(0);
    net.hosts[0].sockets.get_mut::<tcp::Socket>(raw).listen(5555).unwrap();
    push.socket.connect((net.address(0), 5555)).unwrap();
    assert!(until!(net, 10, [1 => push], push.told(|event| *event == Event::Connected) == 1));
    push.socket.close(net.now);
    let start = net.now;
    assert!(until!(net, 10, [1 => push], net.hosts[0].sockets.get::<tcp::Socket>(raw).state() == tcp::State::CloseWait));
    net.hosts[0].sockets.get_mut::<tcp::Socket>(raw).close();
    assert!(until!(net, 10, [1 => push], push.socket.is_closed()));
    assert!(net.now - start < Duration::from_millis(200), "{}", net.now - start);
}

#[test]
fn lingering_ends_in_time_when_the_peer_does_not_read_or_never_comes() {
    for comes in [true, false] {
        let mut net = Network::calm();
        let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
        let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
        if comes {
            pull.socket.bind(5555).unwrap();
        }
        push.socket.connect((net.address(0), 5555)).unwrap();
        let mut turns = 0;
        until!(net, 20, [0 => pull, 1 => push], {
            while push.send(&[vec![1; 64]]) {}
            turns += 1;
            turns > 300
        });
        let start = net.now;
        push.socket.close(start);
        assert!(until!(net, 20, [0 => pull, 1 => push], push.socket.is_closed()), "comes: {comes}");
        let took = net.now - start;
        assert!(took >= Duration::from_millis(900) && took < Duration::from_millis(1200), "comes: {comes}, {took}");
    }
}

#[test]
fn a_peer_that_is_replaced_is_connected_again_and_told_again() {
    let mut net = Network::calm();
    let mut sub = Watched::new(net.socket::<_, Small>(1, Sub, options(), quick()));
    sub.socket.subscribe(b"news").unwrap();
    sub.socket.connect((net.address(0), 5555)).unwrap();
    for life in 1..=3 {
        let mut publisher = Watched::new(net.socket::<_, One>(0, Pub, options(), quick()));
        publisher.socket.bind(5555).unwrap();
        let mut heard = None;
        assert!(until!(net, 30, [0 => publisher, 1 => sub], {
            publisher.send(&[b"olds".to_vec()]);
            publisher.send(&[b"news".to_vec(), vec![life]]);
            heard = heard.take().or_else(|| sub.recv());
            heard.is_some()
        }));
        assert_eq!(heard.unwrap()[1], [life]);
        assert_eq!(sub.ready(), usize::from(life));
        publisher.socket.close(net.now);
        assert!(until!(net, 30, [0 => publisher, 1 => sub], {
            while sub.recv().is_some() {}
            publisher.socket.is_closed()
        }));
    }
}

#[test]
fn one_interface_carries_several_sockets_that_listen_and_connect() {
    let mut net = Network::calm();
    let mut rep = Watched::new(net.socket::<_, Small>(0, Rep, options(), quick()));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), quick()));
    let mut req = Watched::new(net.socket::<_, Small>(1, Req, options(), quick()));
    rep.socket.bind(5555).unwrap();
    pull.socket.bind(5556).unwrap();
    assert_eq!(pull.socket.bind(5557), Err(BindError::AlreadyBound));
    req.socket.connect((net.address(0), 5555)).unwrap();
    push.socket.connect((net.address(0), 5556)).unwrap();
    let (question, task) = (vec![b"why".to_vec()], vec![b"that".to_vec(), b"too".to_vec()]);
    assert!(req.send(&question) && push.send(&task));
    let (mut work, mut answer) = (None, None);
    assert!(until!(net, 10, [0 => rep, 0 => pull, 1 => push, 1 => req], {
        if let Some(asked) = rep.recv() {
            assert!(rep.send(&asked));
        }
        work = work.take().or_else(|| pull.recv());
        answer = answer.take().or_else(|| req.recv());
        work.is_some() && answer.is_some()
    }));
    assert_eq!((answer.unwrap(), work.unwrap()), (question, task));
}

#[test]
fn a_place_is_free_again_after_disconnect_and_no_place_is_an_error() {
    let mut net = Network::calm();
    let mut push = Watched::new(net.socket::<_, One>(1, Push, options(), quick()));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    pull.socket.bind(5555).unwrap();
    assert_eq!(push.socket.connect((net.address(0), 0)), Err(ConnectError::NoPort));
    let place = push.socket.connect((net.address(0), 5555)).unwrap();
    assert_eq!(push.socket.connect((net.address(0), 5556)), Err(ConnectError::NoRoom));
    assert!(until!(net, 10, [0 => pull, 1 => push], push.ready() == 1));
    let now = net.now;
    push.socket.disconnect(place, &mut net.hosts[1].sockets, now);
    assert!(until!(net, 10, [0 => pull, 1 => push], push.socket.connect((net.address(0), 5555)).is_ok()));
    assert!(until!(net, 10, [0 => pull, 1 => push], push.ready() == 2 && pull.ready() == 2));
}

#[test]
fn a_dead_peer_is_given_up_when_it_acknowledges_nothing() {
    let mut net = Network::calm();
    let mut settings = quick();
    settings.silence = Some(Span::from_secs(5));
    let mut push = Watched::new(net.socket::<_, Small>(1, Push, options(), settings));
    let mut pull = Watched::new(net.socket::<_, Small>(0, Pull, options(), quick()));
    pull.socket.bind(5555).unwrap();
    push.socket.connect((net.address(0), 5555)).unwrap();
    assert!(until!(net, 10, [0 => pull, 1 => push], push.ready() == 1));
    net.cable.borrow_mut().weather = Weather::CUT;
    assert!(push.send(&message(1)));
    let start = net.now;
    assert!(until!(net, 60, [0 => pull, 1 => push], push.told(|event| matches!(event, Event::Closed(_))) == 1));
    assert!(net.now - start < Duration::from_secs(8), "{}", net.now - start);
}

/// Beside its one straddling frame a connection is small, and so is a publisher.
#[test]
fn sizes_are_as_promised() {
    use omnimq_core::storage::fixed::{Bytes, Filling};
    use omnimq_core::{Connection, Node};
    let connection = size_of::<Connection<Bytes<1024>>>() - size_of::<Filling<1024>>();
    assert!(connection <= 256, "{connection}");
    // Four peers, a mark of eight, messages of 64 octets, sixteen topics of 16 octets for each peer.
    let node = size_of::<Node<Pub, Capacity<4, 8, 0, 66, 64, 16>>>();
    println!("connection {connection}, node {node}");
    assert!(node <= 6 << 10, "{node}");
}
