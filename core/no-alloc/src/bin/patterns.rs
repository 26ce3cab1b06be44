//! Every pattern, doing whatever it can: no panic path may survive in any. Linked, not run.
#![no_std]
#![no_main]

use core::hint::black_box;
use omnimq_core::{
    AnyPattern, Dealer, Filters, Fixed, Instant, Node, Options, Pair, Pattern, PipeId, PipeReader, PipeWriter, Pub, Pull,
    Push, Receives, Rep, Req, Router, Sends, Side, SocketType, Stream, Sub, XPub, XSub,
};
use omnimq_no_alloc::{Place, Wire, exit};

/// Little, so that a node of each pattern finds room.
type Tiny = Fixed<2, 2, 64, 2, 16>;

/// A node of its own for each pattern, driven and given the calls its pattern has.
macro_rules! patterns {
    ($($pattern:ident: $($call:ident)*;)*) => { $({
        static NODE: Place<Node<$pattern, Tiny>> = Place::new();
        if let Some(node) = NODE.put(Node::new($pattern, black_box(Options::default()))) {
            drive(node, |node| { $($call(node);)* });
        }
    })* };
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    patterns! {
        Pair: send recv;
        Pub: send;
        Sub: recv filter;
        XPub: send recv filter;
        XSub: send recv filter;
        Req: send recv;
        Rep: send recv;
        Dealer: send recv;
        Router: send recv;
        Push: send;
        Pull: recv;
        Stream: send recv;
    }
    static ANY: Place<Node<AnyPattern, Tiny>> = Place::new();
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
fn drive<P: Pattern>(node: &mut Node<P, Tiny>, work: impl Fn(&mut Node<P, Tiny>)) {
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
        command(node, id);
        match black_box(0_u8) {
            0 => node.detach(id),
            1 => node.reconnect(id, now()),
            _ => node.handle_eof(id),
        }
    }
}

/// All that a driver may do with the socket of a node.
fn command<P: Pattern>(node: &mut Node<P, Tiny>, id: PipeId) {
    let socket = node.socket();
    socket.configure(&black_box(Options::default()));
    let _ = socket.connect_routing_id(black_box(b"name"));
    let _ = socket.welcome(black_box(b"welcome"));
    black_box((socket.can_send(), socket.can_recv(), socket.is_gone(id), socket.dropped(), socket.poll_closed()));
    if let Some(pipe) = socket.pipe(id) {
        pipe.tx.set_hwm(black_box(1));
        pipe.tx.rollback();
        pipe.rx.skip();
        black_box((pipe.tx.hwm(), pipe.rx.front()));
    }
    socket.process(id);
    socket.close_pipe(id);
}

fn now() -> Instant {
    Instant::from_micros(black_box(0))
}

fn send<P: Pattern + Sends>(node: &mut Node<P, Tiny>) {
    let _ = node.send_bytes(black_box(b"topic"), black_box(true));
}

fn recv<P: Pattern + Receives>(node: &mut Node<P, Tiny>) {
    if let Ok(frame) = node.recv() {
        let _ = black_box(frame.body.as_slice());
    }
}

fn filter<P: Pattern + Filters>(node: &mut Node<P, Tiny>) {
    let _ = node.subscribe(black_box(b"topic"));
    let _ = node.unsubscribe(black_box(b"topic"));
}
