//! What happens over time: two receivers, one that comes late, a publisher that dies, a receiver that is away, and
//! packets that nobody should send.

use crate::matrix::Spray;
use crate::ours;
use omnimq_tests::multicast::{Host, Net, Program, Whose, available, endpoint};
use std::time::Duration;

fn start(net: &Net, host: Host, whose: Whose, role: &str, words: &[&str]) -> Program {
    let to = endpoint("epgm", false, host);
    Program::start(net, host, whose, ours(), &[&[role, to.as_str()], words].concat())
}

/// Ours and theirs beside each other on one host, over a network that loses: both hear everything.
#[test]
fn two_receivers_hear_the_same() {
    if !available() {
        return;
    }
    let net = Net::new();
    net.lose(Host::B, 10);
    let words = ["count=3000", "size=500", "rate=20000", "offload=0", "idle=12000"];
    let subscribers = [Whose::Ours, Whose::Theirs, Whose::Ours].map(|whose| start(&net, Host::B, whose, "sub", &words));
    net.await_member(Host::B, "239.192.1.1", 3);
    let mut publisher = start(&net, Host::A, Whose::Ours, "pub", &words);
    publisher.go();
    for heard in subscribers.map(Program::heard) {
        assert_eq!(
            (heard.received + heard.first, heard.missing, heard.disorder, heard.corrupt),
            (3000, 0, 0, 0),
            "{heard:?}"
        );
        assert!(heard.first < 100, "{heard:?}");
    }
    publisher.stop();
}

/// Who listens to several groups asks a source for repairs in the source's own, which is neither the first nor the one that
/// it would send to itself: in another the source would not take the question.
#[test]
fn of_several_groups_each_is_repaired() {
    if !available() {
        return;
    }
    let net = Net::new();
    net.lose(Host::B, 50);
    let words = ["count=1000", "size=500", "rate=20000", "offload=0"];
    for whose in [Whose::Ours, Whose::Theirs] {
        let groups = "epgm://10.77.0.2;239.192.1.3,239.192.1.1;239.192.1.2:5555";
        let subscriber = Program::start(&net, Host::B, Whose::Ours, ours(), &[&["sub", groups], &words[..]].concat());
        net.await_member(Host::B, groups, 1);
        let mut publisher = start(&net, Host::A, whose, "pub", &words);
        publisher.go();
        let heard = subscriber.heard();
        publisher.stop();
        assert_eq!((heard.received + heard.first, heard.missing, heard.lost), (1000, 0, 0), "{whose:?} {heard:?}");
        assert!(heard.first < 100, "{heard:?}");
    }
}

/// Who listens on several interfaces asks each source by the one that leads there, also where that is not the first.
#[test]
fn of_several_interfaces_each_is_repaired() {
    if !available() {
        return;
    }
    let net = Net::new();
    net.lose(Host::B, 50);
    // An address of which the routing table tells the wrong interface.
    for (host, words) in [
        (Host::A, "addr add fe80::77/64 dev wire nodad"),
        (Host::B, "link add other type veth peer name another"),
        (Host::B, "link set another up"),
        (Host::B, "link set other up"),
        (Host::B, "-6 route add fe80::/64 dev other metric 1"),
    ] {
        assert!(net.command(host, "ip").args(words.split(' ')).status().expect("ip runs").success(), "{words}");
    }
    let addresses = [("239.192.1.1", "10.77.0.1"), ("ff15::7077:1", "fe80::77")];
    for (transport, (group, from)) in ["epgm", "pgm"].into_iter().flat_map(|it| addresses.map(|pair| (it, pair))) {
        let words = ["count=1000", "size=500", "rate=20000", "offload=0"];
        let interfaces = format!("{transport}://lo,wire;{group}:5555");
        let subscriber = Program::start(&net, Host::B, Whose::Ours, ours(), &[&["sub", &interfaces], &words[..]].concat());
        net.await_member(Host::B, &interfaces, 1);
        let from = format!("{transport}://{from};{group}:5555");
        let mut publisher = Program::start(&net, Host::A, Whose::Ours, ours(), &[&["pub", &*from], &words[..]].concat());
        publisher.go();
        let heard = subscriber.heard();
        publisher.stop();
        assert_eq!((heard.received + heard.first, heard.missing, heard.lost), (1000, 0, 0), "{from} {heard:?}");
        assert!(heard.first < 100, "{heard:?}");
    }
}

#[test]
fn a_late_joiner_begins_at_a_message_and_misses_none_after_it() {
    if !available() {
        return;
    }
    for publisher in [Whose::Ours, Whose::Theirs] {
        let net = Net::new();
        net.lose(Host::B, 10);
        let words = ["count=3000", "size=1500", "rate=20000", "every=1000", "offload=0"];
        let mut publisher = start(&net, Host::A, publisher, "pub", &words);
        publisher.go();
        std::thread::sleep(Duration::from_millis(700));
        let heard = start(&net, Host::B, Whose::Ours, "sub", &words).heard();
        publisher.stop();
        assert!(heard.first > 100, "{heard:?}");
        assert_eq!(
            (heard.received + heard.first, heard.missing, heard.disorder, heard.corrupt),
            (3000, 0, 0, 0),
            "{heard:?}"
        );
    }
}

