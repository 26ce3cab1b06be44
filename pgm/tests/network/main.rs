//! Sources and receivers over a network in virtual time that loses, repeats, delays and parts, from a seed.
#![cfg(feature = "alloc")]

mod plan;
mod world;

use omnimq_pgm::{Fixed, Heap, ReceiverConfig, SourceConfig, Storage};
use omnimq_seeds::each_of as seeds;
use plan::Plan;
use std::time::Duration;
use world::World;

const MILLI: Duration = Duration::from_millis(1);
const HALF_MILLI: Duration = Duration::from_micros(500);

fn fast() -> SourceConfig {
    let mut config = SourceConfig::default();
    config.rate = 12_500_000;
    config
}

fn calm<S: Storage>(seed: u64) {
    let mut world = World::<S>::new(seed);
    world.sender(1, World::<S>::tsi(1), 0, fast(), HALF_MILLI, 500);
    world.listener(1, ReceiverConfig::default(), Plan::calm());
    world.run(Duration::from_secs(2));
    let account = world.listeners[0].of(1);
    assert_eq!((account.first, account.delivered, account.lost), (0, 500, 0));
    assert_eq!(world.naks, 0);
}

#[test]
fn a_calm_network_needs_no_repairs() {
    seeds(4, |seed| {
        calm::<Heap>(seed);
        calm::<Fixed<2, 64, 128>>(seed);
    });
}

/// Everything arrives, by few NAKs.
fn all_is_repaired<S: Storage>(seed: u64, plan: &Plan, naks_per_loss: f64) {
    let mut world = World::<S>::new(seed);
    world.sender(1, World::<S>::tsi(1), 0xffff_ff00, fast(), HALF_MILLI, 3000);
    world.listener(1, ReceiverConfig::default(), plan.clone());
    world.upstream.loss = plan.loss;
    world.run(Duration::from_secs(20));
    let account = world.listeners[0].of(1);
    assert_eq!((account.next, account.lost), (3000, 0), "{account:?} {:?}", world.listeners[0].receiver.statistics());
    assert_eq!(account.delivered, 3000 - account.first);
    assert!(account.first < 20, "joined late: {}", account.first);
    let bound = 20.0 + naks_per_loss * world.listeners[0].dropped as f64;
    assert!(world.naks as f64 <= bound, "{} NAKs for {} losses", world.naks, world.listeners[0].dropped);
}

#[test]
fn random_loss_is_repaired() {
    seeds(8, |seed| {
        for loss in [10, 50, 100, 300] {
            all_is_repaired::<Heap>(seed, &Plan::losing(loss), 1.5);
        }
        all_is_repaired::<Fixed<2, 1024, 128>>(seed, &Plan::losing(50), 1.5);
    });
}

#[test]
fn bursts_are_repaired() {
    seeds(8, |seed| {
        all_is_repaired::<Heap>(seed, &Plan { types: &[4, 5, 10], burst: 5, burst_len: 80, ..Plan::calm() }, 1.0)
    });
}

#[test]
fn loss_of_one_packet_type_is_repaired() {
    seeds(4, |seed| {
        for types in [&[0_u8][..], &[4], &[5, 4], &[10], &[10, 4], &[0, 4, 10]] {
            all_is_repaired::<Heap>(seed, &Plan { types, ..Plan::losing(200) }, 3.0);
        }
    });
}

#[test]
fn duplication_reordering_and_delay_do_no_harm() {
    seeds(8, |seed| {
        let rough = Plan { duplication: 100, reordering: 100, ..Plan::losing(30) };
        all_is_repaired::<Heap>(seed, &rough, 4.0);
        let far = Plan { delay: (20 * MILLI, 60 * MILLI), late: 30 * MILLI, ..rough };
        all_is_repaired::<Heap>(seed, &far, 6.0);
    });
}

#[test]
fn a_partition_that_heals_is_repaired() {
    seeds(8, |seed| {
        let plan = Plan { partitions: vec![(300, 900), (1200, 1210)], ..Plan::losing(10) };
        all_is_repaired::<Heap>(seed, &plan, 1.5);
    });
}

