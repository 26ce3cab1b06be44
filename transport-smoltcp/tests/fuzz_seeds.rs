//! The committed seeds of the fuzz target `smoltcp_node`, and every beginning of each, through its body.
#![cfg(all(feature = "ip", feature = "ipv6"))]

#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
#[path = "support/pipe.rs"]
mod pipe;
#[expect(unreachable_pub, reason = "the body is public where it is a target")]
#[path = "../../core/fuzz/src/smoltcp_node.rs"]
mod smoltcp_node;
#[allow(dead_code, unreachable_pub, reason = "shared with other targets")]
#[path = "../../core/fuzz/src/source.rs"]
mod source;

use std::fs;
use std::path::Path;

#[test]
fn seeds_and_their_beginnings_do_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/fuzz/seeds/smoltcp_node");
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 7, "one for each pattern at least");
    for seed in seeds {
        let octets = fs::read(&seed).unwrap();
        println!("{} ({} octets)", seed.display(), octets.len());
        for end in 0..=octets.len() {
            smoltcp_node::smoltcp_node(&octets[..end]);
        }
    }
}

/// Generated operations, beside those a fuzzer finds.
#[test]
fn any_operations_do_no_harm() {
    let mut seed = 1u64;
    for _ in 0..200 {
        let octets: Vec<u8> = (0..300)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 56) as u8
            })
            .collect();
        smoltcp_node::smoltcp_node(&octets);
    }
}
