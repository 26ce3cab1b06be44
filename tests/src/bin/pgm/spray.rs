//! Packets that nobody should send: cut, changed, foreign and contradicting ones, from a seed.

use crate::{Args, Failure, session};
use omnimq_pgm::wire::checksum;
use omnimq_pgm::{Encapsulation, Session};
use omnimq_seeds::Rng;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::SocketAddr;
use std::time::Duration;

/// Of a packet's header: its length, the octets of the destination port, the type, the flags, the checksum, the source and
/// the length of the data; and where the data of a packet without options begins.
const HEADER: usize = 16;
const PORT: std::ops::Range<usize> = 2..4;
const TYPE: usize = 4;
const FLAGS: usize = 5;
const CHECKSUM: std::ops::Range<usize> = 6..8;
const SOURCE: std::ops::Range<usize> = 8..14;
const LEN: std::ops::Range<usize> = 14..16;
const DATA: usize = 24;

/// What is wrong with a packet. Each has its bit in the argument `kinds`.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Octets that are cut off within the header, none at all among them.
    Cut,
    /// Any octets, with a checksum that is wrong.
    Changed,
    /// A header of another session, and anything behind it.
    Foreign,
    /// A header of this session, and anything behind it; of any type but data.
    Contents,
    /// Data of this session, of sources that nobody knows, whose numbers and streams contradict one another.
    Data,
}

const KINDS: [Kind; 5] = [Kind::Cut, Kind::Changed, Kind::Foreign, Kind::Contents, Kind::Data];

/// Sends packets to the group and to the host's own address.
pub(crate) fn spray(args: &Args) -> Result<(), Failure> {
    let (session, interface) = session(&args.endpoint, &args.options())?;
    let chosen = args.number("kinds", u64::MAX);
    let kinds: Vec<Kind> = KINDS.into_iter().filter(|&kind| chosen & 1 << kind as u32 != 0).collect();
    let socket = open(&session)?;
    socket.bind(&SocketAddr::new(interface.address, 0).into())?;
    let port = if session.encapsulation == Encapsulation::Udp { session.port } else { 0 };
    let mut rng = Rng::new(args.number("seed", 1));
    println!("ready");
    for _ in 0..args.number("count", 1000) {
        let octets = packet(kinds[rng.below(kinds.len() as u64) as usize], &session, &mut rng);
        let to = if rng.one_in(3) { interface.address } else { session.group };
        socket.send_to(&octets, &SocketAddr::new(to, port).into())?;
        std::thread::sleep(Duration::from_micros(args.number("every", 0)));
    }
    Ok(())
}

fn open(session: &Session) -> std::io::Result<Socket> {
    let domain = if session.group.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    match session.encapsulation {
        Encapsulation::Udp => Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)),
        Encapsulation::Raw => Socket::new(domain, Type::RAW, Some(Protocol::from(113))),
    }
}

fn packet(kind: Kind, session: &Session, rng: &mut Rng) -> Vec<u8> {
    let len = match kind {
        Kind::Cut => rng.length(0..=HEADER - 1),
        Kind::Changed | Kind::Foreign | Kind::Contents => rng.length(HEADER..=300),
        Kind::Data => rng.length(DATA..=300),
    };
    let mut octets = rng.bytes(len);
    if let Kind::Cut | Kind::Changed = kind {
        if octets.len() >= CHECKSUM.end {
            seal(&mut octets);
            octets[CHECKSUM.start] ^= 1 << rng.below(8);
        }
        return octets;
    }
    let port = session.port ^ if let Kind::Foreign = kind { 1 } else { 0 };
    octets[PORT].copy_from_slice(&port.to_be_bytes());
    octets[SOURCE].fill(rng.below(4) as u8);
    octets[..PORT.start].copy_from_slice(&[0, 7]);
    octets[FLAGS] = rng.below(4) as u8;
    octets[TYPE] = match rng.below(12) as u8 {
        // Those two are data.
        4 => 12,
        5 => 13,
        kind => kind,
    };
    if let Kind::Data = kind {
        (octets[TYPE], octets[FLAGS]) = (4 + rng.below(2) as u8, 0);
        octets[LEN].copy_from_slice(&((len - DATA) as u16).to_be_bytes());
        // No message begins here: a stream whose messages could be taken for ours would be one.
        octets.iter_mut().skip(DATA).take(2).for_each(|octet| *octet = 0xfe);
    }
    seal(&mut octets);
    octets
}

/// Puts the right checksum in.
fn seal(octets: &mut [u8]) {
    octets[CHECKSUM].fill(0);
    let sum = !checksum(octets);
    octets[CHECKSUM].copy_from_slice(&sum.to_be_bytes());
}
