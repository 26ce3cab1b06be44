//! Every legal pair of socket types, either side binding, on both storages, under every plan.
//!
//! Where no stream ends, everything said is heard, once, whole, in order, and never more is under way than the
//! high-water marks and the wire hold. Where streams end, nothing is invented, repeated, torn or reordered; when
//! the trouble is over, the pair goes on as if new: subscriptions are known again, questions are answered.

use crate::kind::{Kind, Small, options};
use crate::player::{Part, Player};
use omnimq_core::{Heap, SocketType};
use omnimq_seeds as seeds;
use omnimq_tests::world::{LinkId, LinkState, Plan, World};
use std::time::Duration;

/// Two sockets, the applications behind them, and the link between them.
struct Pair<S: Kind> {
    world: World<S>,
    link: LinkId,
    /// The binding and the connecting one.
    players: [Player; 2],
}

/// Messages that are said in each direction.
const COUNT: u32 = 60;
/// How long a scenario may take.
const LIMIT: u64 = 120_000_000;

impl<S: Kind> Pair<S> {
    fn new(types: [SocketType; 2], plan: Plan, seed: u64) -> Self {
        let storms = plan.ends_streams();
        let mut world = World::new(seed, plan);
        let mut options = options::<S>(seed);
        // A strict REQ whose question or answer is lost waits for ever, as libzmq's does.
        (options.correlate, options.relaxed) = (storms, storms);
        let [bind, connect] = types.map(|socket_type| world.node(socket_type, options));
        for (at, (node, socket_type)) in [bind, connect].into_iter().zip(types).enumerate() {
            world.identify(node, &[b'n', at as u8]);
            match socket_type {
                SocketType::Sub => world.subscribe(node, b"t").unwrap(),
                SocketType::XSub => world.send(node, &[b"\x01t"]).unwrap(),
                _ => {}
            }
        }
        let link = world.connect(connect, bind);
        let player = |node, from: u8, mine, peer| Player::new(node, from, mine, peer, storms);
        let players = [player(bind, 0, types[0], types[1]), player(connect, 1, types[1], types[0])];
        Self { world, link, players }
    }
    /// Plays until every message up to `upto` that was said from `since` on has been heard.
    fn converse(&mut self, since: u32, upto: u32) {
        let Self { world, players, .. } = self;
        let window = world.plan.window;
        let publishes = players.iter().any(|player| player.part == Part::Listen);
        world.run_until(LIMIT, |world| {
            for at in [0, 1] {
                let (says, hears) = (&players[at], &players[1 - at]);
                let heard = heard_upto(hears, says.from, since);
                let under_way = says.next - heard.unwrap_or(since);
                // A publisher drops what nobody takes: it speaks slowly until it is heard, then within its credit.
                let (pause, room) = match heard {
                    _ if !publishes => (0, true),
                    None => (250_000, true),
                    Some(_) => (0, under_way < S::HWM / 2 + 1),
                };
                if heard.is_some() || !publishes {
                    assert_within_marks::<S>(says, under_way, window);
                }
                if room && (says.next < upto || publishes && heard.is_none()) {
                    players[at].say(world, Duration::from_micros(pause));
                }
                players[at].hear(world);
            }
            (0..2).all(|at| done(&players[at], &players[1 - at], since, upto))
        });
    }
    /// Plays without expecting anything to arrive, until the trouble is over.
    fn endure(&mut self) {
        let Self { world, players, .. } = self;
        let peace = world.plan.peace;
        world.run_until(LIMIT, |world| {
            for player in players.iter_mut() {
                let pause = world.rng().within(&(0..=10_000));
                player.say(world, Duration::from_micros(pause));
                player.hear(world);
            }
            world.now().micros() > peace
        });
        // What is still under way arrives or is lost.
        let settled = world.now() + Duration::from_secs(2);
        world.alarm(settled);
        world.run_until(LIMIT, |world| {
            players.iter_mut().for_each(|player| _ = player.hear(world));
            world.now() >= settled
        });
        assert_eq!(world.state(self.link), LinkState::Up, "the link comes back");
        assert!(world.streams_made(self.link) > 3, "the plan did end streams");
    }
    /// What each heard of the other is what was said, in order and once.
    fn assert_order(&self) {
        for player in &self.players {
            assert!(player.heard.is_sorted_by(|a, b| a.number < b.number), "in order, once: {:?}", player.heard);
            let said = self.players.iter().map(|player| player.next).max().unwrap_or(0);
            assert!(player.heard.iter().all(|stamp| stamp.number < said), "nothing is invented");
        }
    }
}

/// One past the last number from `since` on that `hears` heard from `from`.
fn heard_upto(hears: &Player, from: u8, since: u32) -> Option<u32> {
    let last = hears.heard.iter().rev().find(|stamp| stamp.from == from)?;
    (last.number >= since).then_some(last.number + 1)
}

