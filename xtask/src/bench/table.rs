//! What a run of the benchmarks leaves behind: a table for people, goals met or not, and JSON.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::row::{ACCEPTED, Goal, MADE, Row};
use super::sample::{CPU, CSW, MEMORY, Program, Rounds};
use crate::process::Process;

/// The queue limit of every socket: the programs leave the default of both libraries.
const HWM: u64 = 1000;

/// The head of the table.
pub(crate) const HEAD: &str = "\
| row | metric | ours | libzmq | limit | ours vs libzmq | ours vs limit | CPU s/M ours | CPU s/M libzmq |
|---|---|---|---|---|---|---|---|---|";

/// One line of the table.
pub(crate) fn line(row: &Row, rounds: &Rounds) -> String {
    let metric = row.metric();
    let cells = [
        short(rounds.median(Program::Ours, metric)),
        short(rounds.median(Program::Libzmq, metric)),
        short(rounds.median(Program::Limit, metric)),
        short(rounds.ratio(Program::Libzmq, metric, row.lower_is_better())),
        short(rounds.ratio(Program::Limit, metric, row.lower_is_better())),
        short(rounds.median(Program::Ours, CPU)),
        short(rounds.median(Program::Libzmq, CPU)),
    ];
    format!("| {} | {metric} | {} |", row.name, cells.join(" | "))
}

/// Three digits that count, thousands and millions by their letter.
pub(super) fn short(number: Option<f64>) -> String {
    let Some(number) = number else { return "-".into() };
    let (scaled, letter) = match number.abs() {
        size if size >= 1e6 => (number / 1e6, "M"),
        size if size >= 1e4 => (number / 1e3, "k"),
        _ => (number, ""),
    };
    let digits = match scaled.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{scaled:.digits$}{letter}")
}

/// A goal and whether the rounds meet it; without a number of ours it is not met.
struct Verdict {
    what: String,
    got: Option<f64>,
    met: bool,
}

fn judge(goal: &Goal, row: &Row, rounds: &Rounds) -> Verdict {
    let metric = row.metric();
    let at_least =
        |what: String, got: Option<f64>, bound: f64| Verdict { what, met: got.is_some_and(|got| got >= bound), got };
    let at_most =
        |what: String, got: Option<f64>, bound: f64| Verdict { what, met: got.is_some_and(|got| got <= bound), got };
    match *goal {
        Goal::BetterThanLibzmq(bound) => {
            let got = rounds.ratio(Program::Libzmq, metric, row.lower_is_better());
            at_least(format!("{metric} vs libzmq >= {bound:.2}"), got, bound)
        }
        Goal::NearToLimit(bound) => {
            let got = rounds.ratio(Program::Limit, metric, row.lower_is_better());
            at_least(format!("{metric} vs limit >= {bound:.2}"), got, bound)
        }
        Goal::AtMost(bound) => at_most(format!("{metric} <= {bound}"), rounds.median(Program::Ours, metric), bound),
        Goal::OtherAtMost(key, bound) => at_most(format!("{key} <= {bound}"), rounds.median(Program::Ours, key), bound),
        Goal::CpuShare(bound) => {
            let share = rounds.ratio(Program::Libzmq, CPU, false);
            at_most(format!("{CPU} / libzmq's <= {bound}"), share, bound)
        }
    }
}

/// Prints every goal as met or not met, and counts those that are not.
pub(crate) fn goals(results: &[(&Row, Rounds)]) -> usize {
    let mut missed = 0;
    for (row, rounds) in results {
        for verdict in row.goals.iter().map(|goal| judge(goal, row, rounds)) {
            missed += usize::from(!verdict.met);
            let word = if verdict.met { "met    " } else { "not met" };
            println!("goal {word} {}: {} (got {})", row.name, verdict.what, short(verdict.got));
        }
    }
    missed
}

/// The machine and the tools that the numbers were taken with.
pub(crate) struct Machine {
    cpu: String,
    cpus: usize,
    kernel: String,
    rustc: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Result<Self> {
        let info = std::fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo")?;
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Ok(Self {
            cpu: model.map_or("unknown", |(_, model)| model.trim()).to_string(),
            cpus: std::thread::available_parallelism()?.get(),
            kernel: Process::new("uname").arg("-sr").capture()?.trim().to_string(),
            rustc: Process::new("rustc").arg("--version").capture()?.trim().to_string(),
        })
    }
    /// It as JSON.
    pub(super) fn json(&self) -> Value {
        json!({"cpu": self.cpu, "cpus": self.cpus, "kernel": self.kernel, "rustc": self.rustc})
    }
}

/// The results as JSON, one object a row. Ratios over 1 are better for ours.
pub(crate) fn json(results: &[(&Row, Rounds)], rounds: usize, machine: &Machine) -> String {
    let rows: Vec<Value> = results.iter().map(|(row, result)| object(row, result, rounds, machine)).collect();
    format!("{:#}\n", Value::from(rows))
}

