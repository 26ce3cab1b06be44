//! `cargo xtask COMMAND`: everything a developer or the CI runs, one file per command.
//!
//! The crate depends on nothing of ours, so that it builds in seconds and judges the tree from outside.

mod arrows;
mod bench;
mod check;
mod debian;
mod demo;
mod examples;
mod firmware;
mod fuzz;
mod guarantees;
mod image;
mod mutants;
mod no_alloc;
mod portability;
mod process;
mod quotes;
mod report;
mod size;
mod source;
mod test;
mod tidy;
mod tsan;
mod wine;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  bench [pgm] [--rows F] [--json FILE] [--rounds N] [--gate]
                                   ours beside libzmq and the raw limit, or multicast beside libzmq's; --gate fails on a
                                   goal not met
  check                            formatting, lints, the rules of the tree, documentation, other targets
  demo                             a gateway, game servers and clients, one of them killed: nothing else is lost
  firmware                         firmware for two boards, booted in QEMU, each role against libzmq
  fuzz [--seconds N] [TARGET]      the fuzz targets of the core and of PGM, 60 seconds each unless told otherwise
  mutants [--modules F] [--jobs N] [--shard K/N]
                                   whether the core's tests notice changes to the core
  no-alloc                         the core and PGM without an allocator and without a panic path, run in QEMU
  portability                      the crates for microcontrollers, Windows and macOS; a big-endian machine
  size                             what the firmware's images take of flash, RAM and stack
  test [--full]                    check, then every test; --full adds what takes hours
  tsan                             data races that ThreadSanitizer sees where the host library's threads meet
  wine                             tests of the core and the host library as Windows programs
";

/// All that the tests need of our crates: in a build of everything.
const EVERYTHING: &str = concat!(
    "--workspace --features omnimq-core/alloc,omnimq-smoltcp/ipv6,omnimq-smoltcp/ip,omnimq-smoltcp/log,omnimq-smoltcp/nb,",
    "omnimq-smoltcp/embedded-io,omnimq-smoltcp/embedded-io-async,omnimq/stream,omnimq/bytes"
);

/// Every command, as `docs/guarantees.md` may name it.
const COMMANDS: [&str; 12] =
    ["bench", "check", "demo", "firmware", "fuzz", "mutants", "no-alloc", "portability", "size", "test", "tsan", "wine"];

fn main() -> ExitCode {
    match dispatch(Parser::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut args: Parser) -> Result<()> {
    let Some(Arg::Value(command)) = args.next()? else {
        print!("{USAGE}");
        return Ok(());
    };
    match command.string()?.as_str() {
        "bench" => bench::run(args),
        "check" => no_more(args).and_then(|()| check::run()),
        "portability" => no_more(args).and_then(|()| portability::run()),
        "demo" => no_more(args).and_then(|()| demo::run()),
        "firmware" => no_more(args).and_then(|()| firmware::run()),
        "fuzz" => fuzz::run(args),
        "mutants" => mutants::command(args),
        "no-alloc" => no_more(args).and_then(|()| no_alloc::run()),
        "size" => no_more(args).and_then(|()| size::run()),
        "test" => test::run(args),
        "tsan" => no_more(args).and_then(|()| tsan::command()),
        "wine" => no_more(args).and_then(|()| wine::command()),
        other => bail!("no command named {other}\n{USAGE}"),
    }
}

/// Refuses arguments that a command does not know.
fn no_more(mut args: Parser) -> Result<()> {
    match args.next()? {
        None => Ok(()),
        Some(arg) => bail!(arg.unexpected()),
    }
}
