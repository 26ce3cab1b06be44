//! Mutants: what share of the changes that cargo-mutants makes to the core do the core's own tests notice?

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;

use crate::process::{Process, root};
use crate::test::cargo_tool;

/// The share of viable mutants that must be caught.
const WANTED: f64 = 0.85;

/// The modules of the core that are mutated.
const MODULES: [&str; 7] = ["wire/**", "connection/**", "pipe.rs", "pipe/**", "socket.rs", "socket/**", "pattern/**"];

/// `cargo xtask mutants [--modules F,G] [--jobs N]`: those of the modules whose path contains one of the words.
pub(crate) fn command(mut args: Parser) -> Result<()> {
    let (mut words, mut jobs) = (Vec::new(), 1);
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("modules") => words = args.value()?.string()?.split(',').map(str::to_string).collect(),
            Arg::Long("jobs") => jobs = args.value()?.parse()?,
            other => bail!(other.unexpected()),
        }
    }
    let chosen = |module: &&str| words.is_empty() || words.iter().any(|word| module.contains(word.as_str()));
    run(&MODULES.into_iter().filter(chosen).collect::<Vec<_>>(), jobs)
}

/// All modules, one mutant at a time.
pub(crate) fn all() -> Result<()> {
    run(&MODULES, 1)
}

/// Runs cargo-mutants on modules of the core and weighs its outcome.
fn run(modules: &[&str], jobs: u32) -> Result<()> {
    cargo_tool("cargo-mutants", "mutants")?;
    let mut mutants = Process::cargo().words("mutants --package omnimq-core --features alloc --no-times --output target");
    mutants = mutants.arg("--jobs").arg(jobs.to_string());
    for module in modules {
        mutants = mutants.arg("--file").arg(format!("core/src/{module}"));
    }
    mutants = mutants.words("-- --lib --tests");
    let verdict = mutants.run();
    let path = root().join("target/mutants.out/outcomes.json");
    let outcomes = match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?,
        Err(_) => return verdict,
    };
    let caught = share_caught(&outcomes)?;
    println!("mutants: {:.1} % of the viable ones caught, {:.0} % wanted", caught * 100.0, WANTED * 100.0);
    if caught < WANTED {
        bail!("too many mutants were missed: see target/mutants.out/missed.txt");
    }
    Ok(())
}

/// Caught or timed out, among those that compiled.
fn share_caught(outcomes: &Value) -> Result<f64> {
    let count = |name: &str| outcomes[name].as_f64().with_context(|| format!("no count of {name} in outcomes.json"));
    let caught = count("caught")? + count("timeout")?;
    let viable = caught + count("missed")?;
    if viable == 0.0 {
        bail!("no viable mutant was tried");
    }
    Ok(caught / viable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_share_leaves_unviable_mutants_out() {
        let share = share_caught(&json!({"caught": 16, "timeout": 1, "missed": 3, "unviable": 50})).unwrap();
        assert!((share - 0.85).abs() < 1e-9);
        assert!(share_caught(&json!({"caught": 0, "timeout": 0, "missed": 0})).is_err());
        assert!(share_caught(&json!({})).is_err());
    }
}
