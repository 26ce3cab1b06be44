//! Peers that are killed and come back: what survives and what does not.

use crate::ours::{A_MOMENT, ANY, SOON, octets, options, send_many, socket, until, would_block};
use omnimq::{Context, Error, SocketType};
use omnimq_tests::libzmq::{Part, Peer};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn what_our_push_queued_is_delivered_when_the_peer_comes_back() {
    let context = Context::new().unwrap();
    let peer = Peer::start();
    let pull = peer.socket("PULL");
    let endpoint = pull.bind(ANY);
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    assert_eq!(send_many(&mut push, 0, 500, 64), 500);
    assert_eq!(pull.recv_many(500, SOON), [(0, 500)]);
    peer.kill();
    std::thread::sleep(A_MOMENT);
    // 500 is the low-water mark: all credit is back. With nobody there the queue takes its mark and no more.
    assert_eq!(send_many(&mut push, 500, 2000, 64), 1000);
    let peer = Peer::start();
    let pull = peer.socket("PULL");
    assert_eq!(pull.bind(&endpoint), endpoint);
    assert_eq!(pull.recv_many(1000, SOON), [(500, 1000)]);
    until("room again", || (send_many(&mut push, 1500, 1, 64) == 1).then_some(()));
    assert_eq!(pull.recv_many(1, SOON), [(1500, 1)]);
}

#[test]
fn what_their_push_queued_is_delivered_when_we_come_back() {
    let peer = Peer::start();
    let push = peer.socket("PUSH");
    push.monitor();
    let endpoint = {
        let context = Context::new().unwrap();
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(ANY).unwrap();
        push.connect(&endpoint);
        push.send(&[Part::from("first")], SOON).unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"first");
        endpoint
    };
    push.await_event("DISCONNECTED", SOON);
    assert_eq!(push.send_many(0, 500, 64, SOON), 500);
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    assert_eq!(pull.bind(&endpoint).unwrap(), endpoint);
    for number in 0..500_u64 {
        assert_eq!(pull.recv().unwrap().bytes()[..8], number.to_be_bytes());
    }
}

#[test]
fn our_subscriptions_are_told_again_to_a_publisher_that_comes_back() {
    let context = Context::new().unwrap();
    let topics: BTreeSet<Vec<u8>> = (0..300).map(|number| format!("\x01topic-{number}").into_bytes()).collect();
    let mut sub = socket(&context, SocketType::Sub);
    let mut endpoint = ANY.to_owned();
    for round in 0..3 {
        let peer = Peer::start();
        let publisher = peer.socket("XPUB");
        endpoint = publisher.bind(&endpoint);
        if round == 0 {
            sub.connect(&endpoint).unwrap();
            topics.iter().for_each(|topic| sub.subscribe(&topic[1..]).unwrap());
        }
        let told: BTreeSet<_> = (0..300).map(|_| publisher.recv_octets(SOON).unwrap().remove(0)).collect();
        assert_eq!(told, topics);
        publisher.send(&[Part::from("topic-299"), Part::from("again")], SOON).unwrap();
        assert_eq!(octets(&sub.recv().unwrap()), [&b"topic-299"[..], b"again"]);
        peer.kill();
    }
}

#[test]
fn a_publisher_of_ours_forgets_a_killed_subscriber_and_serves_the_next() {
    let context = Context::new().unwrap();
    let mut xpub = socket(&context, SocketType::XPub);
    let endpoint = xpub.bind(ANY).unwrap();
    for _ in 0..3 {
        let peer = Peer::start();
        let sub = peer.socket("SUB");
        sub.connect(&endpoint);
        sub.subscribe(b"x");
        assert_eq!(xpub.recv().unwrap().bytes(), b"\x01x");
        xpub.send(["x", "y"]).unwrap();
        assert_eq!(sub.recv_octets(SOON).unwrap(), [b"x", b"y"]);
        peer.kill();
        assert_eq!(xpub.recv().unwrap().bytes(), b"\x00x");
    }
}

#[test]
fn what_a_killed_peer_had_sent_is_still_read() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    for round in 0..2 {
        let peer = Peer::start();
        let push = peer.socket("PUSH");
        push.connect(&endpoint);
        assert_eq!(push.send_many(round * 100, 100, 64, SOON), 100);
        // The process is gone when its last octet has left its kernel's hands: the first to arrive is awaited.
        assert_eq!(pull.recv().unwrap().bytes()[..8], (round * 100).to_be_bytes());
        push.close(SOON);
        peer.term(SOON);
        peer.kill();
        std::thread::sleep(A_MOMENT);
        for number in round * 100 + 1..round * 100 + 100 {
            assert_eq!(pull.recv().unwrap().bytes()[..8], number.to_be_bytes());
        }
        assert!(would_block(&pull.recv_timeout(A_MOMENT)));
    }
}

