//! A socket of `omnimq-smoltcp` on an interface of its own: raw TCP peers that say anything, packets of any octets, and any
//! calls. Nothing panics, every queue stays within its bound, and a closed socket ends in time.

use super::pipe::{Cable, End, Weather};
use omnimq_core::{Filters, Options, Pattern, Pub, Pull, Receives, Rep, Req, Router, Sends, Sub, XPub};
use omnimq_seeds::Decisions;
use omnimq_smoltcp::{Capacities, Capacity, Settings, Socket};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Device, Medium, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};

type Sizes = Capacity<2, 2, 2, 96, 4, 8, 64, 64>;
type Memory = <Sizes as Capacities>::Memory;

const PORT: u16 = 5555;
const PEERS: usize = 3;

/// What a peer says when it says what is right: a greeting, READY as each type announces it, a message.
const WORDS: [&[u8]; 6] = [
    b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB",
    b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH",
    b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER",
    b"\x04\x0e\x09SUBSCRIBEnews",
    b"\0\x05hello",
];

/// First octet: the pattern; then operations.
pub fn smoltcp_node(data: &[u8]) {
    let mut source = Decisions(data);
    match source.below(7) {
        0 => Scene::new(Pub).play(source, send, no_call, no_call),
        1 => Scene::new(Sub).play(source, no_send, recv, filter),
        2 => Scene::new(Pull).play(source, no_send, recv, no_call),
        3 => Scene::new(Rep).play(source, send, recv, no_call),
        4 => Scene::new(Req).play(source, send, recv, no_call),
        5 => Scene::new(Router).play(source, send, recv, no_call),
        _ => Scene::new(XPub).play(source, send, recv, no_call),
    }
}

fn send<P: Pattern + Sends>(socket: &mut Socket<P, Sizes>, octets: &[u8], more: bool) {
    let _ = socket.send_part(octets, more);
}

fn recv<P: Pattern + Receives>(socket: &mut Socket<P, Sizes>) {
    let _ = socket.recv();
}

fn filter<P: Pattern + Filters>(socket: &mut Socket<P, Sizes>) {
    let _ = socket.subscribe(b"news");
}

fn no_send<P: Pattern>(_: &mut Socket<P, Sizes>, _: &[u8], _: bool) {}

fn no_call<P: Pattern>(_: &mut Socket<P, Sizes>) {}

/// One host.
struct Host<'a> {
    device: End,
    interface: Interface,
    sockets: SocketSet<'a>,
}

impl<'a> Host<'a> {
    fn new(cable: &std::rc::Rc<std::cell::RefCell<Cable>>, at: usize, places: &'a mut [SocketStorage<'a>]) -> Self {
        let mut device = End { cable: cable.clone(), at };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = 1 + at as u64;
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|all| all.push(IpCidr::new(address(at), 24)).expect("the first"));
        Self { device, interface, sockets: SocketSet::new(places) }
    }
    fn poll(&mut self, now: Instant) {
        self.interface.poll(now, &mut self.device, &mut self.sockets);
    }
}

fn address(at: usize) -> IpAddress {
    IpAddress::v4(10, 0, 0, 1 + at as u8)
}

/// The pattern to be played with.
struct Scene<P>(P);

impl<P: Pattern> Scene<P> {
    fn new(pattern: P) -> Self {
        Self(pattern)
    }
    fn play(
        self,
        mut source: Decisions<'_>,
        send: impl Fn(&mut Socket<P, Sizes>, &[u8], bool),
        recv: impl Fn(&mut Socket<P, Sizes>),
        filter: impl Fn(&mut Socket<P, Sizes>),
    ) {
        let cable = Cable::new(Medium::Ip, Weather::CALM, 1);
        let (mut memory, mut buffers) = (Memory::new(), [[0; 64]; 2 * PEERS]);
        let (mut near, mut far) = ([SocketStorage::EMPTY; 3], [SocketStorage::EMPTY; PEERS]);
        let (mut own, mut other) = (Host::new(&cable, 0, &mut near), Host::new(&cable, 1, &mut far));
        let socket = &mut Socket::new(self.0, Options::default(), &Settings::DEFAULT, &mut memory, &mut own.sockets);
        socket.bind(PORT).expect("the first");
        let raw: Vec<SocketHandle> = buffers
            .chunks_mut(2)
            .map(|pair| {
                let [rx, tx] = pair else { unreachable!() };
                other.sockets.add(tcp::Socket::new(tcp::SocketBuffer::new(&mut rx[..]), tcp::SocketBuffer::new(&mut tx[..])))
            })
            .collect();
        let (mut now, mut port) = (Instant::ZERO, 50_000);
        while !source.is_empty() {
            match source.below(16) {
                0 => send(socket, WORDS[5], source.octet() < 128),
                1 => recv(socket),
                2 => filter(socket),
                3 => drop(socket.connect((address(1), PORT + u16::from(source.octet() % 2)))),
                4 => socket.disconnect(source.below(3), &mut own.sockets, now),
                5 => inject(&mut other.device, &mut source, now),
                6 => now += Duration::from_millis(1 << source.below(16)),
                what => {
                    let peer = other.sockets.get_mut::<tcp::Socket>(raw[source.below(PEERS)]);
                    speak(what, peer, &mut other.interface, &mut source, &mut port);
                }
            }
            own.poll(now);
            socket.poll(own.interface.context(), &mut own.sockets, now);
            assert!(std::iter::from_fn(|| socket.poll_event()).count() <= 11, "five kinds for each place, and a refusal");
            own.poll(now);
            other.poll(now);
            now += Duration::from_micros(500);
        }
        socket.close(now);
        let end = now + Duration::from_secs(15);
        while !socket.is_closed() {
            assert!(now < end, "linger and the end of a stream have their times");
            socket.poll(own.interface.context(), &mut own.sockets, now);
            own.poll(now);
            other.poll(now);
            now += Duration::from_millis(20);
        }
    }
}

/// A packet of any octets.
fn inject(device: &mut End, source: &mut Decisions<'_>, now: Instant) {
    let len = source.below(80);
    let octets = source.take(len);
    if let Some(token) = device.transmit(now).filter(|_| !octets.is_empty()) {
        token.consume(octets.len(), |frame| frame.copy_from_slice(octets));
    }
}

/// One thing that a raw peer does.
fn speak(what: usize, peer: &mut tcp::Socket<'_>, interface: &mut Interface, source: &mut Decisions<'_>, port: &mut u16) {
    match what {
        7 | 8 => {
            *port = if *port == u16::MAX { 50_000 } else { *port + 1 };
            let _ = peer.connect(interface.context(), (address(0), PORT), *port);
        }
        9 => drop(peer.listen(PORT)),
        10 => peer.close(),
        11 => peer.abort(),
        12 => drop(peer.recv(|octets| (octets.len(), ()))),
        13 => {
            let len = source.below(40);
            let _ = peer.send_slice(source.take(len));
        }
        _ => drop(peer.send_slice(WORDS[source.below(WORDS.len())])),
    }
}