/// A source that keeps little: what it lets go is lost, told to the packet, and delivery goes on.
#[test]
fn what_cannot_be_repaired_is_told_and_delivery_goes_on() {
    seeds(8, |seed| {
        let mut config = fast();
        config.window = 16;
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0xffff_fff0, config, HALF_MILLI, 3000);
        let plan = Plan { partitions: vec![(200, 400), (600, 640)], ..Plan::losing(100) };
        world.listener(1, ReceiverConfig::default(), plan);
        world.run(Duration::from_secs(20));
        let account = world.listeners[0].of(1);
        assert_eq!(account.next, 3000, "{account:?} {:?}", world.listeners[0].receiver.statistics());
        assert_eq!(account.delivered + account.lost, 3000 - account.first);
        assert!(account.lost > 300, "{account:?}");
        assert_eq!(world.listeners[0].receiver.statistics().lost, account.lost);
    });
}

/// The same by octets: windows of both ends are capped, and an application that is away loses what outruns it.
#[test]
fn windows_are_capped_in_octets() {
    seeds(4, |seed| {
        let (mut sending, mut receiving) = (fast(), ReceiverConfig::default());
        (sending.window_bytes, receiving.window_bytes) = (60_000, 30_000);
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, sending, HALF_MILLI, 3000);
        world.senders[0].len = 1000;
        world.listener(1, receiving, Plan::losing(10));
        world.listeners[0].away = (200, 700);
        for _ in 0..400 {
            world.run(5 * MILLI);
            assert!(world.senders[0].source.window_bytes() <= 60_000);
            assert!(world.listeners[0].receiver.window_bytes() <= 30_000 + 2 * 1448);
        }
        world.run(Duration::from_secs(20));
        let account = world.listeners[0].of(1);
        assert_eq!(account.next, 3000, "{account:?} {:?}", world.listeners[0].receiver.statistics());
        assert_eq!(account.delivered + account.lost, 3000 - account.first);
        assert!(account.lost > 0);
    });
}

/// Five seconds away with windows that hold that much: nothing is lost.
#[test]
fn an_application_that_is_away_finds_everything() {
    seeds(4, |seed| {
        let mut config = fast();
        config.window = 20_000;
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, config, MILLI, 8000);
        let mut receiving = ReceiverConfig::default();
        receiving.window = 1000;
        world.listener(1, receiving, Plan::losing(20));
        world.listeners[0].away = (1000, 6000);
        world.run(Duration::from_secs(30));
        let account = world.listeners[0].of(1);
        assert_eq!((account.next, account.lost), (8000, 0), "{:?}", world.listeners[0].receiver.statistics());
    });
}

#[test]
fn several_sources_and_receivers_keep_their_streams_apart() {
    seeds(4, |seed| {
        let mut world = World::<Heap>::new(seed);
        for n in 1..=4 {
            // The second and the third have drawn the same identifier: their addresses tell them apart.
            let tsi = World::<Heap>::tsi(if n == 3 { 2 } else { n });
            world.sender(
                n,
                tsi,
                u32::from(n).wrapping_mul(0x4000_0000).wrapping_sub(100),
                fast(),
                MILLI * u32::from(n),
                1000,
            );
        }
        for n in 1..=3 {
            world.listener(n, ReceiverConfig::default(), Plan::losing(30 * u64::from(n)));
        }
        world.run(Duration::from_secs(30));
        for listener in &world.listeners {
            for n in 1..=4 {
                let account = listener.of(n);
                assert_eq!((account.next, account.lost), (1000, 0), "{n}: {:?}", listener.receiver.statistics());
            }
        }
    });
}

#[test]
fn a_late_joiner_begins_where_the_stream_is() {
    seeds(4, |seed| {
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 3000);
        world.run(Duration::from_millis(500));
        world.listener(1, ReceiverConfig::default(), Plan::losing(100));
        world.run(Duration::from_secs(20));
        let account = world.listeners[0].of(1);
        assert!((1000..1100).contains(&account.first), "{account:?}");
        assert_eq!((account.next, account.lost), (3000, 0));
    });
}

