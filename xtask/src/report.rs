//! What a run of the tests came to: steps with their time and verdict, and the totals of all test programs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{in_ci, root};

/// A test that passed: in which program, and its path in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The program's source, relative to the top folder: `core/src/lib.rs`, `core/tests/wire.rs`.
    pub(crate) program: String,
    /// As the program calls it: `pipe::tests::credit`.
    pub(crate) name: String,
}

/// Counts and names gathered from the output of `cargo test`.
#[derive(Default)]
pub(crate) struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The tests that passed.
    pub(crate) tests: Vec<Passed>,
    /// The steps that passed.
    pub(crate) steps: Vec<String>,
    /// The sources of the programs that are run, by the programs' own paths.
    pub(crate) programs: BTreeMap<PathBuf, String>,
    /// The source of the program that runs; empty for tests in documentation.
    program: String,
    /// Tests that said that they could not do their work here; their program counts them as passed.
    gave_up: BTreeSet<String>,
    /// How many of them the program that runs has had.
    given_up: u64,
}

/// What a test says that cannot do its work on this machine, before its name.
const SKIPPED: &str = "SKIPPED ";

impl Totals {
    /// Takes in one line of what cargo and a test program say. What others say without an end of line may stand before it.
    pub(crate) fn read(&mut self, line: &str) {
        self.read_program(line);
        if let Some((_, rest)) = line.split_once(SKIPPED) {
            let name = rest.split_once(": ").map_or(rest, |(name, _)| name);
            self.gave_up.insert(name.to_string());
        }
        if let Some((_, name)) = line.strip_suffix(" ... ok").and_then(|line| line.rsplit_once("test ")) {
            let name = name.trim_end_matches(" - should panic");
            if self.gave_up.remove(name) {
                // Its program will count it among those that passed.
                (self.given_up, self.skipped) = (self.given_up + 1, self.skipped + 1);
            } else {
                self.tests.push(Passed { program: self.program.clone(), name: name.to_string() });
            }
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
        for count in counts.split(';') {
            let mut words = count.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number.saturating_sub(std::mem::take(&mut self.given_up)),
                Some("failed") => self.failed += number,
                Some("ignored") => self.skipped += number,
                _ => {}
            }
        }
    }

    /// `Running tests/wire.rs (target/debug/deps/wire-0123)` and `Doc-tests omnimq_core` begin a program.
    fn read_program(&mut self, line: &str) {
        if line.trim_start().starts_with("Doc-tests ") {
            self.program.clear();
        }
        let executable = line.strip_suffix(')').and_then(|line| line.rsplit_once('(')).map(|(_, path)| root().join(path));
        if let Some(source) = executable.and_then(|path| self.programs.get(&path)) {
            self.program.clone_from(source);
        }
    }

    /// The line that a reader of the log looks for.
    pub(crate) fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The steps of one run, in order.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<(String, Duration, bool)>,
    /// The totals of all steps.
    pub(crate) totals: Totals,
}

