//! Sockets of every pattern between two hosts whose cable loses, corrupts, duplicates, delays and reorders frames.
#![cfg(all(feature = "ip", feature = "ipv6"))]
mod support;

use omnimq_core::{Dealer, Options, Pub, Pull, Push, Rep, Req, Router, Sub};
use omnimq_smoltcp::{Capacity, Event, Settings};
use smoltcp::phy::Medium;
use support::pipe::Weather;
use support::{Family, Network, Watched, message};

type Sizes = Capacity<2, 4, 4, 640, 8, 16, 300, 300>;
type Sending = Capacity<2, 4, 0, 640, 8, 16, 300, 300>;
type Hearing = Capacity<2, 0, 4, 640, 8, 16, 300, 300>;

const SEEDS: u64 = 12;

/// The network of a seed: both versions of IP, both media.
fn network(seed: u64) -> Network {
    println!("seed {seed}");
    let family = if seed.is_multiple_of(2) { Family::V4 } else { Family::V6 };
    // Without Ethernet: its address resolution has no check sums, and a corrupted answer would be believed.
    Network::new(family, Medium::Ip, Weather::BAD, seed)
}

fn options(seed: u64) -> Options {
    Options::new(seed as u32 + 1)
}

#[test]
fn work_arrives_whole_and_in_order_over_a_bad_cable() {
    let mut lost = 0;
    for seed in 0..SEEDS {
        let mut net = network(seed);
        let mut push = Watched::new(net.socket::<_, Sending>(0, Push, options(seed), Settings::DEFAULT));
        let mut pull = Watched::new(net.socket::<_, Hearing>(1, Pull, options(seed), Settings::DEFAULT));
        pull.socket.bind(5555).unwrap();
        push.socket.connect((net.address(1), 5555)).unwrap();
        let (mut sent, mut heard, mut last) = (0, Vec::new(), None);
        let done = until!(net, 600, [0 => push, 1 => pull], {
            while sent < 100 && push.send(&message(sent)) {
                sent += 1;
            }
            while let Some(parts) = pull.recv() {
                let number = u32::from_be_bytes(parts[0][..4].try_into().unwrap());
                assert_eq!(parts, message(number), "torn, seed {seed}");
                assert!(last.replace(number) < Some(number), "twice or out of order, seed {seed}");
                heard.push(number);
            }
            last == Some(99)
        });
        assert!(done, "seed {seed}: {heard:?} of {sent}");
        // What is under way when a connection is lost is lost with it, as ZeroMQ has it; nothing else is.
        lost += pull.told(|event| matches!(event, Event::Closed(_)));
        assert!(heard.len() == 100 || pull.told(|event| matches!(event, Event::Closed(_))) > 0, "seed {seed}: {heard:?}");
    }
    // smoltcp 0.14 believes an old window that a newer one has overtaken, and may wait for ever for it to open:
    // `Settings::silence` ends that. It stays the exception.
    assert!(lost <= SEEDS as usize / 4, "{lost} connections were lost");
}

#[test]
fn questions_are_answered_over_a_bad_cable() {
    for seed in 0..SEEDS {
        let mut net = network(seed);
        let mut req = Watched::new(net.socket::<_, Sizes>(0, Req, options(seed), Settings::DEFAULT));
        let mut rep = Watched::new(net.socket::<_, Sizes>(1, Rep, options(seed), Settings::DEFAULT));
        rep.socket.bind(5555).unwrap();
        req.socket.connect((net.address(1), 5555)).unwrap();
        let (mut asked, mut answered) = (0, 0);
        let done = until!(net, 600, [0 => req, 1 => rep], {
            if asked == answered && req.send(&message(asked)) {
                asked += 1;
            }
            if let Some(parts) = rep.recv() {
                assert!(rep.send(&parts));
            }
            if let Some(parts) = req.recv() {
                assert_eq!(parts, message(answered), "seed {seed}");
                answered += 1;
            }
            answered == 30
        });
        assert!(done, "seed {seed}: {answered} of {asked}");
    }
}

