//! More than two: who gets what, whose turn it is, and that nobody suffers for another.

use crate::kind::{Kind, Small, options};
use crate::message::Stamp;
use omnimq_core::{Heap, Instant, SendErrorKind, SocketType};
use omnimq_seeds as seeds;
use omnimq_tests::world::{End, LinkId, LinkState, Message, NodeId, Plan, World};
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: u64 = 1_000_000;

/// One node in the middle and three around it.
struct Star<S: Kind> {
    world: World<S>,
    middle: NodeId,
    around: [NodeId; 3],
    links: [LinkId; 3],
}

impl<S: Kind> Star<S> {
    /// The middle binds, or connects to all three.
    fn new(middle: SocketType, around: SocketType, end: End, plan: Plan, seed: u64) -> Self {
        let mut world = World::new(seed, plan);
        let middle = world.node(middle, options::<S>(seed));
        let around = [0_u8; 3].map(|_| world.node(around, options::<S>(seed)));
        for (at, node) in around.into_iter().enumerate() {
            world.identify(node, &[b'n', at as u8]);
        }
        let links = around.map(|node| match end {
            End::Bind => world.connect(node, middle),
            End::Connect => world.connect(middle, node),
        });
        Self { world, middle, around, links }
    }
    /// Lets time pass until every handshake is over.
    fn meet(&mut self) {
        let links = self.links;
        self.world.run_until(60 * SECOND, |world| links.iter().all(|link| world.is_ready(*link)));
    }
    /// Everything that the three have received.
    fn drain(&mut self) -> [Vec<Message>; 3] {
        self.around.map(|node| std::iter::from_fn(|| self.world.recv(node)).collect())
    }
}

/// Both storages, both sides binding.
fn everywhere(scenario: impl Fn(u64, End), fixed: impl Fn(u64, End)) {
    seeds::each(|seed| {
        for end in End::BOTH {
            scenario(seed, end);
            fixed(seed, end);
        }
    });
}

