//! The scoreboard: SUB to every server's PUB, shown as it changes: in place on a terminal, as lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use omnimq::{Context, Error, Message, Sub};

use crate::plan;

/// Between two pictures on a terminal.
const FRAME: Duration = Duration::from_millis(100);

/// Between two lines elsewhere.
const LINE: Duration = Duration::from_secs(1);

/// A scoreboard, on a thread of its own.
pub(crate) struct Scoreboard {
    /// Where servers publish.
    pub(crate) endpoint: String,
    state: Arc<State>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct State {
    table: Mutex<Table>,
    closing: AtomicBool,
}

/// What servers last said of themselves.
#[derive(Default)]
struct Table {
    scores: BTreeMap<String, u64>,
    stage: String,
}

impl State {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scoreboard {
    pub(crate) fn open(context: &Context) -> Result<Self> {
        let mut sub = Sub::with(context, plan::options())?;
        sub.subscribe("score")?;
        let endpoint = sub.bind("tcp://127.0.0.1:*")?;
        let state = Arc::new(State::default());
        let shared = state.clone();
        let thread = std::thread::spawn(move || watch(&mut sub, &shared));
        Ok(Self { endpoint, state, thread })
    }

    /// What is being played.
    pub(crate) fn stage(&self, stage: impl Into<String>) {
        self.state.table().stage = stage.into();
    }

    /// What the server `name` last said.
    pub(crate) fn score(&self, name: &str) -> Option<u64> {
        self.state.table().scores.get(name).copied()
    }

    pub(crate) fn close(self) -> Result<()> {
        self.state.closing.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("the scoreboard panicked"))?
    }
}

fn watch(sub: &mut Sub, state: &State) -> Result<()> {
    let mut screen = Screen::new();
    while !state.closing.load(Ordering::SeqCst) {
        match sub.recv_timeout(FRAME) {
            Ok(message) => {
                let Some((name, score)) = parse(&message) else { bail!("no score: {message:?}") };
                state.table().scores.insert(name, score);
            }
            Err(Error::WouldBlock) => {}
            Err(error) => return Err(error.into()),
        }
        screen.show(&state.table());
    }
    screen.bar.finish_and_clear();
    Ok(())
}

fn parse(message: &Message) -> Option<(String, u64)> {
    let [_, name, score] = message.frames() else { return None };
    Some((String::from_utf8(name.to_vec()).ok()?, u64::from_le_bytes((**score).try_into().ok()?)))
}

/// Where the table is shown.
struct Screen {
    bar: ProgressBar,
    terminal: bool,
    start: Instant,
    shown: Instant,
    before: BTreeMap<String, u64>,
}

impl Screen {
    fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let start = Instant::now();
        Self { bar, terminal, start, shown: start, before: BTreeMap::new() }
    }

    fn show(&mut self, table: &Table) {
        let span = self.shown.elapsed();
        if span < if self.terminal { FRAME } else { LINE } {
            return;
        }
        let text = describe(&self.before, table, span);
        if self.terminal {
            self.bar.set_message(text);
            self.bar.tick();
        } else {
            println!("{:5.1} s  {text}", self.start.elapsed().as_secs_f64());
        }
        self.shown = Instant::now();
        self.before.clone_from(&table.scores);
    }
}

/// Rate, servers at work and their shares, since `before`.
fn describe(before: &BTreeMap<String, u64>, table: &Table, span: Duration) -> String {
    let gains = table.scores.iter().map(|(name, score)| score.saturating_sub(before.get(name).copied().unwrap_or(0)));
    let gains: Vec<u64> = gains.filter(|gain| *gain > 0).collect();
    let sum: u64 = gains.iter().sum();
    let (least, most) = (gains.iter().min().unwrap_or(&0), gains.iter().max().unwrap_or(&0));
    let share = |gain: &u64| 100.0 * *gain as f64 / sum.max(1) as f64;
    let rate = sum as f64 / span.as_secs_f64().max(1e-9);
    format!(
        "{:<30} {:>2} servers  {rate:>7.0} messages/s  shares {:.2} % to {:.2} %",
        table.stage,
        gains.len(),
        share(least),
        share(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_are_since_the_last_picture() {
        let scores = |list: &[(&str, u64)]| list.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect();
        let before: BTreeMap<String, u64> = scores(&[("a", 100), ("b", 100), ("dead", 50)]);
        let table = Table { scores: scores(&[("a", 130), ("b", 140), ("dead", 50), ("new", 30)]), stage: "play".into() };
        let text = describe(&before, &table, Duration::from_millis(500));
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words.join(" "), "play 3 servers 200 messages/s shares 30.00 % to 40.00 %");
    }

    #[test]
    fn scores_are_parsed() {
        let score = 9u64.to_le_bytes();
        assert_eq!(parse(&Message::from([&b"score"[..], b"server-01", &score])), Some(("server-01".into(), 9)));
        assert_eq!(parse(&Message::from("score")), None);
    }
}