/// Sockets on the publisher's own host hear it only where that is asked for; those on other hosts in either case.
#[test]
fn the_publishers_host_hears_it_only_if_asked_to() {
    if !available() {
        return;
    }
    for (looped, here) in [("loop=0", 0), ("loop=1", 200)] {
        let net = Net::new();
        let words = ["count=200", "size=100", "rate=20000", "idle=400", looped];
        let subscribers = [Host::A, Host::B].map(|host| {
            let subscriber = start(&net, host, Whose::Ours, "sub", &words);
            net.await_member(host, "239.192.1.1", 1);
            subscriber
        });
        let mut publisher = start(&net, Host::A, Whose::Ours, "pub", &words);
        publisher.go();
        assert_eq!(subscribers.map(|subscriber| subscriber.heard().received), [here, 200], "{looped}");
        publisher.stop();
    }
}

/// The one dies without a word, the next one comes with numbers of its own: its stream is heard at once.
#[test]
fn a_publisher_that_dies_is_followed_by_the_next() {
    if !available() {
        return;
    }
    for whose in [Whose::Ours, Whose::Theirs] {
        let net = Net::new();
        let first = ["count=1000", "size=100", "rate=20000", "idle=3000"];
        let subscriber = start(&net, Host::B, Whose::Ours, "sub", &["count=2000", "size=100", "rate=20000", "idle=3000"]);
        net.await_member(Host::B, "239.192.1.1", 1);
        let mut publisher = start(&net, Host::A, whose, "pub", &first);
        publisher.go();
        assert!(publisher.line().starts_with("sent=1000"));
        std::thread::sleep(Duration::from_millis(300));
        drop(publisher);
        let mut publisher = start(&net, Host::A, whose, "pub", &["count=1000", "base=1000", "size=100", "rate=20000"]);
        publisher.go();
        let heard = subscriber.heard();
        publisher.stop();
        assert_eq!((heard.received, heard.missing, heard.disorder, heard.corrupt), (2000, 0, 0, 0), "{whose:?} {heard:?}");
    }
}

/// Away for five seconds in the middle: nothing is missing afterwards, because the window holds that much.
#[test]
fn a_receiver_that_stalls_for_five_seconds_misses_nothing() {
    if !available() {
        return;
    }
    let net = Net::new();
    net.lose(Host::B, 10);
    let words = ["count=6000", "size=500", "rate=20000", "every=1000", "stall_at=500", "stall=5000", "offload=0"];
    let subscriber = start(&net, Host::B, Whose::Ours, "sub", &words);
    net.await_member(Host::B, "239.192.1.1", 1);
    let mut publisher = start(&net, Host::A, Whose::Ours, "pub", &words[..4]);
    publisher.go();
    let heard = subscriber.heard();
    publisher.stop();
    assert_eq!((heard.received + heard.first, heard.missing, heard.disorder, heard.corrupt), (6000, 0, 0, 0), "{heard:?}");
}

/// A publisher whose network takes less than its rate waits for room, and does nothing else meanwhile.
#[test]
fn a_publisher_that_is_faster_than_its_network_waits_for_it() {
    if !available() {
        return;
    }
    let net = Net::new();
    net.throttle(Host::A, 1000);
    // More than a send buffer holds, in packets that the kernel charges at twice their length and more.
    let words = ["count=6000", "size=1000", "rate=1000000", "hwm=6000", "offload=0"];
    let mut publisher = start(&net, Host::A, Whose::Ours, "pub", &words);
    publisher.go();
    assert!(publisher.line().starts_with("sent=6000"));
    std::thread::sleep(Duration::from_millis(700));
    let cost = publisher.stop();
    assert!(cost.processor < 0.25, "{cost:?}");
}

/// Malformed, foreign and contradicting packets all the time, to both ends: nothing comes of them.
#[test]
fn packets_that_nobody_should_send_do_no_harm() {
    if !available() {
        return;
    }
    let net = Net::new();
    let words = ["count=3000", "size=500", "rate=20000", "every=1000"];
    let subscriber = start(&net, Host::B, Whose::Ours, "sub", &words);
    net.await_member(Host::B, "239.192.1.1", 1);
    let mut publisher = start(&net, Host::A, Whose::Ours, "pub", &words);
    let spray = Spray::start(&net, &endpoint("epgm", false, Host::A), Spray::ALL);
    publisher.go();
    let heard = subscriber.heard();
    publisher.stop();
    drop(spray);
    assert_eq!((heard.received, heard.missing, heard.disorder, heard.corrupt), (3000, 0, 0, 0), "{heard:?}");
}