impl Report {
    /// Runs a step that is one test by itself. A failure is shown and remembered, and the next step runs.
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        let passed = self.timed(name, |_| step());
        self.totals.passed += u64::from(passed);
        self.totals.failed += u64::from(!passed);
        self.totals.steps.extend(passed.then(|| name.to_string()));
    }

    /// Runs a step that counts its own tests.
    pub(crate) fn counted(&mut self, name: &str, step: impl FnOnce(&mut Totals) -> Result<()>) {
        let before = self.totals.failed;
        let passed = self.timed(name, step);
        if !passed && self.totals.failed == before {
            self.totals.failed += 1;
        }
    }

    fn timed(&mut self, name: &str, step: impl FnOnce(&mut Totals) -> Result<()>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let verdict = step(&mut self.totals);
        if let Err(error) = &verdict {
            println!("{name}: {error:#}");
        }
        self.steps.push((name.to_string(), start.elapsed(), verdict.is_ok()));
        verdict.is_ok()
    }

    /// Prints steps and totals; an error unless all is well. Where nothing may be skipped, a skipped test is a failure.
    pub(crate) fn finish(self) -> Result<()> {
        println!();
        for (name, time, passed) in &self.steps {
            println!("{:>7.1} s  {}  {name}", time.as_secs_f64(), if *passed { "ok    " } else { "FAILED" });
        }
        println!("{}", self.totals.line());
        if self.totals.failed > 0 {
            bail!("tests failed");
        }
        if self.totals.skipped > 0 && in_ci() {
            bail!("tests were skipped");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    /// Totals of programs whose sources are known.
    fn totals() -> Totals {
        let programs = [("core/src/lib.rs", "core-1"), ("core/tests/wire.rs", "wire-2"), ("pgm/tests/wire.rs", "wire-3")];
        let programs =
            programs.map(|(source, program)| (root().join("target/debug/deps").join(program), source.to_string()));
        Totals { programs: programs.into(), ..Totals::default() }
    }

    fn names(totals: &Totals) -> Vec<(&str, &str)> {
        totals.tests.iter().map(|test| (test.program.as_str(), test.name.as_str())).collect()
    }

    #[test]
    fn totals_add_up() {
        let mut totals = totals();
        for line in [
            "     Running unittests src/lib.rs (target/debug/deps/core-1)",
            "test wire::tests::a ... ok",
            "test wire::tests::b ... FAILED",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "   Doc-tests omnimq_core",
            "test core/src/lib.rs - (line 10) ... ok",
            "test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 4 filtered out; finished in 0.00s",
        ] {
            totals.read(line);
        }
        assert_eq!(totals.line(), "4 passed, 1 failed, 2 skipped");
        assert_eq!(names(&totals), [("core/src/lib.rs", "wire::tests::a"), ("", "core/src/lib.rs - (line 10)")]);
    }

    #[test]
    fn equal_names_of_two_programs_stay_apart() {
        let mut totals = totals();
        for line in [
            "     Running tests/wire.rs (target/debug/deps/wire-2)",
            "test comes_back ... ok",
            "     Running tests/wire.rs (target/debug/deps/wire-3)",
            "what somebody said without an end (of line) test comes_back ... ok",
        ] {
            totals.read(line);
        }
        assert_eq!(names(&totals), [("core/tests/wire.rs", "comes_back"), ("pgm/tests/wire.rs", "comes_back")]);
    }

    #[test]
    fn a_test_that_gave_up_has_not_passed() {
        let mut totals = totals();
        for line in [
            "     Running tests/wire.rs (target/debug/deps/wire-2)",
            "SKIPPED matrix::a: there is no nft",
            "test matrix::a ... ok",
            "test matrix::b ... ok",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "     Running tests/wire.rs (target/debug/deps/wire-3)",
            "test matrix::a ... ok",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            totals.read(line);
        }
        assert_eq!(totals.line(), "2 passed, 0 failed, 1 skipped");
        assert_eq!(names(&totals), [("core/tests/wire.rs", "matrix::b"), ("pgm/tests/wire.rs", "matrix::a")]);
    }

    #[test]
    fn a_failed_step_fails_the_run() {
        let mut report = Report::default();
        report.step("good", || Ok(()));
        report.counted("does not compile", |_| Err(anyhow!("no")));
        assert_eq!(report.totals.line(), "1 passed, 1 failed, 0 skipped");
        assert!(report.finish().is_err());
    }

    #[test]
    fn steps_that_pass_make_a_run_that_passes() {
        let mut report = Report::default();
        report.step("good", || Ok(()));
        report.counted("counts", |totals| {
            totals.read("test result: ok. 2 passed; 0 failed; 0 ignored");
            Ok(())
        });
        assert_eq!(report.totals.line(), "3 passed, 0 failed, 0 skipped");
        assert!(report.finish().is_ok());
    }
}
