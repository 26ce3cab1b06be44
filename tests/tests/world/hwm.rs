//! The high-water mark, to the message: what is accepted when nobody takes it, and when there is room again.

use crate::kind::{Kind, Small, options};
use omnimq_core::{Heap, SendErrorKind, SocketType};
use omnimq_seeds as seeds;
use omnimq_tests::world::{End, NodeId, Plan, World};
use std::time::Duration;

/// Octets of the messages here, and what one takes on the wire.
const BODY: [u8; 22] = [7; 22];
const ON_WIRE: usize = 24;

/// Sends until refused; how many were taken.
fn fill<S: Kind>(world: &mut World<S>, push: NodeId) -> u32 {
    let mut taken = 0;
    loop {
        match world.send(push, &[BODY]) {
            Ok(()) => taken += 1,
            Err(kind) => {
                assert_eq!(kind, SendErrorKind::Again);
                return taken;
            }
        }
    }
}

/// Sends and lets time pass until nothing more is taken.
fn fill_to_the_end<S: Kind>(world: &mut World<S>, push: NodeId) -> u32 {
    let mut taken = 0;
    for _ in 0..50 {
        taken += fill(world, push);
        world.run(10_000);
    }
    taken
}

#[test]
fn an_unanswered_connection_takes_exactly_its_mark() {
    fn scenario<S: Kind>(mark: u32) {
        let mut world = World::<S>::new(1, Plan::CALM);
        let pull = world.node(SocketType::Pull, options::<S>(1));
        let mut options = options::<S>(1);
        options.send_hwm = mark;
        let push = world.node(SocketType::Push, options);
        let link = world.connect(push, pull);
        world.refuse(link, true);
        assert_eq!(fill_to_the_end(&mut world, push), mark);
        // What was queued is delivered when somebody answers.
        world.refuse(link, false);
        let mut heard = 0;
        world.run_until(1_000_000, |world| {
            heard += u32::from(world.recv(pull).is_some());
            heard == mark
        });
    }
    for mark in [1, 2, 3, 7, 1000] {
        scenario::<Heap>(mark);
    }
    for mark in [1, 2, 3, 4] {
        scenario::<Small>(mark);
    }
}

#[test]
fn a_binding_push_without_peers_takes_nothing() {
    fn scenario<S: Kind>() {
        let mut world = World::<S>::new(1, Plan::CALM);
        let push = world.node(SocketType::Push, options::<S>(1));
        let pull = world.node(SocketType::Pull, options::<S>(1));
        assert_eq!(fill(&mut world, push), 0);
        let link = world.connect(pull, push);
        world.run_until(1_000_000, |world| world.is_ready(link));
        assert_eq!(fill(&mut world, push), S::HWM);
    }
    scenario::<Heap>();
    scenario::<Small>();
}

#[test]
fn a_reader_that_does_not_read_leaves_both_marks_and_the_wire_full() {
    fn scenario<S: Kind>(send: u32, recv: u32, window: usize) {
        let mut world = World::<S>::new(1, Plan { window, ..Plan::CALM });
        let (mut here, mut there) = (options::<S>(1), options::<S>(1));
        here.send_hwm = send;
        there.recv_hwm = recv;
        let push = world.node(SocketType::Push, here);
        let pull = world.node(SocketType::Pull, there);
        let link = world.connect(push, pull);
        world.run_until(1_000_000, |world| world.is_ready(link));
        let taken = fill_to_the_end(&mut world, push);
        // What has left the sender's pipe: the receiver's mark, what fills the window, a message in pieces perhaps.
        // Of that the sender has been told in steps of its low-water mark.
        let wire = (window / ON_WIRE) as u32;
        let lwm = send.div_ceil(2);
        let told = |gone: u32| send + gone / lwm * lwm;
        assert!((told(recv + wire)..=told(recv + wire + 1)).contains(&taken), "{taken} of {send} + {recv} + {wire}");
        let mut heard = 0;
        world.run_until(10_000_000, |world| {
            heard += u32::from(world.recv(pull).is_some());
            heard == taken
        });
    }
    for (send, recv) in [(1, 1), (2, 3), (7, 1), (1, 7)] {
        for window in [ON_WIRE, 5 * ON_WIRE, 100] {
            scenario::<Heap>(send, recv, window);
            scenario::<Small>(send.min(4), recv.min(4), window);
        }
    }
}

