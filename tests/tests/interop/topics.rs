//! Subscriptions between ours and theirs, in both directions.

use crate::either::{ENDS, MANUAL, Makers};
use crate::ours::{A_MOMENT, ANY, SOON, drain, octets, socket, until};
use omnimq::{Context, SocketType};
use omnimq_tests::libzmq::{Part, Peer};
use std::collections::BTreeSet;
use std::time::Duration;

/// Topics of every length that is told in another way: empty, short, the longest with a short length, longer.
fn lengths() -> impl Iterator<Item = Vec<u8>> {
    [1, 2, 245, 246, 247, 254, 255, 256, 257, 300, 5000].into_iter().map(|len| vec![b'a' + (len % 26) as u8; len])
}

#[test]
fn their_sub_gets_from_our_pub_what_it_asked_for() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let mut publisher = socket(&context, SocketType::Pub);
    let sub = peer.socket("SUB");
    sub.connect(&publisher.bind(ANY).unwrap());
    sub.subscribe(b"ab");
    sub.subscribe(b"x");
    sub.subscribe(b"x");
    let mut say = |topic: &str| publisher.send([topic, "body"]).unwrap();
    until("the subscriptions", || {
        say("x");
        sub.recv(Duration::from_millis(50)).ok()
    });
    while sub.recv(A_MOMENT).is_ok() {}
    let hear = |due: &[&str]| {
        for topic in due {
            assert_eq!(sub.recv_octets(SOON).unwrap(), [topic.as_bytes(), b"body"]);
        }
        assert!(sub.recv(A_MOMENT).is_err(), "no more than {due:?}");
    };
    ["a", "ab", "abc", "b", "", "x", "xy"].into_iter().for_each(&mut say);
    hear(&["ab", "abc", "x", "xy"]);
    // Asked for twice, given back once: still wanted.
    sub.unsubscribe(b"x");
    sub.unsubscribe(b"ab");
    until("the cancellation", || {
        say("ab?");
        sub.recv(A_MOMENT).is_err().then_some(())
    });
    ["ab", "x"].into_iter().for_each(&mut say);
    hear(&["x"]);
}

#[test]
fn our_sub_gets_from_their_pub_what_it_asked_for() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let publisher = peer.socket("XPUB");
    let mut sub = socket(&context, SocketType::Sub);
    sub.connect(&publisher.bind(ANY)).unwrap();
    sub.subscribe("ab").unwrap();
    sub.subscribe("x").unwrap();
    sub.subscribe("x").unwrap();
    let told: BTreeSet<_> = (0..2).map(|_| publisher.recv_octets(SOON).unwrap().remove(0)).collect();
    assert_eq!(told, BTreeSet::from([b"\x01ab".to_vec(), b"\x01x".to_vec()]));
    let say = |topic: &str| publisher.send(&[Part::from(topic), Part::from("body")], SOON).unwrap();
    ["a", "ab", "abc", "b", "", "x", "xy"].into_iter().for_each(say);
    let heard: Vec<_> = drain(&mut sub).iter().map(octets).collect();
    assert_eq!(heard, ["ab", "abc", "x", "xy"].map(|topic| [topic.as_bytes(), b"body"]));
    sub.unsubscribe("x").unwrap();
    sub.unsubscribe("ab").unwrap();
    assert_eq!(publisher.recv_octets(SOON).unwrap(), [b"\x00ab"]);
    sub.unsubscribe("x").unwrap();
    assert_eq!(publisher.recv_octets(SOON).unwrap(), [b"\x00x"]);
    assert!(publisher.recv(A_MOMENT).is_err());
}

#[test]
fn topics_of_every_length_reach_us() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let mut publisher = socket(&context, SocketType::XPub);
    let sub = peer.socket("SUB");
    sub.connect(&publisher.bind(ANY).unwrap());
    for topic in lengths() {
        sub.subscribe(&topic);
        assert_eq!(publisher.recv().unwrap().bytes(), [&[1], &topic[..]].concat());
        publisher.send(topic.clone()).unwrap();
        assert_eq!(sub.recv(SOON).unwrap(), [Part::from(&topic).digest()]);
        sub.unsubscribe(&topic);
        assert_eq!(publisher.recv().unwrap().bytes(), [&[0], &topic[..]].concat());
    }
}

#[test]
fn topics_of_every_length_reach_them() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let publisher = peer.socket("XPUB");
    let mut sub = socket(&context, SocketType::Sub);
    sub.connect(&publisher.bind(ANY)).unwrap();
    for topic in lengths() {
        sub.subscribe(&topic).unwrap();
        assert_eq!(publisher.recv(SOON).unwrap(), [Part::from(&[&[1], &topic[..]].concat()).digest()]);
        publisher.send(&[Part::from(&topic)], SOON).unwrap();
        assert_eq!(sub.recv().unwrap().bytes(), topic);
        sub.unsubscribe(&topic).unwrap();
        assert_eq!(publisher.recv(SOON).unwrap(), [Part::from(&[&[0], &topic[..]].concat()).digest()]);
    }
}

