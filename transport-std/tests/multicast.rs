//! Multicast sessions of a socket on the loopback interface: as its calls make and end them, and what they tell. What the
//! network does to them is tested between namespaces.
#![cfg(all(feature = "pgm", target_os = "linux"))]

use omnimq::{Cap, Context, Error, Event, EventKind, Monitor, PeerState, Poller, Readiness, SocketOptions, SocketType};
use omnimq_pgm::Sqn;
use omnimq_pgm::wire::{Content, Data, Flags, Gsi, Nak, Opt, OptionBuffer, OptionKind, Options, Packet, Spm, Tsi};
use socket2::{Domain, Protocol, Socket as Raw, Type};
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.multicast.rate = 20_000;
    options.multicast.loopback = true;
    options.pattern.nodrop = true;
    options
}

/// Each test has a port of its own.
fn session(port: u16) -> String {
    format!("epgm://127.0.0.1;239.192.7.1:{port}")
}

/// A member of the group that takes packets as they come.
fn witness(port: u16) -> UdpSocket {
    let group = Ipv4Addr::new(239, 192, 7, 1);
    let raw = Raw::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    raw.set_reuse_address(true).unwrap();
    raw.set_reuse_port(true).unwrap();
    raw.bind(&SocketAddr::from((group, port)).into()).unwrap();
    raw.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    let socket = UdpSocket::from(raw);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Packets of data up to the packet that says the end.
fn data_before_the_end(witness: &UdpSocket) -> usize {
    let (mut octets, mut data) = ([0; 2048], 0);
    loop {
        let len = witness.recv(&mut octets).expect("the end is told");
        match Packet::parse(&octets[..len]).unwrap().content {
            Content::Odata(_) => data += 1,
            Content::Spm(spm) if spm.ends() => return data,
            _ => {}
        }
    }
}

fn await_event(monitor: &Monitor, mut wanted: impl FnMut(&Event) -> bool) -> Event {
    loop {
        let event = monitor.recv_timeout(PATIENCE).expect("an event");
        if wanted(&event) {
            return event;
        }
    }
}

/// A second session would only make everything come twice, so the types that libzmq keeps from it have one.
#[test]
fn sessions_of_one_endpoint() {
    let (context, session) = (Context::new().unwrap(), session(17501));
    for (socket_type, sessions) in [(SocketType::Sub, 1), (SocketType::Pub, 1), (SocketType::XSub, 2)] {
        let mut socket = context.socket_with(socket_type, SocketOptions::default()).unwrap();
        socket.connect(&session).unwrap();
        socket.connect(&session).unwrap();
        for _ in 0..sessions {
            socket.unbind(&session).unwrap();
        }
        assert!(matches!(socket.unbind(&session), Err(Error::NotFound(_))), "{socket_type:?}");
    }
}

/// At 800 kbit/s fifty messages of 1000 octets take half a second, and `unbind` returns at once.
#[test]
fn what_waits_leaves_before_an_unbound_publisher_says_its_end() {
    let (context, port) = (Context::new().unwrap(), 17502);
    let (witness, mut options) = (witness(port), options());
    options.multicast.rate = 800;
    let mut publisher = context.socket_with(SocketType::Pub, options.clone()).unwrap();
    publisher.bind(&session(port)).unwrap();
    for _ in 0..50 {
        publisher.send([7; 1000].as_slice()).unwrap();
    }
    publisher.unbind(&session(port)).unwrap();
    publisher.send("to nobody").unwrap();
    assert!((35..=51).contains(&data_before_the_end(&witness)));
    // The endpoint is free for another session at once, and the one that was left keeps nothing alive.
    publisher.bind(&session(port)).unwrap();
    publisher.unbind(&session(port)).unwrap();
    assert_eq!(data_before_the_end(&witness), 0);
}

/// What cannot leave in the time that the socket may linger is given up.
#[test]
fn an_unbound_publisher_lingers_no_longer_than_it_may() {
    let (context, port) = (Context::new().unwrap(), 17503);
    let mut options = options();
    (options.multicast.rate, options.linger) = (8, Some(Duration::from_millis(100)));
    let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
    publisher.bind(&session(port)).unwrap();
    for _ in 0..50 {
        publisher.send([7; 1000].as_slice()).unwrap();
    }
    publisher.unbind(&session(port)).unwrap();
    let begin = Instant::now();
    drop(publisher);
    drop(context);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

/// The end is told at once, repairs are offered for a moment, and that is all that closing waits for.
#[test]
fn closing_a_publisher_tells_its_end_and_is_quick() {
    let (context, port) = (Context::new().unwrap(), 17504);
    let witness = witness(port);
    let mut publisher = context.socket_with(SocketType::Pub, options()).unwrap();
    publisher.bind(&session(port)).unwrap();
    for _ in 0..10 {
        publisher.send([7; 1400].as_slice()).unwrap();
    }
    let begin = Instant::now();
    drop(publisher);
    context.term();
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(data_before_the_end(&witness), 10);
}

/// Asks the source of a packet for its packets up to `last`.
fn nak(sent: &Packet<'_>, last: u32) -> Vec<u8> {
    let (source, group) = (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(239, 192, 7, 1).into());
    let mut options = OptionBuffer::new();
    let _ = options.push_list(&(1..=last).map(Sqn).collect::<Vec<_>>());
    let content = Content::Nak(Nak { sqn: Sqn(0), source, group, options: options.options() });
    let (source_port, Tsi { gsi, port: destination_port }) = (sent.destination_port, sent.downstream());
    let mut octets = vec![0; 500];
    let packet = Packet { source_port, destination_port, gsi, flags: Flags::SIGNIFICANT, content };
    let len = packet.emit(&mut octets).unwrap();
    octets.truncate(len);
    octets
}

/// Publishers of one host share the port that receivers ask at, and the kernel gives what one receiver asks of both to the
/// same one: each is asked all the same.
#[test]
fn two_publishers_of_one_host_are_both_asked() {
    let (context, port) = (Context::new().unwrap(), 17515);
    let (witness, receiver) = (witness(port), UdpSocket::bind("127.0.0.1:0").unwrap());
    let publishers = [1, 2].map(|_| {
        let mut publisher = context.socket_with(SocketType::Pub, options()).unwrap();
        publisher.bind(&session(port)).unwrap();
        publisher.send("one").unwrap();
        publisher
    });
    let (mut octets, mut repaired) = ([0; 2048], HashSet::new());
    while repaired.len() < 2 {
        let len = witness.recv(&mut octets).unwrap();
        let sent = Packet::parse(&octets[..len]).unwrap();
        match sent.content {
            Content::Odata(_) => assert!(receiver.send_to(&nak(&sent, 0), ("127.0.0.1", port)).is_ok()),
            Content::Rdata(_) => assert!(repaired.insert(sent.downstream())),
            _ => {}
        }
    }
    drop(publishers);
}

/// What is asked for while a publisher says its end, and a moment longer, is repaired; who goes on asking does not keep it.
#[test]
fn naks_without_end_keep_no_publisher_from_its_own() {
    let (context, port, mut options) = (Context::new().unwrap(), 17514, options());
    let witness = witness(port);
    options.multicast.rate = 1600;
    let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
    publisher.bind(&session(port)).unwrap();
    (0..20).for_each(|_| publisher.send([7; 1400].as_slice()).unwrap());
    let mut octets = [0; 2048];
    let nak = loop {
        let len = witness.recv(&mut octets).unwrap();
        let sent = Packet::parse(&octets[..len]).unwrap();
        let Content::Odata(Data { sqn: Sqn(last @ 15..), .. }) = sent.content else { continue };
        break nak(&sent, last);
    };
    let (asks, begin) = (UdpSocket::bind("127.0.0.1:0").unwrap(), Instant::now());
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| {
            drop(publisher);
            context.term();
        });
        while !closing.is_finished() {
            assert!(begin.elapsed() < PATIENCE, "it goes on and on");
            let _ = asks.send_to(&nak, ("127.0.0.1", port));
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// XSUB hears everything, for it leaves filtering to publishers, and these do not filter; XPUB hears of one subscription, to
/// everything, which the session stands for.
#[test]
fn xpub_and_xsub_talk_as_pub_and_sub_do() {
    let (context, session) = (Context::new().unwrap(), session(17505));
    let mut xsub = context.socket_with(SocketType::XSub, options()).unwrap();
    xsub.send(b"\x01a".as_slice()).unwrap();
    xsub.bind(&session).unwrap();
    let mut xpub = context.socket_with(SocketType::XPub, options()).unwrap();
    xpub.connect(&session).unwrap();
    for topic in ["b one", "a two"] {
        xpub.send([topic, "and more"]).unwrap();
        assert_eq!(xsub.recv_timeout(PATIENCE).unwrap().len(), 2, "{topic}");
    }
    assert_eq!(xpub.recv_timeout(PATIENCE).unwrap().bytes(), b"\x01");
    assert!(matches!(xpub.try_recv(), Err(Error::WouldBlock)));
}

/// Two groups to receive, and one to send to that is neither the first nor the only one.
#[test]
fn lists_of_groups_and_a_group_to_send_to() {
    let context = Context::new().unwrap();
    let mut subscriber = context.socket_with(SocketType::Sub, options()).unwrap();
    subscriber.subscribe(b"").unwrap();
    subscriber.connect("epgm://lo;239.192.7.2,239.192.7.3:17506").unwrap();
    for (endpoint, text) in [
        ("epgm://lo;239.192.7.2:17506", "to the first"),
        ("epgm://127.0.0.1;239.192.7.9;239.192.7.3:17506", "to the second"),
    ] {
        let mut publisher = context.socket_with(SocketType::Pub, options()).unwrap();
        publisher.connect(endpoint).unwrap();
        publisher.send(text).unwrap();
        assert_eq!(subscriber.recv_timeout(PATIENCE).unwrap().bytes(), text.as_bytes());
    }
}

/// What other groups bring on the same port, and in the same group other sources than those asked for, is not heard, though
/// other sockets of this host hear it.
#[test]
fn only_the_groups_and_sources_that_were_asked_for_are_heard() {
    let context = Context::new().unwrap();
    let heard = |sources: &[Ipv4Addr], group: u8| {
        let mut options = options();
        options.multicast.sources = sources.iter().map(|&source| source.into()).collect();
        let mut subscriber = context.socket_with(SocketType::Sub, options).unwrap();
        subscriber.subscribe(b"").unwrap();
        subscriber.connect(&format!("epgm://127.0.0.1;239.192.7.{group}:17513")).unwrap();
        subscriber
    };
    let mut subscribers = [heard(&[], 4), heard(&[Ipv4Addr::LOCALHOST], 4)];
    let mut deaf = [heard(&[], 5), heard(&[Ipv4Addr::new(127, 0, 0, 9)], 4)];
    let mut publisher = context.socket_with(SocketType::Pub, options()).unwrap();
    publisher.bind("epgm://127.0.0.1;239.192.7.4:17513").unwrap();
    publisher.send("to the fourth").unwrap();
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.recv_timeout(PATIENCE).unwrap().bytes(), b"to the fourth");
    }
    for subscriber in &mut deaf {
        assert!(matches!(subscriber.recv_timeout(Duration::from_millis(50)), Err(Error::WouldBlock)));
    }
}

#[test]
fn what_cannot_be_is_refused_and_named() {
    let context = Context::new().unwrap();
    for socket_type in [SocketType::Push, SocketType::Req, SocketType::Dealer, SocketType::Pair, SocketType::Router] {
        let mut socket = context.socket_with(socket_type, options()).unwrap();
        for result in [socket.bind(&session(17507)).map(drop), socket.connect(&session(17507))] {
            let Err(Error::Endpoint(text)) = result else { panic!("{socket_type:?}: {result:?}") };
            assert!(text.why.contains("PUB, SUB, XPUB and XSUB"), "{text}");
        }
    }
    let mut socket = context.socket_with(SocketType::Sub, options()).unwrap();
    for (endpoint, named) in [
        ("epgm://lo;239.192.7.1", "port"),
        ("epgm://lo;239.192.7.1:0", "port"),
        ("epgm://lo;10.0.0.1:5555", "group"),
        ("epgm://lo;a.name:5555", "group"),
        ("epgm://lo:5555", "group"),
        ("epgm://239.192.7.1:5555", "interface"),
        ("epgm://nosuch0;239.192.7.1:5555", "nosuch0"),
        ("epgm://192.0.2.77;239.192.7.1:5555", "192.0.2.77"),
    ] {
        let result = socket.connect(endpoint);
        let Err(Error::Endpoint(text)) = result else { panic!("{endpoint}: {result:?}") };
        assert!(text.to_string().contains(named), "{endpoint}: {text}");
    }
}

/// A source that keeps nothing: what it skips cannot be repaired.
struct Forgetful {
    socket: Raw,
    port: u16,
    /// Which one of several.
    number: u16,
}

impl Forgetful {
    fn new(port: u16) -> Self {
        let socket = Raw::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        Self { socket, port, number: 1 }
    }
    fn send(&self, content: Content<'_>) {
        let (destination_port, gsi, flags) = (self.port, Gsi([3; 6]), Flags::default());
        let mut octets = [0; 1500];
        let len = Packet { source_port: self.number, destination_port, gsi, flags, content }.emit(&mut octets).unwrap();
        self.socket.send_to(&octets[..len], &SocketAddr::from(([239, 192, 7, 1], self.port)).into()).unwrap();
    }
    /// A message of up to 253 octets in a packet.
    fn say(&self, sqn: u32, body: &str) {
        let tsdu = [&[0, 0, body.len() as u8 + 1, 0], body.as_bytes()].concat();
        self.send(Content::Odata(Data { sqn: Sqn(sqn), trail: Sqn(sqn), options: Options::NONE, tsdu: &tsdu }));
    }
    /// The end, after the packet `lead`.
    fn end(&self, lead: u32) {
        let mut options = OptionBuffer::new();
        options.push(Opt { kind: OptionKind::FIN, flags: [0; 2], value: &[] }).unwrap();
        let (sqn, lead, path) = (Sqn(1), Sqn(lead), Ipv4Addr::LOCALHOST.into());
        self.send(Content::Spm(Spm { sqn, trail: lead, lead, path, options: options.options() }));
    }
}

#[test]
fn a_gap_is_told_with_its_count_and_delivery_goes_on() {
    let (context, port) = (Context::new().unwrap(), 17508);
    let mut subscriber = context.socket_with(SocketType::Sub, options()).unwrap();
    subscriber.subscribe(b"").unwrap();
    let monitor = subscriber.monitor();
    subscriber.connect(&session(port)).unwrap();
    let source = Forgetful::new(port);
    for (sqn, body) in [(0, "before"), (5, "behind")] {
        source.say(sqn, body);
        assert_eq!(subscriber.recv_timeout(PATIENCE).unwrap().bytes(), body.as_bytes());
    }
    let event = await_event(&monitor, |event| matches!(event, Event::Gap { .. }));
    assert!(matches!(&event, Event::Gap { endpoint, packets: 4 } if *endpoint == session(port)), "{event:?}");
    assert_eq!(subscriber.lost_packets(), 4);
}

/// Who cannot, or does not want to, have anything repaired hears what comes all the same; and a rate without a limit is one
/// at which everything can be repaired.
#[test]
fn windows_of_no_length_lose_nothing_that_has_come() {
    let context = Context::new().unwrap();
    for (port, rate, recovery) in [(17516, 200_000, 0), (17517, 0, 1000), (17518, 1, 1)] {
        let mut options = options();
        (options.multicast.rate, options.multicast.recovery) = (rate, recovery);
        let mut subscriber = context.socket_with(SocketType::Sub, options.clone()).unwrap();
        subscriber.subscribe(b"").unwrap();
        subscriber.connect(&session(port)).unwrap();
        options.multicast.rate = if rate == 1 { 200_000 } else { rate };
        let mut publisher = context.socket_with(SocketType::Pub, options).unwrap();
        publisher.bind(&session(port)).unwrap();
        for number in 0..300_u32 {
            publisher.send([&number.to_be_bytes()[..], &[7; 1000]].concat()).unwrap();
        }
        for number in 0..300_u32 {
            assert_eq!(subscriber.recv_timeout(PATIENCE).unwrap().bytes()[..4], number.to_be_bytes(), "{rate} {recovery}");
        }
    }
}

/// What comes too fast to be woken for each packet is looked for in intervals; when nothing comes any more, the next packet
/// wakes again.
#[test]
fn what_comes_after_a_flood_is_heard() {
    let (context, port, mut options) = (Context::new().unwrap(), 17512, options());
    options.recv_hwm = 0;
    let mut subscriber = context.socket_with(SocketType::Sub, options).unwrap();
    subscriber.subscribe(b"").unwrap();
    subscriber.connect(&session(port)).unwrap();
    let source = Forgetful::new(port);
    let mut sqns = 0..;
    let mut say = |body| source.say(sqns.next().unwrap(), body);
    for _ in 0..3 {
        (0..4000).for_each(|_| say("flood"));
        std::thread::sleep(Duration::from_millis(20));
        say("last");
        while subscriber.recv_timeout(PATIENCE).unwrap().bytes() != b"last" {}
    }
}

/// To whom asks for it a gap is an error in its place: behind all that came before, filtered or not, and before all else,
/// once, also when the stream has ended meanwhile; and one that waits is woken for it.
#[test]
fn a_gap_can_be_made_visible_in_its_place() {
    let (context, port, mut options) = (Context::new().unwrap(), 17511, options());
    options.multicast_gaps = true;
    let mut subscriber = context.socket_with(SocketType::Sub, options).unwrap();
    subscriber.subscribe(b"b").unwrap();
    subscriber.connect(&session(port)).unwrap();
    let source = Forgetful::new(port);
    source.say(0, "before");
    assert_eq!(subscriber.recv_timeout(PATIENCE).unwrap().bytes(), b"before");
    std::thread::scope(|scope| {
        // The message is not subscribed to: what wakes is the gap.
        let waits = scope.spawn(|| subscriber.recv_timeout(PATIENCE));
        std::thread::sleep(Duration::from_millis(50));
        source.say(2, "unwanted");
        assert!(matches!(waits.join().unwrap(), Err(Error::Gap { packets: 1 })));
    });
    for (sqn, body) in [(3, "between"), (4, "unwanted"), (9, "behind"), (11, "unwanted"), (13, "before the end")] {
        source.say(sqn, body);
    }
    source.end(13);
    let begin = Instant::now();
    while subscriber.statistics().peers.iter().any(|peer| peer.state != PeerState::Gone) {
        assert!(begin.elapsed() < PATIENCE, "the stream does not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut poller = Poller::new().unwrap();
    poller.add(0, &subscriber, Readiness::RECEIVE);
    let told: Vec<_> = std::iter::from_fn(|| {
        let ready = !poller.wait(Some(Duration::ZERO)).unwrap().is_empty();
        let told = match subscriber.try_recv() {
            Ok(message) => Some(String::from_utf8_lossy(message.bytes()).into_owned()),
            Err(Error::Gap { packets }) => Some(packets.to_string()),
            Err(Error::WouldBlock) => None,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(ready, told.is_some());
        told
    })
    .collect();
    assert_eq!(told, ["between", "4", "behind", "1", "1", "before the end"]);
    assert_eq!((subscriber.lost_packets(), subscriber.statistics().peers.len()), (7, 0));
}

/// More than any kernel gives for a buffer, and ten seconds at 1 Gbit/s, which are twenty times what a window may take.
#[test]
fn what_is_less_than_was_asked_for_is_told() {
    let (context, mut options) = (Context::new().unwrap(), options());
    options.multicast.rate = 1_000_000;
    options.multicast.receive_buffer = Some(2_000_000_000);
    for (socket_type, caps) in [(SocketType::Sub, &[Cap::Window, Cap::ReceiveBuffer][..]), (SocketType::Pub, &[Cap::Window])]
    {
        let mut socket = context.socket_with(socket_type, options.clone()).unwrap();
        let monitor = socket.monitor();
        socket.connect(&session(17509)).unwrap();
        for expected in caps {
            let event = await_event(&monitor, |event| matches!(event, Event::Capped { cap, .. } if cap == expected));
            let Event::Capped { endpoint, wanted, granted, .. } = event else { unreachable!() };
            assert!(endpoint == session(17509) && granted < wanted, "{wanted} {granted}");
            assert!(*expected != Cap::Window || granted == 64 << 20, "{granted}");
        }
    }
}

/// Who has no place is not heard, and a monitor tells that there is somebody, once.
#[test]
fn more_sources_than_places_are_told() {
    let (context, port, mut options) = (Context::new().unwrap(), 17519, options());
    options.multicast.receiver.peers = 2;
    let mut subscriber = context.socket_with(SocketType::Sub, options).unwrap();
    subscriber.subscribe(b"").unwrap();
    let monitor = subscriber.monitor_only(&[EventKind::Capped]);
    subscriber.connect(&session(port)).unwrap();
    let mut source = Forgetful::new(port);
    for (number, body) in [(1, "one"), (2, "two"), (3, "three"), (4, "four")] {
        source.number = number;
        source.say(0, body);
    }
    let crowd = |event: &Event| matches!(event, Event::Capped { cap: Cap::Sources, wanted: 3, granted: 2, .. });
    await_event(&monitor, crowd);
    let mut heard = [(); 2].map(|()| subscriber.recv_timeout(PATIENCE).unwrap().bytes().to_vec());
    heard.sort();
    assert_eq!(heard, [b"one", b"two"]);
    assert!(!std::iter::from_fn(|| monitor.try_recv()).any(|event| crowd(&event)));
}

/// Set for the process that lacks the capability.
const CHILD: &str = "OMNIMQ_TEST_WITHOUT_NET_RAW";

/// In a process that gives the capability up: the error names it, and epgm needs none.
#[test]
fn the_capability_that_raw_ip_needs_is_named() {
    if std::env::var_os(CHILD).is_none() {
        let this = std::env::current_exe().unwrap();
        let mut child = Command::new("setpriv");
        // Whoever has none has none to give up.
        if std::fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t") {
            child.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]);
        }
        child.arg(this).args(["--exact", "the_capability_that_raw_ip_needs_is_named"]).env(CHILD, "1");
        let output = child.output().expect("setpriv of util-linux runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let context = Context::new().unwrap();
    let mut socket = context.socket_with(SocketType::Pub, options()).unwrap();
    let result = socket.connect("pgm://lo;239.192.7.1:17510");
    let Err(error @ Error::System { .. }) = result else { panic!("{result:?}") };
    assert!(error.to_string().contains("CAP_NET_RAW"), "{error}");
    socket.connect(&session(17510)).unwrap();
}
