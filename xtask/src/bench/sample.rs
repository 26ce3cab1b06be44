//! Numbers: what one run printed, and what the rounds of a row come to.

use std::collections::BTreeMap;

/// What one run printed, as `key=number` words.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sample {
    numbers: BTreeMap<String, f64>,
    /// The library's version, where the program prints one.
    pub(crate) version: Option<String>,
}

impl Sample {
    /// Reads the line a program printed.
    pub(crate) fn parse(line: &str) -> Self {
        let mut sample = Self::default();
        for (key, value) in line.split_whitespace().filter_map(|word| word.split_once('=')) {
            if let Ok(number) = value.parse() {
                sample.numbers.insert(key.to_string(), number);
            } else if key == "zmq" || key == "omnimq" {
                sample.version = Some(value.to_string());
            }
        }
        if let (Some(own), Some(forced), Some(count)) =
            (sample.of_key("nvcsw"), sample.of_key("nivcsw"), sample.of_key("count"))
        {
            sample.numbers.insert(CSW.into(), (own + forced) / count.max(1.0));
        }
        sample
    }

    /// One number alone.
    pub(crate) fn of(key: &str, number: f64) -> Self {
        Self { numbers: BTreeMap::from([(key.to_string(), number)]), version: None }
    }

    fn of_key(&self, key: &str) -> Option<f64> {
        self.numbers.get(key).copied()
    }
}

/// CPU seconds, user and system, of all processes together for a million messages.
pub(crate) const CPU: &str = "cpu_s_per_M";
/// Context switches per message, wanted and forced.
pub(crate) const CSW: &str = "csw_per_msg";
/// The largest resident set of any process.
pub(crate) const MEMORY: &str = "maxrss_kb";

/// Who a number belongs to.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Ours,
    Libzmq,
    Limit,
}

/// The rounds of one row.
#[derive(Default)]
pub(crate) struct Rounds {
    rounds: Vec<[Option<Sample>; 3]>,
}

impl Rounds {
    /// Adds a round: ours, libzmq's and the limit's.
    pub(crate) fn push(&mut self, round: [Option<Sample>; 3]) {
        self.rounds.push(round);
    }

    /// The median over the rounds.
    pub(crate) fn median(&self, program: Program, key: &str) -> Option<f64> {
        median(self.rounds.iter().filter_map(|round| number(round, program, key)).collect())
    }

    /// The mean over the rounds.
    pub(crate) fn share(&self, program: Program, key: &str) -> Option<f64> {
        let numbers: Vec<f64> = self.rounds.iter().filter_map(|round| number(round, program, key)).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }

    /// The median of the ratios of ours to another's within each round; over 1 is better.
    pub(crate) fn ratio(&self, other: Program, key: &str, lower_is_better: bool) -> Option<f64> {
        let ratios = self.rounds.iter().filter_map(|round| {
            let (ours, theirs) = (number(round, Program::Ours, key)?, number(round, other, key)?);
            Some(if lower_is_better { theirs / ours } else { ours / theirs })
        });
        median(ratios.filter(|ratio| ratio.is_finite()).collect())
    }

    /// The version that a program printed.
    pub(crate) fn version(&self, program: Program) -> Option<&str> {
        self.rounds.iter().find_map(|round| of(round, program)?.version.as_deref())
    }
}

fn of(round: &[Option<Sample>; 3], program: Program) -> Option<&Sample> {
    round.get(program as usize)?.as_ref()
}

fn number(round: &[Option<Sample>; 3], program: Program, key: &str) -> Option<f64> {
    of(round, program)?.of_key(key)
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let upper = *numbers.get(numbers.len() / 2)?;
    let lower = *numbers.get((numbers.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

/// The calls in what `strace -c` wrote: the last row, `total`, has time, seconds, µs per call, calls and, if any, errors.
pub(crate) fn calls_in_summary(summary: &str) -> Option<f64> {
    let total = summary.lines().rev().find(|line| line.trim_end().ends_with("total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(numbers: &[(f64, f64, f64)]) -> Rounds {
        let mut rounds = Rounds::default();
        for (ours, libzmq, limit) in numbers {
            rounds.push([ours, libzmq, limit].map(|number| Some(Sample::of("x", *number))));
        }
        rounds
    }

    #[test]
    fn a_line_is_read() {
        let sample = Sample::parse("test=lat zmq=4.3.5 rtt_p50_us=16.50 count=200 nvcsw=30 nivcsw=10");
        assert_eq!((sample.of_key("rtt_p50_us"), sample.of_key(CSW)), (Some(16.5), Some(0.2)));
        assert_eq!((sample.version.as_deref(), sample.of_key("test")), (Some("4.3.5"), None));
    }

    #[test]
    fn medians_are_of_all_rounds() {
        let three = rounds(&[(1.0, 10.0, 0.5), (3.0, 30.0, 0.5), (2.0, 2.0, 0.5)]);
        assert_eq!(three.median(Program::Ours, "x"), Some(2.0));
        assert_eq!(three.median(Program::Libzmq, "y"), None);
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn ratios_over_one_are_better() {
        let two = rounds(&[(2.0, 6.0, 1.0), (2.0, 6.0, 1.0)]);
        assert_eq!(two.ratio(Program::Libzmq, "x", true), Some(3.0));
        assert_eq!(two.ratio(Program::Limit, "x", true), Some(0.5));
        assert_eq!(two.ratio(Program::Limit, "x", false), Some(2.0));
    }

    #[test]
    fn a_run_that_failed_is_left_out() {
        let mut rounds = rounds(&[(2.0, 6.0, 1.0)]);
        rounds.push([Some(Sample::default()), Some(Sample::of("x", 4.0)), None]);
        assert_eq!((rounds.median(Program::Ours, "x"), rounds.ratio(Program::Libzmq, "x", true)), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn strace_summaries_are_read() {
        let head = "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- -------\n";
        let with_errors = format!(
            "{head} 60.0    0.1       1      90         3 read\n100.00    0.010111           1      6152        12 total\n"
        );
        assert_eq!(calls_in_summary(&with_errors), Some(6152.0));
        assert_eq!(
            calls_in_summary(&format!("{head}100.00    0.010111           1      6152           total\n")),
            Some(6152.0)
        );
        assert_eq!(calls_in_summary(""), None);
    }
}
