//! A second opinion on our packets: tcpdump's PGM printer.

use crate::ours;
use omnimq_tests::multicast::{Host, Net, Program, Tcpdump, Whose, available, endpoint};

/// tcpdump decodes raw PGM: our packets are printed as what they are, with the hops that were asked for and expedited
/// forwarding, and none as malformed. Those without data that are not SPMs it takes for cut off, as it does libzmq's: NAKs
/// and NCFs, whose octets other tests compare.
#[test]
fn tcpdump_reads_what_we_write() {
    if !available() {
        return;
    }
    for six in [false, true] {
        let header: &[&str] = if six { &["class 0xb8, ", "hlim 3, "] } else { &["tos 0xb8, ttl 3, "] };
        printed(six, &[&["ODATA", "RDATA", "SPM"], header].concat(), |line| {
            !line.contains("PGM, length 0") || line.contains("SPM")
        });
    }
}

fn printed(six: bool, kinds: &[&str], complete: impl Fn(&str) -> bool) {
    let net = Net::new();
    net.lose(Host::B, 100);
    let tcpdump = Tcpdump::start(&net, Host::A, ["-v", "-l", if six { "ip6" } else { "ip" }, "proto", "113"]);
    let (from, to) = (endpoint("pgm", six, Host::A), endpoint("pgm", six, Host::B));
    let words = ["count=500", "size=700", "rate=20000", "every=1000", "hops=3"];
    let subscriber = Program::start(&net, Host::B, Whose::Ours, ours(), &[&["sub", &to], words.as_slice()].concat());
    net.await_member(Host::B, &to, 1);
    let mut publisher = Program::start(&net, Host::A, Whose::Ours, ours(), &[&["pub", &from], words.as_slice()].concat());
    publisher.go();
    let heard = subscriber.heard();
    assert_eq!((heard.missing, heard.disorder, heard.corrupt), (0, 0, 0));
    publisher.stop();
    let text = tcpdump.end();
    for kind in kinds {
        assert!(text.contains(kind), "no {kind} in\n{text}");
    }
    for complaint in ["malformed", "invalid", "Bad", "bad cksum", "[|pgm]", "too short", "trunc"] {
        let line = text.lines().find(|line| line.contains(complaint) && complete(line));
        assert_eq!(line, None, "{complaint} in\n{text}");
    }
}