#[test]
fn a_restart_under_a_new_identifier_is_another_stream() {
    seeds(4, |seed| {
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 1000);
        world.listener(1, ReceiverConfig::default(), Plan::losing(50));
        world.run(Duration::from_secs(1));
        world.restart(0, 101, World::<Heap>::tsi(9), fast(), 1000);
        world.run(Duration::from_secs(20));
        assert_eq!((world.listeners[0].of(1).next, world.listeners[0].of(101).next), (1000, 1000));
        assert_eq!(world.listeners[0].of(101).lost, 0);
    });
}

/// Died while it sent, and back after a while with the same identifier and numbers from 0 on.
#[test]
fn a_restart_under_the_same_identifier_is_noticed() {
    seeds(8, |seed| {
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 1000);
        world.listener(1, ReceiverConfig::default(), Plan::losing(50));
        world.run(Duration::from_millis(300));
        world.senders[0].left = 0;
        world.senders[0].running = false;
        world.run(Duration::from_millis(1500));
        world.senders[0].running = true;
        world.restart(0, 101, World::<Heap>::tsi(1), fast(), 5000);
        world.run(Duration::from_secs(30));
        let statistics = world.listeners[0].receiver.statistics();
        let (old, new) = (world.listeners[0].of(1), world.listeners[0].of(101));
        assert!(old.left && old.delivered > 500, "{old:?}");
        assert!(new.first < 20, "{new:?}");
        assert_eq!((new.next, new.lost, statistics.restarts), (5000, 0, 1), "{statistics:?}");
    });
}

#[test]
fn the_end_of_a_stream_is_told_once_everything_has_come() {
    seeds(4, |seed| {
        let mut world = World::<Heap>::new(seed);
        world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 1000);
        world.listener(1, ReceiverConfig::default(), Plan::losing(100));
        world.run(Duration::from_millis(600));
        world.senders[0].source.close();
        world.run(Duration::from_secs(5));
        let account = world.listeners[0].of(1);
        assert!(account.left && account.next == 1000 && account.lost == 0, "{account:?}");
        assert_eq!(world.listeners[0].accounts.len(), 1);
    });
}

#[test]
fn a_silent_source_is_forgotten() {
    let mut world = World::<Heap>::new(1);
    world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 100);
    world.listener(1, ReceiverConfig::default(), Plan::calm());
    world.run(Duration::from_millis(600));
    world.senders[0].running = false;
    world.run(Duration::from_secs(299));
    assert!(!world.listeners[0].of(1).left);
    world.run(Duration::from_secs(3));
    assert!(world.listeners[0].of(1).left);
    assert_eq!(world.listeners[0].receiver.peers().count(), 0);
}

/// Receivers that miss the same packets: one asks for all of them, and losses soon after one another share a NAK, however
/// many receivers there are.
#[test]
fn receivers_that_miss_the_same_ask_once() {
    seeds(2, |seed| {
        for (receivers, loss, most) in [(1, 50, 0.6), (2, 50, 0.6), (8, 50, 0.7), (2, 100, 0.4)] {
            let mut world = World::<Heap>::new(seed);
            world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 24_000);
            for n in 1..=receivers {
                world.listener(n, ReceiverConfig::default(), Plan::calm());
            }
            world.common_loss = loss;
            world.run(Duration::from_secs(20));
            let losses = world.common_losses;
            assert!(losses > 1000 && world.listeners.iter().all(|listener| listener.of(1).lost == 0));
            let share = world.naks as f64 / losses as f64;
            assert!(share <= most, "{receivers} receivers, {} NAKs for {losses} losses: {share:.3}", world.naks);
        }
    });
}

/// Waiting for others to share a NAK keeps nobody waiting for long.
#[test]
fn holes_are_filled_soon() {
    seeds(4, |seed| {
        for (loss, most) in [(10, 7_000), (50, 12_000)] {
            let mut world = World::<Heap>::new(seed);
            world.sender(1, World::<Heap>::tsi(1), 0, fast(), HALF_MILLI, 8000);
            world.listener(1, ReceiverConfig::default(), Plan::losing(loss));
            world.run(Duration::from_secs(10));
            let statistics = world.listeners[0].receiver.statistics();
            let mean = statistics.repair_micros / statistics.repaired;
            assert!(mean <= most && statistics.repair_longest <= 150_000, "{statistics:?}");
        }
    });
}