#[test]
fn credit_comes_back_once_per_low_water_mark() {
    fn scenario<S: Kind>(mark: u32) {
        let mut world = World::<S>::new(1, Plan { window: ON_WIRE, ..Plan::CALM });
        let (mut here, mut there) = (options::<S>(1), options::<S>(1));
        here.send_hwm = mark;
        there.recv_hwm = mark;
        let push = world.node(SocketType::Push, here);
        let pull = world.node(SocketType::Pull, there);
        let link = world.connect(push, pull);
        world.run_until(1_000_000, |world| world.is_ready(link));
        fill_to_the_end(&mut world, push);
        // Every (mark + 1) / 2 messages read let as many pass, and so on up the pipe to the sender.
        let lwm = mark.div_ceil(2);
        let mut admitted = 0;
        for read in 1..=20 * lwm {
            world.recv(pull).expect("there is always more");
            for _ in 0..2 * mark + 4 {
                world.run(2_000);
            }
            let taken = fill_to_the_end(&mut world, push);
            assert!(taken == 0 || taken.is_multiple_of(lwm), "{taken} at once, the low-water mark is {lwm}");
            admitted += taken;
            assert!(admitted <= read + 2 * lwm && read <= admitted + 2 * lwm, "{admitted} for {read} read");
        }
    }
    for mark in [1, 2, 3, 4] {
        scenario::<Heap>(mark);
        scenario::<Small>(mark);
    }
}

#[test]
fn twenty_thousand_topics_pass_over_a_mark_of_one() {
    fn scenario<S: Kind>(count: u32, plan: &Plan, seed: u64) {
        let mut world = World::<S>::new(seed, plan.clone());
        let mut options = options::<S>(seed);
        (options.send_hwm, options.recv_hwm) = (1, 1);
        let publisher = world.node(SocketType::Pub, options);
        let subscriber = world.node(SocketType::Sub, options);
        let topic = |number: u32| format!("topic-{number:05}.");
        for number in 0..count / 2 {
            world.subscribe(subscriber, topic(number).as_bytes()).unwrap();
        }
        let link = world.connect(subscriber, publisher);
        for number in count / 2..count {
            world.subscribe(subscriber, topic(number).as_bytes()).unwrap();
        }
        // A few cuts on the way: each new stream begins with all of them again.
        for _ in 0..3 {
            world.run(30_000);
            world.cut(link);
        }
        world.run_until(600_000_000, |world| world.is_ready(link));
        world.run(60_000_000);
        for number in 0..count {
            world.send(publisher, &[topic(number)]).unwrap();
            world.send(publisher, &["topic-unwanted"]).unwrap();
            let mut got = None;
            world.run_until(1_000_000, |world| {
                got = world.recv(subscriber);
                got.is_some()
            });
            assert_eq!(got.unwrap(), [topic(number).as_bytes()]);
        }
    }
    seeds::each_of(1, |seed| {
        scenario::<Heap>(20_000, &Plan { window: 1 << 14, ..Plan::CALM }, seed);
        scenario::<Small>(8, &Plan::SPLIT, seed);
    });
}

#[test]
fn a_stalled_wire_is_not_a_lost_one() {
    fn scenario<S: Kind>() {
        let mut world = World::<S>::new(1, Plan { window: ON_WIRE, ..Plan::CALM });
        let push = world.node(SocketType::Push, options::<S>(1));
        let pull = world.node(SocketType::Pull, options::<S>(1));
        let link = world.connect(push, pull);
        world.run_until(1_000_000, |world| world.is_ready(link));
        world.stall(link, End::Connect, Duration::from_secs(20));
        let mut taken = fill_to_the_end(&mut world, push);
        assert!((S::HWM..=S::HWM + 1).contains(&taken), "{taken}");
        assert!(world.recv(pull).is_none());
        world.run(20_000_000);
        let mut heard = 0;
        world.run_until(1_000_000, |world| {
            if taken < 50 {
                taken += fill(world, push);
            }
            heard += u32::from(world.recv(pull).is_some());
            heard == taken && taken >= 50
        });
        assert_eq!(world.streams_made(link), 1);
    }
    scenario::<Heap>();
    scenario::<Small>();
}
