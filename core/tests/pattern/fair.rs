//! Properties of the building blocks: fairness, and messages that stay whole.

use crate::harness::{Bench, Small};
use omnimq_core::{Dealer, Heap, LocalStorage, Options, Piece, Pull, Push, Side, Socket};
use proptest::prelude::*;

/// Among peers that always have a message each is read once per round, whatever the lengths of their messages.
fn each_is_read_once_a_round<S: LocalStorage>(peers: usize, lens: &[usize]) {
    let mut bench = Bench::<Pull, S>::new(Pull);
    let ids = bench.peers(peers);
    let mut lens = lens.iter().cycle();
    let mut refill = |bench: &mut Bench<Pull, S>, peer: usize| {
        let len = *lens.next().unwrap();
        bench.peer_sends(ids[peer], &vec![peer.to_string(); len].join("|"));
    };
    for peer in 0..peers {
        refill(&mut bench, peer);
        refill(&mut bench, peer);
    }
    let mut last = vec![0; peers];
    for at in 1..=peers * 8 {
        let message = bench.recv().unwrap();
        let peer: usize = message.split('|').next().unwrap().parse().unwrap();
        assert!(message.split('|').all(|part| part == peer.to_string()));
        assert!(at - last[peer] <= peers, "peer {peer} waited {} messages of {peers} peers", at - last[peer]);
        last[peer] = at;
        refill(&mut bench, peer);
    }
}

/// Messages of every peer arrive whole and in order, while peers come and go in the middle of them.
fn messages_stay_whole<S: LocalStorage>(steps: &[(u8, u8)]) {
    let mut pull = Socket::<Pull, S>::new(Pull, &Options::new(1));
    let mut dealer = Bench::<Dealer, S>::new(Dealer);
    let mut links: Vec<(omnimq_core::PipeId, omnimq_core::PipeId)> = Vec::new();
    let (mut number, mut part, mut got, mut last) = (0_u32, 0_u8, Vec::new(), None);
    for &(op, arg) in steps {
        match op % 6 {
            0 if links.len() < 3 => {
                let Some(there) = pull.attach(S::lane(2), S::lane(2), Side::Connect) else { continue };
                links.push((dealer.attach(Side::Connect), there));
            }
            1 if !links.is_empty() => {
                let (here, there) = links.remove(usize::from(arg) % links.len());
                dealer.socket.close_pipe(here);
                pull.close_pipe(there);
            }
            2 | 3 => {
                let more = arg % 3 != 0 && part < 4;
                if dealer.send_part(&format!("{number}.{part}{}", if more { "" } else { "." }), more).is_ok() {
                    (number, part) = if more { (number, part + 1) } else { (number + 1, 0) };
                }
            }
            4 => {
                for (here, there) in &links {
                    let _ = omnimq_core::pipe::relay(
                        &mut dealer.socket.pipe(*here).unwrap().tx,
                        &mut pull.pipe(*there).unwrap().rx,
                    );
                    dealer.socket.process(*here);
                    pull.process(*there);
                }
            }
            _ => {
                let Ok(frame) = pull.recv() else { continue };
                got.push(String::from_utf8(frame.body.as_ref().to_vec()).unwrap());
                if frame.more {
                    continue;
                }
                let whole = std::mem::take(&mut got);
                let number = whole[0].split('.').next().unwrap().to_owned();
                for (at, part) in whole.iter().enumerate() {
                    let end = if at + 1 == whole.len() { "." } else { "" };
                    assert_eq!(*part, format!("{number}.{at}{end}"));
                }
                assert_ne!(last, Some(number.clone()));
                last = Some(number);
            }
        }
    }
}

/// Every message that fits is taken, and not one more, while a slow peer reads now and then.
fn the_mark_is_used_to_the_full<S: LocalStorage>(hwm: u32, reads: &[u8]) {
    let mut push = Socket::<Push, S>::new(Push, &Options::new(1));
    let id = push.attach(S::lane(hwm), S::lane(hwm), Side::Connect).unwrap();
    let lwm = hwm.div_ceil(2);
    let (mut sent, mut read, mut reported) = (0_u32, 0_u32, 0_u32);
    for &count in reads {
        let room = hwm - (sent - reported);
        let taken = (0..).take_while(|_| push.send(Piece { bytes: b"m", more: false }).is_ok()).count();
        assert_eq!(taken, room as usize);
        assert!(!push.can_send());
        sent += room;
        assert!(sent - read <= hwm);
        for _ in 0..count {
            if omnimq_core::PipeReader::read(&mut push.pipe(id).unwrap().tx).is_some() {
                read += 1;
                reported = if read - reported >= lwm { read } else { reported };
            }
        }
        push.process(id);
        assert_eq!(push.can_send(), sent - reported < hwm);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn fair_queue_bound(peers in 1_usize..=4, lens in prop::collection::vec(1_usize..5, 1..20)) {
        each_is_read_once_a_round::<Heap>(peers, &lens);
        each_is_read_once_a_round::<Small>(peers, &lens);
    }

    #[test]
    fn multipart_is_never_torn_or_interleaved(steps in prop::collection::vec(any::<(u8, u8)>(), 0..400)) {
        messages_stay_whole::<Heap>(&steps);
        messages_stay_whole::<Small>(&steps);
    }

    #[test]
    fn high_water_mark_never_exceeded_and_never_under_used(
        hwm in 1_u32..=4,
        reads in prop::collection::vec(0_u8..6, 1..40),
    ) {
        the_mark_is_used_to_the_full::<Heap>(hwm, &reads);
        the_mark_is_used_to_the_full::<Small>(hwm, &reads);
    }
}

/// Idle pipes are not looked at: a round of busy ones costs the same among 10,000.
#[test]
fn a_busy_peer_among_ten_thousand() {
    let mut bench = Bench::<Pull, Heap>::new(Pull);
    let ids: Vec<_> = (0..10_000).map(|_| bench.peer("")).collect();
    for round in 0..3 {
        for at in [0, 5_000, 9_999] {
            bench.peer_sends(ids[at], &format!("{round}.{at}"));
        }
    }
    let mut got = bench.recv_all();
    got.sort();
    assert_eq!(got, ["0.0", "0.5000", "0.9999", "1.0", "1.5000", "1.9999", "2.0", "2.5000", "2.9999"]);
}
