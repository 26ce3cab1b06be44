//! `cargo xtask fuzz [--seconds N] [TARGET]`: the fuzz targets of the core and of PGM, one after the other.

use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;

use crate::process::{Process, root};
use crate::test::cargo_tool;

const FOLDERS: [&str; 2] = ["core/fuzz", "pgm/fuzz"];
const SECONDS: u64 = 60;

/// Runs one target, or all of them.
pub(crate) fn run(mut args: Parser) -> Result<()> {
    let mut seconds = SECONDS;
    let mut target = None;
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("seconds") => seconds = args.value()?.parse()?,
            Arg::Value(name) if target.is_none() => target = Some(name.string()?),
            other => bail!(other.unexpected()),
        }
    }
    let Some(target) = target else { return all(seconds) };
    for folder in FOLDERS {
        if of(folder)?.contains(&target) {
            return one(folder, &target, seconds);
        }
    }
    bail!("no target named {target}")
}

/// Runs every target for so many seconds.
pub(crate) fn all(seconds: u64) -> Result<()> {
    for folder in FOLDERS {
        let targets = of(folder)?;
        if targets.is_empty() {
            bail!("{folder} has no targets");
        }
        targets.iter().try_for_each(|target| one(folder, target, seconds))?;
    }
    Ok(())
}

/// The targets in a folder.
fn of(folder: &str) -> Result<Vec<String>> {
    let metadata = Process::cargo()
        .words("metadata --no-deps --format-version 1 --manifest-path")
        .arg(root().join(folder).join("Cargo.toml"))
        .capture()?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata printed what is not JSON")?;
    Ok(targets(&metadata))
}

fn targets(metadata: &Value) -> Vec<String> {
    let all =
        metadata["packages"].as_array().into_iter().flatten().filter_map(|package| package["targets"].as_array()).flatten();
    let programs =
        all.filter(|target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin")));
    programs.filter_map(|target| target["name"].as_str()).map(str::to_string).collect()
}

/// Starts from the committed seeds and keeps what is found in the corpus, which is not committed.
/// The compiler's unstable options carry the sanitizer and the coverage counters, so `RUSTC_BOOTSTRAP` asks for them.
fn one(folder: &str, target: &str, seconds: u64) -> Result<()> {
    cargo_tool("cargo-fuzz", "fuzz")?;
    let [corpus, seeds] = ["corpus", "seeds"].map(|kind| root().join(folder).join(kind).join(target));
    std::fs::create_dir_all(&corpus)?;
    let fuzz = Process::cargo().words("fuzz run --fuzz-dir").arg(folder).arg(target).arg(corpus).arg(seeds);
    fuzz.arg("--").arg(format!("-max_total_time={seconds}")).env("RUSTC_BOOTSTRAP", "1").run()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn targets_are_the_programs() {
        let library = json!({"name": "bodies", "kind": ["lib"]});
        let program = json!({"name": "decoder", "kind": ["bin"]});
        assert_eq!(targets(&json!({"packages": [{"targets": [library, program]}]})), ["decoder"]);
    }
}