#[test]
fn subscribers_get_their_topics_over_a_bad_cable() {
    for seed in 0..SEEDS {
        let mut net = network(seed);
        let mut every = options(seed);
        every.nodrop = true;
        let mut publisher = Watched::new(net.socket::<_, Sending>(0, Pub, every, Settings::DEFAULT));
        let mut subs = [0, 1].map(|_| Watched::new(net.socket::<_, Hearing>(1, Sub, options(seed), Settings::DEFAULT)));
        publisher.socket.bind(5555).unwrap();
        for (sub, topic) in subs.iter_mut().zip([b"even", b"odd "]) {
            sub.socket.subscribe(topic).unwrap();
            sub.socket.connect((net.address(0), 5555)).unwrap();
        }
        let [even, odd] = &mut subs;
        let topic = |number: u32| if number.is_multiple_of(2) { b"even".to_vec() } else { b"odd ".to_vec() };
        // Subscriptions have arrived when both hear a first message.
        let (mut heard, mut begun) = ([0, 0], false);
        assert!(
            until!(net, 600, [0 => publisher, 1 => *even, 1 => *odd], {
                publisher.send(&[b"even".to_vec(), b"first".to_vec()]);
                publisher.send(&[b"odd ".to_vec(), b"first".to_vec()]);
                heard[0] += usize::from(even.recv().is_some());
                heard[1] += usize::from(odd.recv().is_some());
                heard[0] > 0 && heard[1] > 0
            }),
            "seed {seed}"
        );
        let (mut sent, mut next) = (0, [0_u32, 1]);
        let done = until!(net, 600, [0 => publisher, 1 => *even, 1 => *odd], {
            while sent < 60 && publisher.send(&[topic(sent), sent.to_be_bytes().to_vec()]) {
                sent += 1;
            }
            for (at, sub) in [&mut *even, &mut *odd].into_iter().enumerate() {
                while let Some(parts) = sub.recv() {
                    assert_eq!(parts[0], topic(at as u32), "what it did not ask for, seed {seed}");
                    if parts[1] == b"first" {
                        assert!(next[at] < 2, "an old one after a new one");
                        continue;
                    }
                    assert_eq!(parts[1], next[at].to_be_bytes(), "seed {seed}");
                    next[at] += 2;
                }
            }
            begun |= sent > 0;
            next == [60, 61]
        });
        assert!(done && begun, "seed {seed}: {next:?} of {sent}");
    }
}

#[test]
fn a_router_keeps_dealers_apart_over_a_bad_cable() {
    for seed in 0..SEEDS {
        let mut net = network(seed);
        let mut mandatory = options(seed);
        mandatory.mandatory = true;
        let mut router = Watched::new(net.socket::<_, Sizes>(0, Router, mandatory, Settings::DEFAULT));
        router.socket.bind(5555).unwrap();
        let mut dealers = [0, 1].map(|_| Watched::new(net.socket::<_, Sizes>(1, Dealer, options(seed), Settings::DEFAULT)));
        for (dealer, name) in dealers.iter_mut().zip([b"left", b"rite"]) {
            dealer.socket.node().set_routing_id(name).unwrap();
            dealer.socket.connect((net.address(0), 5555)).unwrap();
        }
        let [left, right] = &mut dealers;
        let (mut sent, mut back, mut held) = ([0, 0], [0, 0], None);
        let done = until!(net, 600, [0 => router, 1 => *left, 1 => *right], {
            for (at, dealer) in [&mut *left, &mut *right].into_iter().enumerate() {
                if sent[at] < 30 && dealer.send(&[vec![at as u8], vec![sent[at]]]) {
                    sent[at] += 1;
                }
                if let Some(parts) = dealer.recv() {
                    assert_eq!(parts, [vec![at as u8], vec![back[at]]], "seed {seed}");
                    back[at] += 1;
                }
            }
            held = held.take().or_else(|| router.recv()).filter(|parts: &Vec<Vec<u8>>| !router.send(parts));
            back == [30, 30]
        });
        assert!(done, "seed {seed}: {back:?} of {sent:?}");
    }
}