#[test]
fn push_feeds_three_pulls_evenly() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Push, SocketType::Pull, end, Plan::SPLIT, seed);
        star.meet();
        let mut counts = [0; 3];
        for number in 0..90 {
            star.world.send(star.middle, &Stamp { from: 0, number }.message(b't', S::LARGEST)).unwrap();
            star.world.run(10_000);
            for (count, messages) in counts.iter_mut().zip(star.drain()) {
                *count += messages.len();
            }
        }
        assert_eq!(counts, [30; 3]);
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn push_passes_over_a_pull_that_is_full() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Push, SocketType::Pull, end, Plan { window: 64, ..Plan::CALM }, seed);
        star.meet();
        let middle = star.middle;
        let mut heard = [0; 3];
        let mut said = 0;
        star.world.run_until(60 * SECOND, |world| {
            said += u32::from(world.send(middle, &["work"]).is_ok());
            for at in [1, 2] {
                heard[at] += u32::from(world.recv(star.around[at]).is_some());
            }
            heard[1] + heard[2] >= 400
        });
        let late = star.world.now();
        while star.world.now().since(late) < Duration::from_secs(1) {
            star.world.run(10_000);
            for (heard, messages) in heard.iter_mut().zip(star.drain()) {
                *heard += messages.len() as u32;
            }
        }
        assert!(heard[0] <= 2 * S::HWM + 64 / 6 + 2, "the stuck one got no more than fits: {heard:?}");
        assert!(heard[1].abs_diff(heard[2]) <= 2 * S::HWM, "the others share: {heard:?}");
        assert_eq!(heard.iter().sum::<u32>(), said, "nothing is lost");
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn pull_hears_three_pushes_in_turn() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Pull, SocketType::Push, end, Plan::CALM, seed);
        star.meet();
        let mut heard: Vec<usize> = Vec::new();
        for _ in 0..60 {
            for (at, node) in star.around.into_iter().enumerate() {
                while star.world.send(node, &["from", &at.to_string()]).is_ok() {}
            }
            star.world.run(5_000);
            let message = star.world.recv(star.middle).expect("each has sent all it may");
            heard.push(String::from_utf8_lossy(&message[1]).parse().unwrap());
        }
        for three in heard.chunks(3) {
            let mut sorted = three.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2], "a turn each in every round: {heard:?}");
        }
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn each_sub_gets_its_topics_and_no_others() {
    const TOPICS: [&[&[u8]]; 3] = [&[b"a", b"bc"], &[b"ab"], &[b""]];
    const SENT: [&[u8]; 6] = [b"a", b"ab", b"abc", b"b", b"bcd", b""];
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Pub, SocketType::Sub, end, Plan::SPLIT, seed);
        for (node, topics) in star.around.into_iter().zip(TOPICS) {
            topics.iter().for_each(|topic| star.world.subscribe(node, topic).unwrap());
        }
        star.meet();
        star.world.run(SECOND);
        let round = |star: &mut Star<S>, topics: [&[&[u8]]; 3]| {
            for topic in SENT {
                star.world.send(star.middle, &[topic, b"body"]).unwrap();
                star.world.run(100_000);
                let due = topics.map(|mine| mine.iter().any(|prefix| topic.starts_with(prefix)));
                let heard = star.drain();
                for (heard, due) in heard.into_iter().zip(due) {
                    assert_eq!(heard, vec![vec![topic.to_vec(), b"body".to_vec()]; due.into()], "{topic:?}");
                }
            }
        };
        round(&mut star, TOPICS);
        // Subscribed twice and given back once: still wanted.
        star.world.subscribe(star.around[1], b"ab").unwrap();
        star.world.unsubscribe(star.around[1], b"ab").unwrap();
        star.world.unsubscribe(star.around[0], b"a").unwrap();
        star.world.unsubscribe(star.around[2], b"").unwrap();
        star.world.run(SECOND);
        round(&mut star, [&[b"bc"], &[b"ab"], &[]]);
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn a_stuck_subscriber_slows_nobody() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Pub, SocketType::Sub, end, Plan { window: 200, ..Plan::CALM }, seed);
        star.around.into_iter().for_each(|node| star.world.subscribe(node, b"").unwrap());
        star.meet();
        star.world.run(SECOND);
        // The first has a dead link, the second an application that does not read.
        star.world.stall(star.links[0], End::Bind, Duration::from_secs(3_600));
        star.world.stall(star.links[0], End::Connect, Duration::from_secs(3_600));
        for number in 0..200_u32 {
            let begun = star.world.now();
            star.world.send(star.middle, &[number.to_be_bytes()]).unwrap();
            let mut got = None;
            star.world.run_until(SECOND, |world| {
                got = world.recv(star.around[2]);
                got.is_some()
            });
            assert_eq!(got.unwrap(), [number.to_be_bytes()]);
            assert!(star.world.now().since(begun) <= Duration::from_millis(1), "one latency, whatever the others do");
        }
        let second = star.drain();
        assert!(second[0].is_empty());
        let kept: Vec<_> = second[1].iter().map(|message| u32::from_be_bytes(message[0][..].try_into().unwrap())).collect();
        assert!(kept.len() >= S::HWM as usize && kept.len() < 200, "{kept:?}");
        assert_eq!(kept, (0..kept.len() as u32).collect::<Vec<_>>(), "the one that does not read has the oldest");
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn router_keeps_three_dealers_apart() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Router, SocketType::Dealer, end, Plan::CUT, seed);
        let (middle, around) = (star.middle, star.around);
        let peace = star.world.plan.peace;
        let mut next = [Instant::ZERO; 3];
        let mut said = [0_u32; 3];
        let mut heard = [0_u32; 3];
        star.world.run_until(60 * SECOND, |world| {
            for (at, node) in around.into_iter().enumerate() {
                if world.now() >= next[at] && world.send(node, &[[b'd', at as u8], [0, 0]]).is_ok() {
                    said[at] += 1;
                    next[at] = world.now() + Duration::from_micros(world.rng().within(&(0..=10_000)));
                    world.alarm(next[at]);
                }
                while let Some(answer) = world.recv(node) {
                    assert_eq!(answer, [[b'd', at as u8], [0, 0]], "an answer to another");
                    heard[at] += 1;
                }
            }
            while let Some(question) = world.recv(middle) {
                assert_eq!(question[0][1], question[1][1], "the routing id is the sender's");
                assert_eq!(question[0][0], b'n');
                match world.send(middle, &question) {
                    Ok(()) | Err(SendErrorKind::Unroutable | SendErrorKind::Again) => {}
                    Err(kind) => panic!("{kind}"),
                }
            }
            world.now().micros() > peace + SECOND
        });
        assert!((0..3).all(|at| heard[at] > 10 && heard[at] <= said[at]), "{heard:?} of {said:?}");
        assert!(star.links.iter().all(|link| star.world.streams_made(*link) > 3));
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn nameless_dealers_get_names_of_their_own() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Router, SocketType::Dealer, end, Plan::SPLIT, seed);
        star.around.into_iter().for_each(|node| star.world.identify(node, b""));
        star.meet();
        let mut names: BTreeMap<Vec<u8>, u8> = BTreeMap::new();
        for round in 0..2 {
            for (at, node) in star.around.into_iter().enumerate() {
                star.world.send(node, &[[at as u8]]).unwrap();
                star.world.run(100_000);
                let message = star.world.recv(star.middle).unwrap();
                assert_eq!((message[0].len(), message[0][0], &message[1][..]), (5, 0, &[at as u8][..]));
                let known = names.insert(message[0].clone(), at as u8);
                assert_eq!(known, (round > 0).then_some(at as u8), "one name per connection, as long as it lives");
            }
        }
        assert_eq!(names.len(), 3);
        for (name, at) in names {
            star.world.send(star.middle, &[&name[..], b"you"]).unwrap();
            star.world.run(100_000);
            let heard = star.drain().map(|messages| messages.len());
            assert_eq!(heard, std::array::from_fn(|it| usize::from(it == usize::from(at))));
        }
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn rep_answers_each_of_three_reqs_its_own_question() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Rep, SocketType::Req, end, Plan::STALL, seed);
        let (middle, around) = (star.middle, star.around);
        let mut heard = [0_u32; 3];
        star.world.run_until(600 * SECOND, |world| {
            for (at, node) in around.into_iter().enumerate() {
                if heard[at] < 30 {
                    let _ = world.send(node, &[[at as u8, heard[at] as u8]]);
                }
                if let Some(answer) = world.recv(node) {
                    assert_eq!(answer, [[at as u8, heard[at] as u8]]);
                    heard[at] += 1;
                }
            }
            if let Some(question) = world.recv(middle) {
                world.send(middle, &question).unwrap();
            }
            heard == [30; 3]
        });
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn req_asks_three_reps_in_turn() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Req, SocketType::Rep, end, Plan::SPLIT, seed);
        star.meet();
        let mut asked = Vec::new();
        for number in 0..30_u8 {
            star.world.send(star.middle, &[[number]]).unwrap();
            star.world.run(100_000);
            let who = star.drain().iter().position(|questions| questions == &[[[number]]]).expect("one was asked");
            asked.push(who);
            star.world.send(star.around[who], &[[number]]).unwrap();
            star.world.run(100_000);
            assert_eq!(star.world.recv(star.middle).unwrap(), [[number]]);
        }
        assert!(asked.windows(3).all(|three| three[0] != three[1] && three[1] != three[2] && three[0] != three[2]));
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn xpub_sees_the_first_subscription_and_the_last_cancellation() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::XPub, SocketType::Sub, end, Plan::SPLIT, seed);
        star.meet();
        let middle = star.middle;
        let events = |world: &mut World<S>| -> Vec<Message> {
            world.run(SECOND);
            std::iter::from_fn(|| world.recv(middle)).collect()
        };
        let [first, second, third] = star.around;
        let world = &mut star.world;
        world.subscribe(first, b"x").unwrap();
        assert_eq!(events(world), [[b"\x01x"]]);
        world.subscribe(second, b"x").unwrap();
        world.subscribe(third, b"x").unwrap();
        world.subscribe(third, b"x").unwrap();
        assert_eq!(events(world), [[b""; 1]; 0], "not the first");
        world.subscribe(second, b"xy").unwrap();
        assert_eq!(events(world), [[b"\x01xy"]]);
        world.unsubscribe(first, b"x").unwrap();
        world.unsubscribe(second, b"x").unwrap();
        world.unsubscribe(third, b"x").unwrap();
        assert_eq!(events(world), [[b""; 1]; 0], "not the last: the third had asked twice");
        // The third goes without a word, and comes back with the one subscription it still has.
        world.cut(star.links[2]);
        assert_eq!(events(world), [[b"\x00x"], [b"\x01x"]]);
        world.unsubscribe(third, b"x").unwrap();
        assert_eq!(events(world), [[b"\x00x"]]);
        // Who has gone wants nothing; but a pipe that we made to a peer outlives its streams, and so do its topics.
        world.refuse(star.links[1], true);
        world.cut(star.links[1]);
        let gone: &[[&[u8]; 1]] = if end == End::Bind { &[[b"\x00xy"]] } else { &[] };
        assert_eq!(events(world), gone);
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn xsub_messages_reach_every_xpub_and_its_subscriptions_too() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::XSub, SocketType::XPub, end, Plan::SPLIT, seed);
        star.meet();
        star.world.send(star.middle, &[b"\x01topic"]).unwrap();
        star.world.send(star.middle, &[b"hello", b"there"]).unwrap();
        star.world.run(SECOND);
        for heard in star.drain() {
            assert_eq!(heard, [vec![b"\x01topic".to_vec()], vec![b"hello".to_vec(), b"there".to_vec()]]);
        }
        for (at, node) in star.around.into_iter().enumerate() {
            star.world.send(node, &[format!("topic {at}")]).unwrap();
            star.world.send(node, &[format!("other {at}")]).unwrap();
        }
        star.world.run(SECOND);
        let mut heard: Vec<Message> = std::iter::from_fn(|| star.world.recv(star.middle)).collect();
        heard.sort();
        assert_eq!(heard, [[b"topic 0"], [b"topic 1"], [b"topic 2"]]);
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn what_came_before_the_end_of_a_stream_is_still_heard() {
    fn scenario<S: Kind>(seed: u64, end: End) {
        let mut star = Star::<S>::new(SocketType::Pull, SocketType::Push, end, Plan::SPLIT, seed);
        star.meet();
        for (at, node) in star.around.into_iter().enumerate() {
            for number in 0..S::HWM {
                star.world.send(node, &[[at as u8], [number as u8]]).unwrap();
            }
        }
        // All arrives; then every stream ends, in three ways, and none comes back.
        star.world.run(SECOND);
        for (at, link) in star.links.into_iter().enumerate() {
            star.world.refuse(link, true);
            match at {
                0 => star.world.cut(link),
                1 => star.world.half_close(link, end.other()),
                _ => star.world.half_close(link, end),
            }
        }
        star.world.run(SECOND);
        assert!(star.links.iter().all(|link| matches!(star.world.state(*link), LinkState::Down(_))));
        let mut heard: Vec<Message> = std::iter::from_fn(|| star.world.recv(star.middle)).collect();
        heard.sort();
        let said = (0..3).flat_map(|at| (0..S::HWM).map(move |number| vec![vec![at], vec![number as u8]]));
        assert_eq!(heard, said.collect::<Vec<_>>());
    }
    everywhere(scenario::<Heap>, scenario::<Small>);
}

