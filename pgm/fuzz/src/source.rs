//! A source under any datagrams at any times: it keeps no more than it may, sends no faster than it may whatever is asked
//! for, and has nothing due at once after it has been served.

use super::datagram::{ADDRESS, SESSION, datagram};
use omnimq_core::Instant;
use omnimq_pgm::wire::{Gsi, Packet, Tsi};
use omnimq_pgm::{Fixed, Heap, Source, SourceConfig, Sqn, Storage};
use omnimq_seeds::Decisions;
use std::time::Duration;

const BYTES: usize = 4000;

/// The first octet chooses the storage, the second where the numbers begin, the others what happens.
pub fn source(data: &[u8]) {
    let mut decisions = Decisions(data);
    if decisions.octet().is_multiple_of(2) { run::<Heap>(decisions) } else { run::<Fixed<2, 8, 64>>(decisions) }
}

fn run<S: Storage>(mut decisions: Decisions<'_>) {
    let mut config = SourceConfig::default();
    (config.rate, config.window, config.window_bytes) = (100_000, 32, BYTES);
    let start = Instant::from_millis(1);
    let mut now = start;
    let first = Sqn(u32::from(decisions.octet()).wrapping_sub(8));
    let tsi = Tsi { gsi: Gsi([0; 6]), port: 7 };
    let mut source = Source::<S>::starting_at(first, config, SESSION, tsi, ADDRESS, now);
    let mut sent = 0;
    while !decisions.is_empty() {
        match decisions.octet() % 8 {
            0..=2 => {
                let other = source.handle_datagram(&datagram(&mut decisions, SESSION.port, tsi.port), now);
                assert_ne!(other, Some(tsi), "handed on to itself");
            }
            3 => now = now + Duration::from_micros(u64::from(decisions.octet()) * 100),
            4 => now = now + Duration::from_millis(u64::from(decisions.octet()) * 50),
            5 if source.is_closed() => source.retire(),
            5 => source.close(),
            _ => {
                let len = usize::from(decisions.octet());
                sent += serve(&mut source, len, now);
            }
        }
        assert!(source.window_bytes() <= BYTES + 500, "{}", source.window_bytes());
    }
    serve(&mut source, 0, now);
    // The rate twice, for data and repairs, with a burst of each; SPMs and NCFs are small and answer something.
    let most = 2 * (100_000 * now.since(start).as_millis() as usize / 1000 + 3000 + 400);
    assert!(sent <= most, "{sent} of {most}");
}

/// Sends what is due, and one packet of data; returns the octets of data and repairs.
fn serve<S: Storage>(source: &mut Source<S>, len: usize, now: Instant) -> usize {
    let (mut buf, mut left, mut octets, mut count) = ([0; 400], len, 0, 0);
    let mut data = |space: &mut [u8]| {
        let used = left.min(space.len());
        left -= used;
        used
    };
    while let Some(transmit) = source.poll_transmit(&mut buf, &mut data, now) {
        let packet = Packet::parse(&buf[..transmit.len]).expect("what is sent is a packet");
        if matches!(packet.content.kind(), 4 | 5) {
            octets += transmit.len + SESSION.envelope();
        }
        count += 1;
        assert!(count < 400, "packets without end");
    }
    if len == 0 {
        assert!(source.poll_timeout().is_none_or(|due| due > now), "due at once, for ever");
    }
    octets
}
