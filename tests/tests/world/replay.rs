//! One seed is one history.

use crate::kind::{Kind, Small, options};
use omnimq_core::{Heap, SocketType};
use omnimq_tests::world::{LinkId, Plan, World};

/// What happens in two seconds of trouble: the digest, and the messages that arrived.
fn history<S: Kind>(seed: u64) -> (u64, usize) {
    let mut world = World::<S>::new(seed, Plan::CUT);
    let pull = world.node(SocketType::Pull, options::<S>(1));
    let push = world.node(SocketType::Push, options::<S>(1));
    let link: LinkId = world.connect(push, pull);
    let mut arrived = 0;
    world.run_until(10_000_000, |world| {
        let _ = world.send(push, &["to be", "or not"]);
        arrived += usize::from(world.recv(pull).is_some());
        world.now().micros() > 2_000_000
    });
    assert!(world.streams_made(link) > 10);
    (world.history(), arrived)
}

#[test]
fn a_seed_repeats_itself_to_the_octet() {
    assert_eq!(history::<Heap>(3), history::<Heap>(3));
    assert_eq!(history::<Small>(3), history::<Small>(3));
    assert_ne!(history::<Heap>(3).0, history::<Heap>(4).0);
}
