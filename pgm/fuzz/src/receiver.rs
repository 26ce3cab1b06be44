//! A receiver under any datagrams at any times: it keeps no more than it may, asks for nothing in a form that is no
//! packet, and has nothing due at once after it has been served.

use super::datagram::{ADDRESS, SESSION, datagram};
use omnimq_core::Instant;
use omnimq_pgm::wire::Packet;
use omnimq_pgm::{Fixed, Heap, Receiver, ReceiverConfig, Storage};
use omnimq_seeds::Decisions;
use std::time::Duration;

const BYTES: usize = 4000;

/// The first octet chooses the storage, the others what happens.
pub fn receiver(data: &[u8]) {
    let mut decisions = Decisions(data);
    if decisions.octet().is_multiple_of(2) { run::<Heap>(decisions) } else { run::<Fixed<2, 8, 64>>(decisions) }
}

fn run<S: Storage>(mut decisions: Decisions<'_>) {
    let mut config = ReceiverConfig::default();
    (config.window, config.window_bytes, config.peers) = (32, BYTES, 3);
    let mut receiver = Receiver::<S>::new(config, SESSION);
    let mut now = Instant::from_millis(1);
    while !decisions.is_empty() {
        match decisions.octet() % 8 {
            0..=3 => {
                let port = u16::from(decisions.octet() % 4);
                let datagram = datagram(&mut decisions, port, SESSION.port);
                receiver.handle_datagram(&datagram, ADDRESS, SESSION.group, now);
            }
            4 => now = now + Duration::from_micros(u64::from(decisions.octet()) * 100),
            5 => now = now + Duration::from_millis(u64::from(decisions.octet()) * 50),
            6 => serve(&mut receiver, now),
            _ => take(&mut receiver, now),
        }
        assert!(receiver.window_bytes() <= BYTES + 3 * 500, "{}", receiver.window_bytes());
    }
    serve(&mut receiver, now);
    take(&mut receiver, now);
}

fn serve<S: Storage>(receiver: &mut Receiver<S>, now: Instant) {
    receiver.handle_timeout(now);
    let mut buf = [0; 400];
    let mut sent = 0;
    while let Some(transmit) = receiver.poll_transmit(&mut buf, now) {
        Packet::parse(&buf[..transmit.len]).expect("what is sent is a packet");
        sent += 1;
        assert!(sent < 16, "questions without end");
    }
    receiver.handle_timeout(now);
    assert!(receiver.poll_timeout().is_none_or(|due| due > now), "due at once, for ever");
}

fn take<S: Storage>(receiver: &mut Receiver<S>, now: Instant) {
    let mut taken = 0;
    while receiver.poll_event().is_some() {}
    for peer in receiver.peers().collect::<Vec<_>>() {
        while receiver.take(peer, now).is_some() {
            taken += 1;
            assert!(taken < 10_000, "deliveries without end");
        }
    }
    while receiver.poll_event().is_some() {}
}