#[test]
fn a_second_peer_of_a_pair_is_turned_away_until_the_first_has_gone() {
    fn scenario<S: Kind>(seed: u64) {
        let mut world = World::<S>::new(seed, Plan::CALM);
        let [middle, first, second] = [0; 3].map(|_| world.node(SocketType::Pair, options::<S>(seed)));
        let link = world.connect(first, middle);
        world.run_until(SECOND, |world| world.is_ready(link));
        let late = world.connect(second, middle);
        world.run(SECOND);
        assert!(!world.is_ready(late) && world.is_ready(link));
        world.send(first, &["first"]).unwrap();
        world.run(SECOND);
        assert_eq!(world.recv(middle).unwrap(), [b"first"]);
        assert!(world.recv(middle).is_none());
        world.refuse(link, true);
        world.cut(link);
        world.run_until(60 * SECOND, |world| world.is_ready(late));
        world.send(second, &["second"]).unwrap();
        world.run(SECOND);
        assert_eq!(world.recv(middle).unwrap(), [b"second"]);
    }
    seeds::each(|seed| {
        scenario::<Heap>(seed);
        scenario::<Small>(seed);
    });
}

#[test]
fn a_strict_req_waits_for_its_lost_answer_and_a_relaxed_one_asks_again() {
    fn scenario<S: Kind>(seed: u64) {
        for relaxed in [false, true] {
            let mut world = World::<S>::new(seed, Plan::CALM);
            let mut options = options::<S>(seed);
            (options.correlate, options.relaxed) = (relaxed, relaxed);
            let req = world.node(SocketType::Req, options);
            let rep = world.node(SocketType::Rep, options);
            let link = world.connect(req, rep);
            world.send(req, &["lost"]).unwrap();
            world.run(SECOND);
            world.cut(link);
            assert_eq!(world.recv(rep).unwrap(), [b"lost"], "heard, and its asker has gone");
            world.send(rep, &["to nobody"]).unwrap();
            world.run(SECOND);
            assert!(world.recv(req).is_none());
            if !relaxed {
                assert_eq!(world.send(req, &["again"]), Err(SendErrorKind::State));
                continue;
            }
            world.send(req, &["again"]).unwrap();
            world.run(SECOND);
            let question = world.recv(rep).unwrap();
            world.send(rep, &question).unwrap();
            world.run(SECOND);
            assert_eq!(world.recv(req).unwrap(), [b"again"]);
        }
    }
    seeds::each(|seed| {
        scenario::<Heap>(seed);
        scenario::<Small>(seed);
    });
}
