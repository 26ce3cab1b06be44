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
