//! A network of two hosts in virtual time.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

pub mod pipe;

use omnimq_core::{Options, Pattern, Receives, RecvError, Sends};
use omnimq_smoltcp::{Capacities, Event, Settings, Socket};
use pipe::{Cable, End, Weather};
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr};
use std::cell::RefCell;
use std::rc::Rc;

/// Turns the network and the sockets, each on its host, until a condition holds, at most for so many virtual seconds;
/// whether it did.
#[macro_export]
macro_rules! until {
    ($network:ident, $seconds:expr, [$($at:expr => $socket:expr),*], $done:expr) => {{
        let end = $network.now + smoltcp::time::Duration::from_secs($seconds);
        loop {
            $network.turn(&mut [$(($at, &mut $socket as &mut dyn $crate::support::Driven)),*]);
            if $done {
                break true;
            }
            if $network.now >= end {
                break false;
            }
        }
    }};
}

/// Which version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// One host: an interface, and the TCP sockets on it.
pub struct Host {
    pub device: End,
    pub interface: Interface,
    pub sockets: SocketSet<'static>,
}

/// Two hosts and a cable.
pub struct Network {
    pub now: Instant,
    pub cable: Rc<RefCell<Cable>>,
    pub hosts: [Host; 2],
    pub family: Family,
}

impl Network {
    pub fn new(family: Family, medium: Medium, weather: Weather, seed: u64) -> Self {
        let now = Instant::from_millis(1);
        let cable = Cable::new(medium, weather, seed);
        let hosts = [0, 1].map(|at| {
            let mut device = End { cable: cable.clone(), at };
            let hardware = match medium {
                Medium::Ethernet => EthernetAddress([2, 0, 0, 0, 0, 1 + at as u8]).into(),
                _ => HardwareAddress::Ip,
            };
            let mut config = Config::new(hardware);
            config.random_seed = seed + at as u64;
            let mut interface = Interface::new(config, &mut device, now);
            let prefix = if family == Family::V4 { 24 } else { 64 };
            interface.update_ip_addrs(|all| all.push(IpCidr::new(address(family, at), prefix)).unwrap());
            let places = Box::leak(Box::new([const { SocketStorage::EMPTY }; 24]));
            Host { device, interface, sockets: SocketSet::new(&mut places[..]) }
        });
        Self { now, cable, hosts, family }
    }
    /// Without loss, over Ethernet and IPv4.
    pub fn calm() -> Self {
        Self::new(Family::V4, Medium::Ethernet, Weather::CALM, 1)
    }
    /// A ZeroMQ socket on a host.
    pub fn socket<P: Pattern, C: Capacities>(
        &mut self,
        at: usize,
        pattern: P,
        options: Options,
        settings: Settings,
    ) -> Socket<P, C>
    where
        C::Memory: Default + 'static,
    {
        let memory = Box::leak(Box::<C::Memory>::default());
        Socket::new(pattern, options, &settings, memory, &mut self.hosts[at].sockets)
    }
    /// A TCP socket on a host, without ZeroMQ.
    pub fn raw(&mut self, at: usize) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(Box::leak(Box::new([0; 256])).as_mut_slice());
        self.hosts[at].sockets.add(tcp::Socket::new(buffer(), buffer()))
    }
    pub fn address(&self, at: usize) -> IpAddress {
        address(self.family, at)
    }
    /// Lets both interfaces do what is due, and each of `drivers`, which are named by their hosts; then time goes on.
    pub fn turn(&mut self, drivers: &mut [(usize, &mut dyn Driven)]) {
        let mut next = self.now + Duration::from_millis(50);
        for host in &mut self.hosts {
            let Host { interface, device, sockets } = host;
            while interface.poll_ingress_single(self.now, device, sockets) != PollIngressSingleResult::None {}
        }
        for (at, driven) in drivers.iter_mut() {
            let host = &mut self.hosts[*at];
            driven.drive(host, self.now);
            next = next.min(driven.next().unwrap_or(next));
        }
        for host in &mut self.hosts {
            host.interface.poll(self.now, &mut host.device, &mut host.sockets);
            if let Some(delay) = host.interface.poll_delay(self.now, &host.sockets) {
                next = next.min(self.now + delay);
            }
        }
        next = next.min(self.cable.borrow().next().unwrap_or(next));
        self.now = next.max(self.now + Duration::from_micros(100));
    }
}

fn address(family: Family, at: usize) -> IpAddress {
    match family {
        Family::V4 => IpAddress::v4(10, 0, 0, 1 + at as u8),
        Family::V6 => IpAddress::v6(0xfd00, 0, 0, 0, 0, 0, 0, 1 + at as u16),
    }
}

/// A socket of any type, as the network drives it.
pub trait Driven {
    fn drive(&mut self, host: &mut Host, now: Instant);
    fn next(&self) -> Option<Instant>;
}

/// A socket, and what it has told.
pub struct Watched<P: Pattern, C: Capacities> {
    pub socket: Socket<P, C>,
    pub events: Vec<(usize, Event)>,
}

impl<P: Pattern, C: Capacities> Watched<P, C> {
    pub fn new(socket: Socket<P, C>) -> Self {
        Self { socket, events: Vec::new() }
    }
    pub fn told(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, event)| wanted(event)).count()
    }
    pub fn ready(&self) -> usize {
        self.told(|event| matches!(event, Event::HandshakeSucceeded { .. }))
    }
    /// Sends a whole message or nothing.
    pub fn send(&mut self, parts: &[Vec<u8>]) -> bool
    where
        P: Sends,
    {
        for (at, part) in parts.iter().enumerate() {
            match self.socket.send_part(part, at + 1 < parts.len()) {
                Ok(()) => {}
                Err(omnimq_core::SendErrorKind::Again) if at == 0 => return false,
                Err(kind) => panic!("part {at}: {kind}"),
            }
        }
        true
    }
    /// Receives a whole message.
    pub fn recv(&mut self) -> Option<Vec<Vec<u8>>>
    where
        P: Receives,
    {
        let mut parts = Vec::new();
        loop {
            match self.socket.recv() {
                Ok(frame) => {
                    parts.push(frame.body.as_ref().to_vec());
                    if !frame.more {
                        return Some(parts);
                    }
                }
                Err(RecvError::Again | RecvError::State) if parts.is_empty() => return None,
                Err(error) => panic!("torn after {} parts: {error}", parts.len()),
            }
        }
    }
}

impl<P: Pattern, C: Capacities> Driven for Watched<P, C> {
    fn drive(&mut self, host: &mut Host, now: Instant) {
        self.socket.poll(host.interface.context(), &mut host.sockets, now);
        self.events.extend(std::iter::from_fn(|| self.socket.poll_event()));
    }
    fn next(&self) -> Option<Instant> {
        self.socket.poll_timeout()
    }
}

/// The message of this number: one to three parts, up to 200 octets each.
pub fn message(number: u32) -> Vec<Vec<u8>> {
    let part = |part: u32| {
        let len = (number * 37 + part * 11) % 200;
        number.to_be_bytes().into_iter().chain((0..len).map(|at| (number + part + at) as u8)).collect()
    };
    (0..=number % 3).map(part).collect()
}