fn object(row: &Row, result: &Rounds, rounds: usize, machine: &Machine) -> Value {
    let metric = row.metric();
    let each = |key: &str| {
        let of = |program| result.median(program, key);
        json!({"ours": of(Program::Ours), "libzmq": of(Program::Libzmq), "limit": of(Program::Limit)})
    };
    let verdicts = row.goals.iter().map(|goal| judge(goal, row, result));
    let goals: Vec<Value> =
        verdicts.map(|verdict| json!({"goal": verdict.what, "got": verdict.got, "met": verdict.met})).collect();
    json!({
        "row": row.name,
        "metric": metric,
        "ours": result.median(Program::Ours, metric),
        "libzmq": result.median(Program::Libzmq, metric),
        "limit": result.median(Program::Limit, metric),
        "vs_libzmq": result.ratio(Program::Libzmq, metric, row.lower_is_better()),
        "vs_limit": result.ratio(Program::Limit, metric, row.lower_is_better()),
        "pattern": row.pattern,
        "transport": row.transport,
        "size": row.size,
        "connections": row.connections,
        "hwm": HWM,
        "one_core": row.one_core,
        "rounds": rounds,
        CPU: each(CPU),
        CSW: each(CSW),
        MEMORY: each(MEMORY),
        ACCEPTED: each(ACCEPTED),
        MADE: each(MADE),
        "goals": goals,
        "cpu": machine.cpu,
        "cpus": machine.cpus,
        "versions": {
            "omnimq": result.version(Program::Ours),
            "libzmq": result.version(Program::Libzmq),
            "rustc": machine.rustc,
            "kernel": machine.kernel,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::row::ROWS;
    use super::super::sample::Sample;
    use super::*;

    fn row(name: &str) -> &'static Row {
        ROWS.iter().find(|row| row.name == name).unwrap()
    }

    fn rounds(ours: &str, libzmq: &str, limit: &str) -> Rounds {
        let mut rounds = Rounds::default();
        rounds.push([ours, libzmq, limit].map(|line| Some(Sample::parse(line))));
        rounds
    }

    #[test]
    fn rows_have_names_of_their_own() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn goals_are_judged() {
        let stream = row("pushpull tcp 64");
        let fast = rounds("deliveries_s=30 cpu_s_per_M=0.4", "deliveries_s=10 cpu_s_per_M=1", "deliveries_s=90");
        let slow = rounds("deliveries_s=15 cpu_s_per_M=0.6", "deliveries_s=10 cpu_s_per_M=1", "deliveries_s=90");
        assert_eq!((goals(&[(stream, fast)]), goals(&[(stream, slow)])), (0, 2));
        assert_eq!(goals(&[(stream, rounds("", "deliveries_s=10", "deliveries_s=90"))]), 2);
    }

    #[test]
    fn round_trips_are_judged_by_ratio_and_by_count() {
        let pinned = row("reqrep tcp 64 one core");
        assert_eq!(goals(&[(pinned, rounds("rtt_p50_us=13.4", "rtt_p50_us=45", "rtt_p50_us=10"))]), 0);
        assert_eq!(goals(&[(pinned, rounds("rtt_p50_us=13.6", "rtt_p50_us=45", "rtt_p50_us=10"))]), 1);
        let calls = row("reqrep tcp 64 one core, system calls");
        assert_eq!(goals(&[(calls, rounds("syscalls_per_rtt=8", "syscalls_per_rtt=49", "syscalls_per_rtt=4"))]), 0);
        assert_eq!(goals(&[(calls, rounds("syscalls_per_rtt=8.1", "syscalls_per_rtt=49", "syscalls_per_rtt=4"))]), 1);
    }

    #[test]
    fn json_carries_what_tables_leave_out() {
        let machine = Machine { cpu: "a cpu".into(), cpus: 2, kernel: "a kernel".into(), rustc: "a rustc".into() };
        let line = "omnimq=0.1.0 deliveries_s=30 cpu_s_per_M=0.4 count=10 nvcsw=1 nivcsw=1 maxrss_kb=5000";
        let result = rounds(line, "zmq=4.3.4 deliveries_s=10", "deliveries_s=60");
        let text = json(&[(row("pushpull tcp 64"), result)], 9, &machine);
        let value: Value = serde_json::from_str(&text).unwrap();
        let object = &value[0];
        assert_eq!(
            (&object["row"], &object["vs_libzmq"], &object["vs_limit"]),
            (&json!("pushpull tcp 64"), &json!(3.0), &json!(0.5))
        );
        assert_eq!((&object["csw_per_msg"]["ours"], &object["maxrss_kb"]["ours"]), (&json!(0.2), &json!(5000.0)));
        assert_eq!((&object["versions"]["omnimq"], &object["versions"]["libzmq"]), (&json!("0.1.0"), &json!("4.3.4")));
        assert_eq!(
            (&object["cpu"], &object["hwm"], &object["cpu_s_per_M"]["limit"]),
            (&json!("a cpu"), &json!(1000), &Value::Null)
        );
    }

    #[test]
    fn numbers_are_short() {
        let all = [Some(35_660_000.0), Some(16_900.0), Some(1497.0), Some(16.04), Some(0.026), None].map(short);
        assert_eq!(all, ["35.7M", "16.9k", "1497", "16.0", "0.026", "-"]);
    }
}
