//! A stream is lost and another takes its place: what is sent again, and what is not.

use crate::trace::{Side, Small, message, read_all};
use omnimq_core::connection::{Config, Connection};
use omnimq_core::{Heap, LocalStorage, PipeReader, PipeWriter, SocketType};

/// A message of which no frame has gone entirely is sent again whole; of one that has begun, the rest is dropped.
#[test]
fn a_stream_cut_at_every_octet() {
    fn on<S: LocalStorage>() {
        let messages: [&[&[u8]]; 4] = [&[b"first"], &[b"one", b"two", b"three"], &[b""], &[b"last", b""]];
        // Where each message begins, where its first frame ends and where it ends.
        let mut spans = vec![];
        let mut whole = vec![];
        for parts in messages {
            let begin = whole.len();
            whole.extend(message(parts));
            spans.push((begin, begin + 2 + parts[0].len(), whole.len()));
        }
        for cut in 0..=whole.len() {
            let mut side = Side::<S>::ready(SocketType::Push, SocketType::Pull, 1);
            for parts in messages {
                side.write(parts);
            }
            assert_eq!(side.drain_into(cut).0, whole[..cut]);
            let Side { connection, mut tx, mut rx, .. } = side;
            connection.release(&mut tx, &mut rx);
            let kept: Vec<Vec<Vec<u8>>> = messages
                .iter()
                .zip(&spans)
                .filter(|(_, (_, first, _))| cut < *first)
                .map(|(parts, _)| parts.iter().map(|part| part.to_vec()).collect())
                .collect();
            assert_eq!(read_all(&mut tx), kept, "cut at {cut}");
        }
        assert!(spans.iter().all(|(begin, first, end)| begin < first && first <= end));
    }
    on::<Heap>();
    on::<Small>();
}

#[test]
fn the_next_connection_sends_what_was_kept() {
    let mut side = Side::<Heap>::ready(SocketType::Push, SocketType::Pull, 1);
    side.write(&[b"whole", b"message"]);
    side.drain_into(4);
    side.eof();
    side.signals();
    let old = std::mem::replace(&mut side.connection, Connection::new(&Config::DEFAULT, side.now));
    old.release(&mut side.tx, &mut side.rx);
    send!(side, crate::trace::greeting(3, 1), crate::trace::ready(SocketType::Pull, None));
    let out = side.drain();
    assert_eq!(out[out.len() - 16..], message(&[b"whole", b"message"]));
}

#[test]
fn a_half_received_message_is_forgotten() {
    fn on<S: LocalStorage>() {
        let octets = message(&[b"one", b"two"]);
        for cut in 0..octets.len() {
            let mut side = Side::<S>::ready(SocketType::Pull, SocketType::Push, 1);
            send!(side, octets[..cut]);
            let Side { connection, mut tx, mut rx, .. } = side;
            connection.release(&mut tx, &mut rx);
            rx.write_bytes(b"next", false).unwrap();
            assert_eq!(read_all(&mut rx), [[b"next"]], "cut at {cut}");
            assert_eq!(tx.front(), None);
        }
    }
    on::<Heap>();
    on::<Small>();
}
