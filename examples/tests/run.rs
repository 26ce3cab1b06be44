//! The short examples run and say what they should.

use std::process::Command;

fn output(program: &str) -> String {
    output_with(program, &[])
}

fn output_with(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Each example says exactly this.
macro_rules! says {
    ($($test:ident: $program:literal $lines:expr;)*) => { $(
        #[test]
        fn $test() {
            let output = output(env!(concat!("CARGO_BIN_EXE_", $program)));
            assert_eq!(output.lines().collect::<Vec<_>>(), $lines);
        }
    )* };
}

says! {
    hello_greets_everybody: "hello" ["Hello, Ada!", "Hello, Grace!", "Hello, Barbara!"];
    weather_reaches_those_who_asked: "weather" [
        "europe.: 2 stations, -2 to 22 degrees",
        "africa.: 2 stations, 18 to 34 degrees",
        "africa.cairo: 1 stations, 18 to 30 degrees",
    ];
    the_pipeline_loses_no_number: "pipeline" ["the sum of the first 1000 squares is 333833500"];
    the_broker_brings_each_answer_to_who_asked: "broker" [
        " 1  2  3  4  5  6  7  8  9",
        " 2  4  6  8 10 12 14 16 18",
        " 3  6  9 12 15 18 21 24 27",
        " 4  8 12 16 20 24 28 32 36",
        " 5 10 15 20 25 30 35 40 45",
        " 6 12 18 24 30 36 42 48 54",
        " 7 14 21 28 35 42 49 56 63",
        " 8 16 24 32 40 48 56 64 72",
        " 9 18 27 36 45 54 63 72 81",
    ];
    the_forwarder_passes_subscriptions_and_messages: "forwarder" [
        r#"news from {"Cairo", "Oslo", "Rome"}"#,
        r#"sport from {"Cairo", "Oslo", "Rome"}"#,
    ];
    the_late_subscriber_misses_nothing: "late_subscriber" [
        "came too late for the first 100 changes: true",
        "the snapshot has what was missed: true",
        "50 changes later every price is right: true",
    ];
    workers_are_found_by_name: "identity" [
        "amy: done: paint the door",
        "bob: done: mend the roof",
        "eve: done: listen",
        "nobody is called zoe",
    ];
    the_chat_room_tells_everybody: "chat" [
        "* ada comes",
        "* grace comes",
        "ada: Hello, Grace!",
        "grace: Hello, Ada! I found a bug. It is a moth.",
        "* ada goes",
        "* grace goes",
    ];
    orders_are_encoded_and_judged: "protobuf" [
        "3 × apple: 1.20",
        "12 × pear: 6.60",
        "1 × durian: no durian today",
        "gibberish: that is no order",
    ];
    one_thread_serves_many_sockets: "polling" ["1000 messages at 100 counters, 10 at each; the wire says closed"];
    the_monitor_tells_who_came_and_why_they_went: "monitor" [
        "- a PUSH comes, says something and goes",
        "connections are accepted",
        "somebody at 127.0.0.1 has connected",
        "it is a peer: messages may pass",
        r#"it says ["hello"]"#,
        "the peer has gone: the stream ended",
        "- a browser has the wrong port",
        "somebody at 127.0.0.1 has connected",
        "it is no peer: the peer's ZMTP version is not supported",
        "- another PULL comes: two who only receive have nothing to say to each other",
        "somebody at 127.0.0.1 has connected",
        "it is no peer: the peer's socket type may not talk to this one",
        "- it is over",
        "no more connections are accepted",
    ];
}

/// What was begun when the signal came is finished, and the program ends by itself.
#[cfg(unix)]
#[test]
fn a_signal_ends_it_well() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    for signal in ["INT", "TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shutdown")).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert_eq!(lines.next().unwrap(), "working; press Ctrl-C to stop");
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<_> = lines.collect();
        assert_eq!(rest, ["no new work; all that was begun is finished", "closed: nothing is left open"], "{signal}");
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

/// On loopback nothing need be lost: whoever has room for bursts receives every tick, and who has not is told.
#[cfg(target_os = "linux")]
#[test]
fn the_ticker_accounts_for_every_tick() {
    let output = output_with(env!("CARGO_BIN_EXE_multicast_ticker"), &["2"]);
    let mut live: Vec<_> = output.lines().collect();
    let last = live.pop().unwrap();
    assert_eq!(live.len(), 2, "a line each second: {output}");
    assert!(live.iter().all(|line| ["ticks/s", "repaired", "lost"].map(|word| line.matches(word).count()) == [3; 3]));
    let number = |name: &str| {
        let mut words = last.split_whitespace().filter_map(|word| word.split_once('='));
        words.find(|(word, _)| *word == name).unwrap().1.parse::<u64>().unwrap()
    };
    assert!(number("sent") > 40_000, "{last}");
    for n in 0..3 {
        // The one with the small buffer may lose what it has not heard of.
        let [received, lost] = ["received", "lost"].map(|name| number(&format!("{name}_{n}")));
        assert!(received > 0 && (lost > 0 || received == number("sent") || n == 2), "{last}");
    }
    assert!(number("repaired_2") + number("lost_2") > 0, "{last}");
}
