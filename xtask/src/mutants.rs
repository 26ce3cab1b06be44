//! Mutants: what share of the changes that cargo-mutants makes to the core do the core's own tests notice?
//!
//! A mutant costs a build of every test program that is to judge it. So the tests that know a module best come first, and
//! only what they miss is shown to all others. `docs/mutants.md` has the last outcome, and why some survive.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;

use crate::process::{Process, root};
use crate::test::cargo_tool;

/// The share of viable mutants that must be caught.
const WANTED: f64 = 0.85;

/// Octets of address space for a mutant, which may allocate without end.
const SPACE: &str = "6000000";

/// Seconds of a processor for each test program of a mutant, which takes two: one that goes on for ever fails by it, however
/// busy the machine is.
const RUNNER: &str = "--config=target.'cfg(unix)'.runner='prlimit --cpu=20'";

/// Seconds for all tests of one mutant: one that is not over by then has not been caught.
const SECONDS: &str = "600";

/// Every test of the core.
const ALL_TESTS: &[&str] = &["--lib", "--tests"];

/// The one share of everything.
const WHOLE: &str = "0/1";

/// Modules of the core, and the tests that know them best.
const GROUPS: [Group; 5] = [
    Group { name: "wire", files: "wire/**", tests: &["--test=wire", "--test=connection"] },
    Group { name: "connection", files: "connection/**", tests: &["--test=connection"] },
    Group { name: "pipe", files: "pipe.rs", tests: &["--test=lanes", "--test=model"] },
    Group { name: "socket", files: "socket/**", tests: &["--test=model"] },
    Group { name: "pattern", files: "pattern/**", tests: &["--test=model"] },
];

struct Group {
    name: &'static str,
    files: &'static str,
    tests: &'static [&'static str],
}

/// What became of each mutant, by its name.
type Outcomes = BTreeMap<String, String>;

/// `cargo xtask mutants [--modules F,G] [--jobs N] [--shard K/N]`: the modules whose name contains one of the words; of
/// their mutants the Kth of N shares.
pub(crate) fn command(mut args: Parser) -> Result<()> {
    let (mut words, mut jobs, mut shard) = (Vec::new(), 1, WHOLE.to_string());
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("modules") => words = args.value()?.string()?.split(',').map(str::to_string).collect(),
            Arg::Long("jobs") => jobs = args.value()?.parse()?,
            Arg::Long("shard") => shard = args.value()?.string()?,
            other => bail!(other.unexpected()),
        }
    }
    let chosen = |group: &&Group| words.is_empty() || words.iter().any(|word| group.name.contains(word.as_str()));
    run(GROUPS.iter().filter(chosen), jobs, &shard)
}

/// All modules, one mutant at a time.
pub(crate) fn all() -> Result<()> {
    run(GROUPS.iter(), 1, WHOLE)
}

/// Runs cargo-mutants on modules of the core and weighs its outcome.
fn run<'a>(groups: impl Iterator<Item = &'a Group>, jobs: u32, shard: &str) -> Result<()> {
    cargo_tool("cargo-mutants", "mutants")?;
    let mut all = Outcomes::new();
    for group in groups {
        let outcomes = judge(group, jobs, shard)?;
        print!("mutants of {}: ", group.name);
        weigh(&outcomes)?;
        all.extend(outcomes);
    }
    print!("mutants: ");
    let caught = weigh(&all)?;
    if caught < WANTED {
        bail!("too many mutants were missed: {:.1} % caught, {:.0} % wanted", caught * 100.0, WANTED * 100.0);
    }
    Ok(())
}

