//! `cargo xtask bench pgm`: multicast between two network namespaces, ours and libzmq's publishers and subscribers in turns.
//!
//! Each row runs the program `multicast` of `omnimq-tests`, which makes the namespaces, loses packets and looks at the wire.
//! Goals are of ours alone, or of the median of the ratios within the rounds; what a side that fell silent would have
//! reached is not guessed.

use anyhow::{Result, bail};
use serde_json::json;

use super::Options;
use super::sample::{Program, Rounds, Sample};
use super::table::{Machine, short};
use crate::debian;
use crate::process::{Process, released};

/// What a figure has to reach.
#[derive(Clone, Copy)]
enum Goal {
    /// In every run.
    Always,
    AtMost(f64),
    AtLeast(f64),
    /// So many times libzmq's.
    TimesLibzmq(f64),
    /// It is told, and that is all.
    Told,
}

/// One number of a run.
#[derive(Clone, Copy)]
struct Figure {
    key: &'static str,
    lower_is_better: bool,
    goal: Goal,
}

/// One kind of work.
struct Row {
    name: &'static str,
    /// The command line of the program `multicast`.
    work: &'static str,
    figures: &'static [Figure],
}

const fn less(key: &'static str, most: f64) -> Figure {
    Figure { key, lower_is_better: true, goal: Goal::AtMost(most) }
}

const fn more(key: &'static str, least: f64) -> Figure {
    Figure { key, lower_is_better: false, goal: Goal::AtLeast(least) }
}

/// How much arrives in a second; and what does not, where the publisher may send more than a subscriber takes.
const fn times(least: f64) -> [Figure; 2] {
    [Figure { key: "msgs_s", lower_is_better: false, goal: Goal::TimesLibzmq(least) }, MISSING]
}

const SURVIVES: Figure = Figure { key: "survived", lower_is_better: false, goal: Goal::Always };
const MISSING: Figure = Figure { key: "missing", lower_is_better: true, goal: Goal::Told };
const BUSY: &[Figure] = &[less("publisher_percent", 3.0)];

const fn row(name: &'static str, work: &'static str, figures: &'static [Figure]) -> Row {
    Row { name, work, figures }
}

const ROWS: [Row; 18] = [
    row(
        "survival, 10 % loss, 100 Mbit/s, window of 1 s",
        "size=1000 count=40000 rate=100000 recovery=1000 loss=100",
        &[SURVIVES, Figure { key: "lost", lower_is_better: true, goal: Goal::Told }],
    ),
    row(
        "survival, 1 Gbit/s, default receive buffer",
        "size=1000 count=100000 rate=1000000 recovery=1000 buffer=0",
        &[SURVIVES],
    ),
    row(
        "repair, 1 % loss, 2000 a second",
        "size=100 count=16000 every=500 loss=10 offload=0 capture=1",
        &[less("repair_p50_ms", 5.0), less("repair_p99_ms", 15.0)],
    ),
    row("latency, 5 % loss, 2000 a second", "size=100 count=12000 every=500 loss=50 offload=0", &[less("p50_ms", 2.0)]),
    row("goodput, 0 % loss", "size=1000 count=40000 rate=100000 recovery=1000", &[more("MB_s", 11.3)]),
    row("goodput, 1 % loss", "size=1000 count=40000 rate=100000 recovery=1000 loss=10", &[more("MB_s", 11.2)]),
    row("goodput, 5 % loss", "size=1000 count=40000 rate=100000 recovery=1000 loss=50", &[more("MB_s", 10.7)]),
    row("goodput, 10 % loss", "size=1000 count=40000 rate=100000 recovery=1000 loss=100", &[more("MB_s", 10.0)]),
    row("rate, epgm, 1 KB", "size=1000 count=600000 rate=8000000 their_rate=2000000 recovery=1000", &times(2.0)),
    row("rate, epgm, 100 B", "size=100 count=4000000 rate=8000000 their_rate=2000000 recovery=1000", &times(2.0)),
    row(
        "rate, epgm, 100 B, nothing missing",
        "size=100 count=4000000 rate=3000000 their_rate=2000000 recovery=1000",
        &[times(2.0)[0], less("missing", 0.0)],
    ),
    row(
        "rate, epgm, 1 KB, without segmentation",
        "size=1000 count=600000 rate=8000000 their_rate=2000000 recovery=1000 offload=0",
        &times(1.1),
    ),
    row(
        "rate, epgm, 100 B, without segmentation",
        "size=100 count=4000000 rate=8000000 their_rate=2000000 recovery=1000 offload=0",
        &times(1.1),
    ),
    row(
        "rate, pgm, 1 KB",
        "transport=pgm size=1000 count=600000 rate=8000000 their_rate=2000000 recovery=1000",
        &times(1.0),
    ),
    row(
        "NAKs, 5 % common loss, two receivers",
        "size=100 count=12000 every=500 loss=50 subscribers=2 offload=0 capture=1",
        &[less("naks_per_loss", 0.6)],
    ),
    row(
        "memory, 1 GB at 1 Gbit/s, window of 10 s",
        "size=1000 count=1000000 rate=1000000 recovery=10000",
        &[less("publisher_MB", 80.0)],
    ),
    row("processor, 20 Mbit/s, 1 KB", "size=1000 count=10000 rate=20000", BUSY),
    row("processor, 20 Mbit/s, 100 B", "size=100 count=60000 rate=20000", BUSY),
];

