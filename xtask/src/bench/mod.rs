//! `cargo xtask bench`: ours beside libzmq and beside the raw limit, interleaved in one run.
//!
//! Three programs take the same command lines and print the same keys: the `bench` program of `omnimq-tests`, `zbench.c`
//! over the installed libzmq, and `lim.c`, which does the same work with bare system calls. On a machine shared with others
//! only the ratios within one round mean something, so a row's ratio is the median of the ratios of its rounds.

mod multicast;
mod row;
mod sample;
mod table;

use std::path::PathBuf;

use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::debian;
use crate::process::{Process, released, root};
use row::{Measure, Row};
use sample::{Rounds, Sample};

/// The three programs that are compared.
struct Programs {
    ours: PathBuf,
    libzmq: PathBuf,
    limit: PathBuf,
}

/// What is asked for.
#[derive(Default)]
struct Options {
    rounds: Option<usize>,
    /// Parts of the names of rows; none for all.
    rows: Vec<String>,
    json: Option<PathBuf>,
    gate: bool,
    multicast: bool,
}

impl Options {
    fn parse(mut args: Parser) -> Result<Self> {
        let mut options = Self::default();
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Value(value) if value == "pgm" => options.multicast = true,
                Arg::Long("rounds") => options.rounds = Some(args.value()?.parse()?),
                Arg::Long("rows") => options.rows = args.value()?.string()?.split(',').map(str::to_string).collect(),
                Arg::Long("json") => options.json = Some(PathBuf::from(args.value()?)),
                Arg::Long("gate") => options.gate = true,
                other => bail!(other.unexpected()),
            }
        }
        Ok(options)
    }
    fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual)
    }
    fn wants(&self, row: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|part| row.contains(part))
    }
}

/// Runs the rows, prints the table and writes the JSON.
pub(crate) fn run(args: Parser) -> Result<()> {
    let options = Options::parse(args)?;
    if options.multicast {
        return multicast::run(&options);
    }
    let rounds = options.rounds(9);
    let rows: Vec<&Row> = row::ROWS.iter().filter(|row| options.wants(row.name)).collect();
    if rows.is_empty() {
        bail!("no row's name contains any of {}", options.rows.join(", "));
    }
    let programs = build()?;
    println!("{}", table::HEAD);
    let mut results = Vec::new();
    for row in rows {
        let result = (row, measure(row, &programs, rounds)?);
        println!("{}", table::line(result.0, &result.1));
        results.push(result);
    }
    let missed = table::goals(&results);
    if let Some(path) = options.json {
        std::fs::write(&path, table::json(&results, rounds, &table::Machine::this()?))?;
    }
    if options.gate && missed > 0 {
        bail!("{missed} goals were not met");
    }
    Ok(())
}

fn build() -> Result<Programs> {
    debian::install(&["gcc", "libc6-dev", "libzmq3-dev", "strace"])?;
    Process::cargo().words("build --quiet --release --package omnimq-tests --bin bench").run()?;
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let compiled = |name: &str| -> Result<PathBuf> {
        let program = folder.join(name);
        let source = root().join(format!("tests/bench/{name}.c"));
        Process::new("cc").words("-O2 -o").arg(&program).arg(source).words("-lzmq -lpthread").run()?;
        Ok(program)
    };
    Ok(Programs { ours: released("bench"), libzmq: compiled("zbench")?, limit: compiled("lim")? })
}

/// All rounds of one row; who begins alternates.
fn measure(row: &Row, programs: &Programs, rounds: usize) -> Result<Rounds> {
    let mut all = Rounds::default();
    for round in 0..rounds {
        let mut turns = [(&programs.ours, Some(row.work)), (&programs.libzmq, Some(row.work)), (&programs.limit, row.limit)]
            .into_iter()
            .enumerate()
            .collect::<Vec<_>>();
        if round % 2 == 1 {
            turns.reverse();
        }
        let mut samples = [const { None }; 3];
        for (side, (program, work)) in turns {
            let Some(work) = work else { continue };
            let sample = match row.measure {
                Measure::Printed { .. } => sample(row, program, work)?,
                Measure::SystemCalls { few, many } => system_calls(row, program, &programs.limit, work, few, many)?,
            };
            if let Some(slot) = samples.get_mut(side) {
                *slot = Some(sample);
            }
        }
        all.push(samples);
    }
    Ok(all)
}

/// A command that ends after so many seconds, on the cores that the row says, with all descriptors that it may have.
fn on_its_cores(row: &Row, seconds: u32) -> Process {
    let shell = Process::new("sh").arg("-c").arg("ulimit -n $(ulimit -Hn) && exec \"$@\"").arg("sh");
    let pinned = if row.one_core { shell.words("taskset -c 0 timeout") } else { shell.arg("timeout") };
    pinned.arg(seconds.to_string())
}

/// One run of one program. A run that fails leaves an empty sample, and the row says so.
fn sample(row: &Row, program: &PathBuf, work: &str) -> Result<Sample> {
    let run = on_its_cores(row, 60);
    Ok(run.arg(program).words(work).quiet().map(|line| Sample::parse(&line)).unwrap_or_default())
}

/// System calls per round trip: the difference of a long and a short run, so that starting up costs nothing.
fn system_calls(row: &Row, program: &PathBuf, limit: &PathBuf, work: &str, few: u64, many: u64) -> Result<Sample> {
    let count = |trips: u64| -> Option<f64> {
        let summary = root().join("target/bench/strace.txt");
        let strace = on_its_cores(row, 120).words("strace -f -c -o").arg(&summary).arg(program);
        strace.words(work).arg("-n").arg(trips.to_string()).quiet()?;
        sample::calls_in_summary(&std::fs::read_to_string(&summary).ok()?)
    };
    let (Some(short), Some(long)) = (count(few), count(many)) else { return Ok(Sample::default()) };
    let warm_up = |trips: u64| if program == limit { 0 } else { trips / 20 };
    let trips = (many + warm_up(many)) - (few + warm_up(few));
    Ok(Sample::of(row::SYSTEM_CALLS, (long - short) / trips as f64))
}
