//! Child processes: this program again, in another role. They are told things on standard input, a line each, and
//! say things on standard output. The end of their input ends them, so none outlives the one who started it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::plan::PATIENCE;

/// How often a condition that nobody announces is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// A child whose input has ended lives this much longer at most.
const GRACE: Duration = Duration::from_secs(4);

/// Waits until `reached`, at most [`PATIENCE`]; says whether it was.
pub(crate) fn wait_until(mut reached: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if reached() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}

/// A child process.
pub(crate) struct Member {
    pub(crate) name: String,
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Member {
    /// Starts this program in the role that the first of `words` names.
    pub(crate) fn spawn(name: impl Into<String>, words: &[&str]) -> Result<Self> {
        let name = name.into();
        let program = std::env::current_exe().context("where this program is")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a child without standard output")?;
        let (say, said) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(|line| line.ok());
            // The last line may find nobody who listens.
            let _ = lines.map(|line| say.send(line)).find(|sent| sent.is_err());
        });
        Ok(Self { name, child, input, said })
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        writeln!(input, "{line}").with_context(|| format!("{} does not listen", self.name))
    }

    /// Its next line has to begin with `word`; returns the rest.
    pub(crate) fn expect(&self, word: &str) -> Result<String> {
        let name = &self.name;
        match self.said.recv_timeout(PATIENCE) {
            Ok(line) => match line.split_once(' ') {
                Some((first, rest)) if first == word => Ok(rest.to_owned()),
                _ => bail!("{name} said '{line}' instead of {word}"),
            },
            Err(RecvTimeoutError::Timeout) => bail!("{name} did not say {word} within {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("{name} ended without saying {word}"),
        }
    }

    /// As [`expect`](Self::expect), for numbers.
    pub(crate) fn expect_numbers<const N: usize>(&self, word: &str) -> Result<[u64; N]> {
        let line = self.expect(word)?;
        let numbers: Vec<u64> = line.split(' ').map_while(|word| word.parse().ok()).collect();
        numbers.try_into().ok().with_context(|| format!("{} said '{line}' after {word}", self.name))
    }

    /// SIGKILL; returns when it is dead.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill().and_then(|()| self.child.wait()).with_context(|| format!("cannot kill {}", self.name))?;
        Ok(())
    }

    /// Ends its input, which asks it to end.
    pub(crate) fn release(&mut self) {
        self.input = None;
    }

    /// Waits for the end that [`release`](Self::release) asked for; a failure is an error.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.release();
        let mut ended: Option<ExitStatus> = None;
        let reached = wait_until(|| {
            ended = self.child.try_wait().ok().flatten();
            ended.is_some()
        });
        match ended {
            Some(status) if reached && status.success() => Ok(()),
            Some(status) => bail!("{}: {status}", self.name),
            None => bail!("{} did not end within {PATIENCE:?}", self.name),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended, and been waited for, long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side: hands the lines of standard input to `on_line` on a thread of its own, then calls `on_end`. If the
/// program still runs [`GRACE`] later, it is ended.
pub(crate) fn obey(mut on_line: impl FnMut(&str) + Send + 'static, on_end: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(|line| line.ok()) {
            on_line(&line);
        }
        on_end();
        std::thread::sleep(GRACE);
        eprintln!("{}: hangs at its end", std::env::args().skip(1).collect::<Vec<_>>().join(" "));
        std::process::exit(3);
    });
}
