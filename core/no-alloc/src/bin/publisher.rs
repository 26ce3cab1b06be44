//! A PUB socket and nothing else: what the least useful image costs. Linked, not run: it has no transport.
#![no_std]
#![no_main]

use core::hint::black_box;
use omnimq_core::{Instant, Node, Options, Pub, Side};
use omnimq_no_alloc::{Place, Small, Wire, exit};

static NODE: Place<Node<Pub, Small>> = Place::new();

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    exit(serve().is_some())
}

fn serve() -> Option<()> {
    let node = NODE.put(Node::new(Pub, Options::default()))?;
    let id = node.attach(Side::Bind, Instant::ZERO)?;
    let mut wire = Wire::new();
    while node.closed(id).is_none() {
        node.handle_input(id, black_box([0_u8; 64]).as_slice(), Instant::from_micros(black_box(0)));
        let _ = node.send_bytes(black_box(b"topic"), true);
        let _ = node.send_bytes(black_box(b"body"), false);
        node.poll_transmit(id, black_box(&mut wire));
    }
    node.detach(id);
    Some(())
}
