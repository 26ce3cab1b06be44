//! Every pattern, doing whatever it can: no panic path may survive in any. Linked, not run.
#![no_std]
#![no_main]

use core::hint::black_box;
use omnimq_core::pattern::{Filters, Receives, Sends};
use omnimq_core::{
    AnyPattern, Dealer, Instant, Node, Options, Pattern, PipeId, Pub, Pull, Push, Rep, Req, Router, Side, SocketType, Sub,
};
use omnimq_no_alloc::{Place, Small, Wire, exit};

/// A node of its own for each pattern, driven and given the calls its pattern has.
macro_rules! patterns {
    ($($pattern:ident: $($call:ident)*;)*) => { $({
        static NODE: Place<Node<$pattern, Small>> = Place::new();
        if let Some(node) = NODE.put(Node::new($pattern, black_box(Options::default()))) {
            drive(node, |node| { $($call(node);)* });
        }
    })* };
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    patterns! {
        Pub: send;
        Sub: recv filter;
        Push: send;
        Pull: recv;
        Dealer: send recv;
        Router: send recv;
        Req: send recv;
        Rep: send recv;
    }
    static ANY: Place<Node<AnyPattern, Small>> = Place::new();
    let any = AnyPattern::new(black_box(SocketType::Pub)).map(|any| Node::new(any, Options::default()));
    if let Some(node) = any.and_then(|node| ANY.put(node)) {
        drive(node, |node| {
            send(node);
            recv(node);
            filter(node);
        });
    }
    exit(true)
}

/// All that a driver may do with a node, in an order that the compiler cannot see through.
fn drive<P: Pattern>(node: &mut Node<P, Small>, work: impl Fn(&mut Node<P, Small>)) {
    let mut wire = Wire::new();
    while let Some(id) = node.attach(if black_box(true) { Side::Bind } else { Side::Connect }, now()) {
        let id = PipeId(black_box(id.0));
        let _ = node.set_routing_id(black_box(b"name"));
        node.handle_input(id, black_box([0_u8; 64]).as_slice(), now());
        work(node);
        if let Some(room) = node.wanted(id) {
            let filled = black_box(room.len());
            node.filled(id, filled, now());
        }
        node.poll_transmit(id, black_box(&mut wire));
        node.handle_timeout(now());
        while node.poll_event().is_some() {}
        black_box(node.poll_timeout());
        match black_box(0_u8) {
            0 => node.detach(id),
            1 => node.reconnect(id, now()),
            _ => node.handle_eof(id),
        }
    }
}

fn now() -> Instant {
    Instant::from_micros(black_box(0))
}

fn send<P: Pattern + Sends>(node: &mut Node<P, Small>) {
    let _ = node.send_bytes(black_box(b"topic"), black_box(true));
}

fn recv<P: Pattern + Receives>(node: &mut Node<P, Small>) {
    if let Ok(frame) = node.recv() {
        let _ = black_box(frame.body.as_ref());
    }
}

fn filter<P: Pattern + Filters>(node: &mut Node<P, Small>) {
    let _ = node.subscribe(black_box(b"topic"));
    let _ = node.unsubscribe(black_box(b"topic"));
}
