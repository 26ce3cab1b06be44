//! The committed seeds of the fuzz target `smoltcp_node`, and every beginning of each, through its body.
#![cfg(all(feature = "ip", feature = "ipv6"))]

#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
#[path = "support/pipe.rs"]
mod pipe;
#[expect(unreachable_pub, reason = "the body is public where it is a target")]
#[path = "../../core/fuzz/src/smoltcp_node.rs"]
mod smoltcp_node;

#[test]
fn seeds_and_their_beginnings_do_no_harm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/fuzz/seeds/smoltcp_node");
    let seeds = omnimq_seeds::replay(folder, smoltcp_node::smoltcp_node);
    assert!(seeds >= 7, "one for each pattern at least");
}

/// Generated operations, beside those a fuzzer finds.
#[test]
fn any_operations_do_no_harm() {
    let mut rng = omnimq_seeds::Rng::new(1);
    for _ in 0..200 {
        smoltcp_node::smoltcp_node(&rng.bytes(300));
    }
}
