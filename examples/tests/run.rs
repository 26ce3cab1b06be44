//! The short examples run and say what they should.

use std::process::Command;

fn output(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn hello_greets_everybody() {
    assert_eq!(output(env!("CARGO_BIN_EXE_hello")), "Hello, Ada!\nHello, Grace!\nHello, Barbara!\n");
}

#[test]
fn the_pipeline_loses_no_number() {
    let sum: u64 = (1..=1000).map(|number| number * number).sum();
    assert_eq!(output(env!("CARGO_BIN_EXE_pipeline")), format!("the sum of the first 1000 squares is {sum}\n"));
}

/// On loopback nothing need be lost: whoever has room for bursts receives every tick, and who has not is told.
#[cfg(target_os = "linux")]
#[test]
fn the_ticker_accounts_for_every_tick() {
    let output = output(env!("CARGO_BIN_EXE_multicast_ticker"));
    let last = output.lines().last().unwrap();
    let number = |name: &str| {
        let mut words = last.split_whitespace().filter_map(|word| word.split_once('='));
        words.find(|(word, _)| *word == name).unwrap().1.parse::<u64>().unwrap()
    };
    assert!(number("sent") > 100_000, "{last}");
    assert!(number("received_0") > 0 && number("received_1") > 0 && number("received_2") > 0, "{last}");
    assert!(number("repaired_2") + number("lost_2") > 0, "{last}");
}