/// Whether all that `says` had to say was heard where it was to be heard.
fn done(says: &Player, hears: &Player, since: u32, upto: u32) -> bool {
    match says.part {
        Part::Talk | Part::Both => heard_upto(hears, says.from, since).is_some_and(|heard| heard >= upto),
        Part::Ask => heard_upto(says, says.from, since).is_some_and(|heard| heard >= upto),
        Part::Listen | Part::Echo => true,
    }
}

/// No more than both marks, what the wire holds and one message being taken apart are under way.
fn assert_within_marks<S: Kind>(says: &Player, under_way: u32, window: usize) {
    /// Octets of the shortest message on the wire: a header and a stamp.
    const SHORTEST: usize = 8;
    let wire = u32::try_from(window / SHORTEST).unwrap() + 2;
    if matches!(says.part, Part::Both | Part::Talk) {
        assert!(under_way <= 2 * S::HWM + wire, "{under_way} messages under way");
    }
}

/// The scenario of a pair under a plan that ends no streams.
fn steady<S: Kind>(types: [SocketType; 2], plan: &Plan) {
    seeds::each(|seed| {
        let mut pair = Pair::<S>::new(types, plan.clone(), seed);
        pair.converse(0, COUNT);
        pair.assert_order();
        for player in &pair.players {
            let first = player.heard.first().map_or(0, |stamp| stamp.number);
            let numbers: Vec<u32> = player.heard.iter().map(|stamp| stamp.number).collect();
            assert_eq!(numbers, (first..first + numbers.len() as u32).collect::<Vec<_>>(), "nothing is missing");
            let publisher = types.iter().any(|it| matches!(it, SocketType::Pub | SocketType::XPub));
            assert!(first == 0 || publisher, "{first} messages are missing at the start");
        }
        assert_eq!(pair.world.streams_made(pair.link), 1);
    });
}

/// The scenario of a pair under a plan that ends streams.
fn stormy<S: Kind>(types: [SocketType; 2], plan: &Plan) {
    seeds::each(|seed| {
        let mut pair = Pair::<S>::new(types, plan.clone(), seed);
        pair.endure();
        pair.assert_order();
        let since = pair.players.iter().map(|player| player.next).max().unwrap_or(0);
        for player in &mut pair.players {
            player.next = since;
        }
        pair.converse(since, since + COUNT);
        pair.assert_order();
    });
}

macro_rules! pairs {
    ($($name:ident: $bind:ident $connect:ident;)*) => {
        /// The pairs that have scenarios.
        const PAIRS: &[[SocketType; 2]] = &[$([SocketType::$bind, SocketType::$connect]),*];

        $(mod $name {
            use super::*;
            pairs! { @storage heap Heap $bind $connect }
            pairs! { @storage fixed Small $bind $connect }
        })*
    };
    (@storage $module:ident $storage:ident $bind:ident $connect:ident) => {
        mod $module {
            use super::*;
            const TYPES: [SocketType; 2] = [SocketType::$bind, SocketType::$connect];

            #[test]
            fn calm() {
                steady::<$storage>(TYPES, &Plan::CALM);
            }
            #[test]
            fn split() {
                steady::<$storage>(TYPES, &Plan::SPLIT);
            }
            #[test]
            fn latency() {
                steady::<$storage>(TYPES, &Plan::LATENCY);
            }
            #[test]
            fn stall() {
                steady::<$storage>(TYPES, &Plan::STALL);
            }
            #[test]
            fn cut() {
                stormy::<$storage>(TYPES, &Plan::CUT);
            }
            #[test]
            fn half_close() {
                stormy::<$storage>(TYPES, &Plan::HALF_CLOSE);
            }
        }
    };
}

pairs! {
    pair_pair: Pair Pair;
    pub_sub: Pub Sub;
    sub_pub: Sub Pub;
    pub_xsub: Pub XSub;
    xsub_pub: XSub Pub;
    xpub_sub: XPub Sub;
    sub_xpub: Sub XPub;
    xpub_xsub: XPub XSub;
    xsub_xpub: XSub XPub;
    req_rep: Req Rep;
    rep_req: Rep Req;
    req_router: Req Router;
    router_req: Router Req;
    dealer_rep: Dealer Rep;
    rep_dealer: Rep Dealer;
    dealer_dealer: Dealer Dealer;
    dealer_router: Dealer Router;
    router_dealer: Router Dealer;
    router_router: Router Router;
    push_pull: Push Pull;
    pull_push: Pull Push;
}

#[test]
fn every_legal_pair_has_its_scenarios() {
    use SocketType as T;
    let eleven = [T::Pair, T::Pub, T::Sub, T::Req, T::Rep, T::Dealer, T::Router, T::Pull, T::Push, T::XPub, T::XSub];
    for bind in eleven {
        for connect in eleven {
            assert_eq!(bind.pairs_with(connect), PAIRS.contains(&[bind, connect]), "{bind:?} {connect:?}");
        }
    }
}