#[test]
fn our_router_finds_a_peer_again_by_its_name() {
    let context = Context::new().unwrap();
    let mut options = options();
    options.pattern.mandatory = true;
    let mut router = context.socket_with(SocketType::Router, options).unwrap();
    let endpoint = router.bind(ANY).unwrap();
    for _ in 0..3 {
        let peer = Peer::start();
        let dealer = peer.socket("DEALER");
        dealer.set_octets("ROUTING_ID", b"worker");
        dealer.connect(&endpoint);
        dealer.send(&[Part::from("ready")], SOON).unwrap();
        assert_eq!(octets(&router.recv().unwrap()), [&b"worker"[..], b"ready"]);
        router.send(["worker", "go"]).unwrap();
        assert_eq!(dealer.recv_octets(SOON).unwrap(), [b"go"]);
        peer.kill();
        until("the loss is noticed", || {
            std::thread::sleep(Duration::from_millis(5));
            let refused = router.send(["worker", "gone"]).err()?;
            matches!(refused.error, Error::Unroutable).then_some(())
        });
    }
}

#[test]
fn a_question_waits_for_an_answerer_that_comes_back() {
    let context = Context::new().unwrap();
    let mut req = socket(&context, SocketType::Req);
    let mut endpoint = ANY.to_owned();
    for round in 0..3 {
        let peer = Peer::start();
        let rep = peer.socket("REP");
        endpoint = rep.bind(&endpoint);
        if round == 0 {
            req.connect(&endpoint).unwrap();
            req.send("first").unwrap();
        }
        let question = rep.recv_octets(SOON).unwrap().remove(0);
        rep.send(&[Part::from(&question), Part::from("answered")], SOON).unwrap();
        assert_eq!(octets(&req.recv().unwrap()), [&question[..], b"answered"]);
        peer.kill();
        std::thread::sleep(A_MOMENT);
        // Asked while nobody is there.
        req.send(format!("round {round}")).unwrap();
    }
}

#[test]
fn a_relaxed_question_is_asked_again_when_its_answer_died() {
    let context = Context::new().unwrap();
    let mut options = options();
    (options.pattern.relaxed, options.pattern.correlate) = (true, true);
    let mut req = context.socket_with(SocketType::Req, options).unwrap();
    let peer = Peer::start();
    let rep = peer.socket("REP");
    let endpoint = rep.bind(ANY);
    req.connect(&endpoint).unwrap();
    req.send("lost").unwrap();
    assert_eq!(rep.recv_octets(SOON).unwrap(), [b"lost"]);
    peer.kill();
    let peer = Peer::start();
    let rep = peer.socket("REP");
    rep.bind(&endpoint);
    assert!(would_block(&req.recv_timeout(A_MOMENT)));
    req.send("again").unwrap();
    assert_eq!(rep.recv_octets(SOON).unwrap(), [b"again"]);
    rep.send(&[Part::from("found")], SOON).unwrap();
    assert_eq!(req.recv().unwrap().bytes(), b"found");
}

#[test]
fn our_rep_goes_on_when_an_asker_died() {
    let context = Context::new().unwrap();
    let mut rep = socket(&context, SocketType::Rep);
    let endpoint = rep.bind(ANY).unwrap();
    for round in 0..3 {
        let peer = Peer::start();
        let req = peer.socket("REQ");
        req.connect(&endpoint);
        req.send(&[Part::from("question")], SOON).unwrap();
        assert_eq!(rep.recv().unwrap().bytes(), b"question");
        if round == 1 {
            peer.kill();
            std::thread::sleep(A_MOMENT);
            rep.send("to nobody").unwrap();
            continue;
        }
        rep.send("answer").unwrap();
        assert_eq!(req.recv_octets(SOON).unwrap(), [b"answer"]);
    }
}

#[test]
fn pairs_find_each_other_again() {
    let context = Context::new().unwrap();
    let mut ours = socket(&context, SocketType::Pair);
    let endpoint = ours.bind(ANY).unwrap();
    for round in 0..3 {
        let peer = Peer::start();
        let theirs = peer.socket("PAIR");
        theirs.connect(&endpoint);
        theirs.send(&[Part::from(&format!("round {round}"))], SOON).unwrap();
        assert_eq!(ours.recv().unwrap().bytes(), format!("round {round}").as_bytes());
        ours.send("and back").unwrap();
        assert_eq!(theirs.recv_octets(SOON).unwrap(), [b"and back"]);
        peer.kill();
    }
}