/// Runs the rows, prints the table and writes the JSON.
pub(super) fn run(options: &Options) -> Result<()> {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| options.wants(row.name)).collect();
    if rows.is_empty() {
        bail!("no row's name contains any of {}", options.rows.join(", "));
    }
    debian::install(&["gcc", "libc6-dev", "libzmq3-dev", "iproute2", "nftables", "tcpdump", "util-linux"])?;
    Process::cargo().words("build --quiet --release --package omnimq-tests --bin pgm --bin multicast").run()?;
    println!("| row | figure | ours | libzmq | ours vs libzmq | goal |\n|---|---|---|---|---|---|");
    let (mut missed, mut objects) = (0, Vec::new());
    let machine = Machine::this()?;
    for row in rows {
        let rounds = measure(row, options.rounds(3))?;
        for figure in row.figures {
            let verdict = Verdict::of(figure, &rounds);
            println!("| {} | {} | {} |", row.name, figure.key, verdict.cells().join(" | "));
            missed += usize::from(verdict.met == Some(false));
            objects.push(json!({
                "row": row.name, "work": row.work, "figure": figure.key, "ours": verdict.ours, "libzmq": verdict.libzmq,
                "vs_libzmq": verdict.ratio, "goal": verdict.goal, "met": verdict.met, "rounds": options.rounds(3),
                "machine": machine.json(),
            }));
        }
    }
    println!("{missed} goals were not met");
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{:#}\n", serde_json::Value::from(objects)))?;
    }
    if options.gate && missed > 0 {
        bail!("{missed} goals were not met");
    }
    Ok(())
}

/// All rounds of one row.
fn measure(row: &Row, rounds: usize) -> Result<Rounds> {
    let said = Process::new(released("multicast")).words(row.work).arg(format!("rounds={rounds}")).capture()?;
    read(&said, rounds)
}

fn read(said: &str, rounds: usize) -> Result<Rounds> {
    let of = |side: &str| said.lines().filter_map(|line| line.strip_prefix(side)).map(Sample::parse).collect::<Vec<_>>();
    let (ours, libzmq) = (of("side=ours "), of("side=libzmq "));
    if ours.len() != rounds || libzmq.len() != rounds {
        bail!("{} and {} of {rounds} runs:\n{said}", ours.len(), libzmq.len());
    }
    let mut all = Rounds::default();
    for (ours, libzmq) in ours.into_iter().zip(libzmq) {
        all.push([Some(ours), Some(libzmq), None]);
    }
    Ok(all)
}

/// What came of a figure.
struct Verdict {
    ours: Option<f64>,
    libzmq: Option<f64>,
    /// Over 1 is better.
    ratio: Option<f64>,
    goal: String,
    met: Option<bool>,
}

impl Verdict {
    fn of(figure: &Figure, rounds: &Rounds) -> Self {
        let Figure { key, lower_is_better, ref goal } = *figure;
        if let Goal::Always = goal {
            let (ours, libzmq) = (rounds.share(Program::Ours, key), rounds.share(Program::Libzmq, key));
            return Self { ours, libzmq, ratio: None, goal: "in every run".into(), met: Some(ours == Some(1.0)) };
        }
        let (ours, libzmq) = (rounds.median(Program::Ours, key), rounds.median(Program::Libzmq, key));
        let ratio = rounds.ratio(Program::Libzmq, key, lower_is_better);
        let (goal, met) = match *goal {
            Goal::AtMost(most) => (format!("at most {most}"), Some(ours.is_some_and(|ours| ours <= most))),
            Goal::AtLeast(least) => (format!("at least {least}"), Some(ours.is_some_and(|ours| ours >= least))),
            // A libzmq that fell silent is no measure.
            Goal::TimesLibzmq(least) => {
                (format!("at least {least} × libzmq"), ratio.map(|ratio| ratio >= least).or(ours.is_none().then_some(false)))
            }
            Goal::Always | Goal::Told => (String::new(), None),
        };
        Self { ours, libzmq, ratio, goal, met }
    }
    fn cells(&self) -> [String; 4] {
        let met = match self.met {
            Some(true) => format!("{}: met", self.goal),
            Some(false) => format!("{}: not met", self.goal),
            None => self.goal.clone(),
        };
        [short(self.ours), short(self.libzmq), short(self.ratio), met]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(figure: &Figure, said: &str) -> Verdict {
        Verdict::of(figure, &read(said, 2).unwrap())
    }

    #[test]
    fn rows_have_names_of_their_own() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn figures_are_judged() {
        let said = "side=ours survived=1 MB_s=11 msgs_s=30\nside=libzmq survived=0 msgs_s=10\n\
                    side=libzmq survived=0 msgs_s=20\nside=ours survived=1 MB_s=12 msgs_s=30\n";
        assert_eq!(verdict(&SURVIVES, said).met, Some(true));
        assert_eq!(verdict(&SURVIVES, &said.replacen("survived=1", "survived=0", 1)).met, Some(false));
        assert_eq!(
            (verdict(&more("MB_s", 11.5), said).met, verdict(&more("MB_s", 11.6), said).met),
            (Some(true), Some(false))
        );
        assert_eq!((verdict(&less("MB_s", 11.5), said).met, verdict(&less("x", 1.0), said).met), (Some(true), Some(false)));
        assert_eq!((verdict(&times(2.25)[0], said).met, verdict(&times(2.26)[0], said).met), (Some(true), Some(false)));
        assert_eq!(verdict(&times(2.0)[0], &said.replace("libzmq survived=0 msgs_s", "libzmq survived=0 x")).met, None);
        assert!(read(said, 3).is_err());
    }
}