/// Shows the mutants of one group to its own tests, and what those miss to all; a share of them to all at once.
fn judge(group: &Group, jobs: u32, shard: &str) -> Result<Outcomes> {
    let folder = root().join("target/mutants").join(group.name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let mut outcomes = Outcomes::new();
    // Shares are made of what is left, so the second look at a share would be one at another.
    let looks: &[&[&str]] = if shard == WHOLE { &[group.tests, ALL_TESTS] } else { &[ALL_TESTS] };
    for tests in looks {
        let shell = format!("ulimit -v {SPACE} && exec \"$@\"");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut mutants = Process::new("sh").arg("-c").arg(shell).arg("sh").arg(cargo);
        mutants = mutants.words("mutants --package omnimq-core --features alloc --profile mutants --no-times --iterate");
        mutants = mutants.arg("--output").arg(&folder).arg("--file").arg(format!("core/src/{}", group.files));
        mutants = mutants.words("--timeout").arg(SECONDS).arg("--jobs").arg(jobs.to_string()).arg("--shard").arg(shard);
        // To building and testing alike, or every test program would be built each time.
        for test in [RUNNER].iter().chain(*tests) {
            mutants = mutants.arg("--cargo-arg").arg(test);
        }
        // A mutant that is missed is no failure of the run, so what was written says whether it ran.
        let verdict = mutants.env("PROPTEST_MAX_SHRINK_ITERS", "0").run();
        let found = read(&folder.join("mutants.out/outcomes.json")).or_else(|error| verdict.and(Err(error)))?;
        outcomes.extend(found);
    }
    for (name, _) in outcomes.iter().filter(|(_, outcome)| *outcome == "MissedMutant") {
        println!("missed: {name}");
    }
    Ok(outcomes)
}

fn read(path: &Path) -> Result<Outcomes> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    outcomes(&serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?)
}

/// What `outcomes.json` says of each mutant; the run without a mutant is no part of it, but has to have passed.
fn outcomes(json: &Value) -> Result<Outcomes> {
    let mut found = Outcomes::new();
    for outcome in json["outcomes"].as_array().context("outcomes.json has no outcomes")? {
        let summary = outcome["summary"].as_str().context("an outcome without a summary")?;
        match outcome["scenario"]["Mutant"]["name"].as_str() {
            Some(name) => drop(found.insert(name.to_string(), summary.to_string())),
            None if summary == "Success" => {}
            None => bail!("the tests do not pass without a mutant"),
        }
    }
    Ok(found)
}

/// The share that was caught, among the mutants that compiled.
fn weigh(outcomes: &Outcomes) -> Result<f64> {
    let count = |summary: &str| outcomes.values().filter(|outcome| *outcome == summary).count();
    let (caught, hung, missed) = (count("CaughtMutant"), count("Timeout"), count("MissedMutant"));
    let viable = caught + hung + missed;
    if viable == 0 {
        bail!("no viable mutant was tried");
    }
    let share = caught as f64 / viable as f64;
    println!("{viable} viable, {caught} caught, {missed} missed, {hung} undecided: {:.1} %", share * 100.0);
    Ok(share)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mutant(name: &str, summary: &str) -> Value {
        json!({"scenario": {"Mutant": {"name": name}}, "summary": summary})
    }

    #[test]
    fn the_share_leaves_unviable_mutants_out() {
        let baseline = json!({"scenario": "Baseline", "summary": "Success"});
        let tried =
            [("a", "CaughtMutant"), ("b", "Timeout"), ("c", "MissedMutant"), ("d", "Unviable"), ("e", "CaughtMutant")];
        let tried: Vec<Value> = tried.map(|(name, summary)| mutant(name, summary)).into_iter().chain([baseline]).collect();
        let share = weigh(&outcomes(&json!({"outcomes": tried})).unwrap()).unwrap();
        assert!((share - 0.5).abs() < 1e-9);
        assert!(weigh(&outcomes(&json!({"outcomes": [mutant("a", "Unviable")]})).unwrap()).is_err());
    }

    #[test]
    fn the_last_word_on_a_mutant_counts() {
        let mut first = outcomes(&json!({"outcomes": [mutant("a", "MissedMutant"), mutant("b", "CaughtMutant")]})).unwrap();
        first.extend(outcomes(&json!({"outcomes": [mutant("a", "CaughtMutant")]})).unwrap());
        assert!((weigh(&first).unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_run_that_says_nothing_is_an_error() {
        assert!(outcomes(&json!({})).is_err());
        assert!(outcomes(&json!({"outcomes": [{"scenario": "Baseline", "summary": "Failure"}]})).is_err());
    }

    #[test]
    fn every_module_that_is_mutated_is_there() {
        for group in &GROUPS {
            let place = group.files.trim_end_matches("/**");
            assert!(root().join("core/src").join(place).exists(), "{place}");
            for test in group.tests.iter().filter_map(|test| test.strip_prefix("--test=")) {
                let tests = root().join("core/tests");
                assert!(tests.join(format!("{test}.rs")).exists() || tests.join(test).exists(), "{test}");
            }
        }
    }
}