#[test]
fn our_xpub_sees_first_subscriptions_and_last_cancellations_of_theirs() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let mut xpub = socket(&context, SocketType::XPub);
    let endpoint = xpub.bind(ANY).unwrap();
    let (first, second) = (peer.socket("SUB"), peer.socket("SUB"));
    first.connect(&endpoint);
    second.connect(&endpoint);
    first.subscribe(b"x");
    assert_eq!(xpub.recv().unwrap().bytes(), b"\x01x");
    second.subscribe(b"x");
    second.subscribe(b"y");
    assert_eq!(xpub.recv().unwrap().bytes(), b"\x01y", "x is known");
    first.unsubscribe(b"x");
    second.unsubscribe(b"y");
    assert_eq!(xpub.recv().unwrap().bytes(), b"\x00y", "x is still wanted");
    second.close(Duration::ZERO);
    assert_eq!(xpub.recv().unwrap().bytes(), b"\x00x", "who goes wants nothing");
}

/// What a manual XPUB shows and gives, ours and theirs, to subscribers of both kinds.
#[test]
fn a_manual_xpub_gives_what_it_likes() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let makers = Makers { context: &context, peer: &peer };
    for (publisher, subscriber) in ENDS {
        let what = format!("{publisher:?} to {subscriber:?}");
        let mut xpub = makers.socket(publisher, SocketType::XPub, &[MANUAL]);
        let endpoint = xpub.bind(ANY);
        let mut subs = [(); 2].map(|()| makers.socket(subscriber, SocketType::Sub, &[]));
        for (sub, given) in subs.iter_mut().zip(["x", "y"]) {
            sub.connect(&endpoint);
            sub.subscribe(b"");
            assert_eq!(xpub.hear_octets(), b"\x01", "{what}: each is shown, not the first alone");
            xpub.subscribe_last(given);
        }
        let [mut first, mut second] = subs;
        ["none", "x", "y", "xy"].iter().for_each(|topic| xpub.say_octets(topic.as_bytes()));
        assert_eq!([first.hear_octets(), first.hear_octets()], [b"x".as_slice(), b"xy"], "{what}");
        assert_eq!(second.hear_octets(), b"y", "{what}");
        // Whoever asks again may be given something else.
        first.subscribe(b"z");
        assert_eq!(xpub.hear_octets(), b"\x01z", "{what}");
        xpub.unsubscribe_last("x");
        xpub.subscribe_last("end");
        xpub.say_octets(b"x");
        xpub.say_octets(b"end");
        assert_eq!(first.hear_octets(), b"end", "{what}: x was taken back");
        // Whoever goes has asked for nothing any more, of all that it asked for.
        first.close();
        let shown = BTreeSet::from([xpub.hear_octets(), xpub.hear_octets()]);
        assert_eq!(shown, BTreeSet::from([b"\x00".to_vec(), b"\x00z".to_vec()]), "{what}");
        xpub.say_octets(b"y");
        assert_eq!(second.hear_octets(), b"y", "{what}");
    }
}

#[test]
fn xsub_and_xpub_pass_messages_upstream() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let (mut ours, theirs) = (socket(&context, SocketType::XSub), peer.socket("XPUB"));
    ours.connect(&theirs.bind(ANY)).unwrap();
    ours.send(b"\x01topic").unwrap();
    ours.send(["hello", "there"]).unwrap();
    assert_eq!(theirs.recv_octets(SOON).unwrap(), [b"\x01topic"]);
    assert_eq!(theirs.recv_octets(SOON).unwrap(), [b"hello", b"there"]);

    let (mut ours, theirs) = (socket(&context, SocketType::XPub), peer.socket("XSUB"));
    theirs.connect(&ours.bind(ANY).unwrap());
    theirs.send(&[Part::from(b"\x01topic")], SOON).unwrap();
    assert_eq!(ours.recv().unwrap().bytes(), b"\x01topic");
    theirs.send(&[Part::from("hello"), Part::from("there")], SOON).unwrap();
    assert_eq!(octets(&ours.recv().unwrap()), [b"hello", b"there"]);
}

#[test]
fn two_thousand_topics_each_way_over_a_mark_of_one() {
    let (context, peer) = (Context::new().unwrap(), Peer::start());
    let mut options = crate::ours::options();
    (options.send_hwm, options.recv_hwm) = (1, 1);
    let topic = |number: u32| format!("topic-{number}.");

    let theirs = peer.socket("XPUB");
    let mut ours = context.socket_with(SocketType::Sub, options.clone()).unwrap();
    ours.connect(&theirs.bind(ANY)).unwrap();
    (0..2000).for_each(|number| ours.subscribe(topic(number)).unwrap());
    let told: BTreeSet<_> = (0..2000).map(|_| theirs.recv_octets(SOON).unwrap().remove(0)).collect();
    assert_eq!(told, (0..2000).map(|number| format!("\x01{}", topic(number)).into_bytes()).collect());

    let theirs = peer.socket("SUB");
    let mut ours = context.socket_with(SocketType::XPub, options).unwrap();
    theirs.connect(&ours.bind(ANY).unwrap());
    (0..500).for_each(|number| theirs.subscribe(topic(number).as_bytes()));
    let told: BTreeSet<_> = (0..500).map(|_| ours.recv().unwrap().bytes().to_vec()).collect();
    assert_eq!(told, (0..500).map(|number| format!("\x01{}", topic(number)).into_bytes()).collect());
}
