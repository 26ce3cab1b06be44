//! Mutants: what share of the changes that cargo-mutants makes to the core do the core's own tests notice?

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{Process, root};
use crate::test::cargo_tool;

/// The share of viable mutants that must be caught.
const WANTED: f64 = 0.85;

/// The modules of the core that are mutated.
const MODULES: [&str; 6] = ["wire/**", "connection/**", "pipe.rs", "pipe/**", "socket.rs", "pattern/**"];

/// Runs cargo-mutants on the core and weighs its outcome.
pub(crate) fn run() -> Result<()> {
    cargo_tool("cargo-mutants", "mutants")?;
    let mut mutants = Process::cargo().words("mutants --package omnimq-core --features alloc --no-times --output target");
    for module in MODULES {
        mutants = mutants.arg("--file").arg(format!("core/src/{module}"));
    }
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
