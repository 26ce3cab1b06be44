//! What is parsed can be emitted, and is parsed back to the same.

use super::datagram::datagram;
use omnimq_pgm::wire::Packet;
use omnimq_seeds::Decisions;

/// Any octets as a packet.
pub fn packet(data: &[u8]) {
    same(data);
    same(&datagram(&mut Decisions(data), 7, 5555));
}

fn same(octets: &[u8]) {
    let Ok(packet) = Packet::parse(octets) else { return };
    let mut out = vec![0; octets.len()];
    let len = packet.emit(&mut out).expect("no longer than what it was parsed from");
    let mut again = Packet::parse(&out[..len]).expect("what is emitted is parsed");
    // That options are present is said by the options themselves.
    again.flags = packet.flags;
    assert_eq!(again, packet);
}
