//! A role in a process of its own, as its conductor sees it: lines go both ways.

use crate::Failure;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

pub(crate) struct Role {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Role {
    pub(crate) fn start(words: &[String], role: usize, endpoint: &str) -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .args(["--role", &role.to_string(), "--endpoint", endpoint])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().expect("a piped output")).lines();
        Ok(Self { child, lines })
    }
    /// The rest of the next line, which begins with `word`.
    pub(crate) fn line(&mut self, word: &str) -> Result<String, String> {
        let line = self.lines.next().and_then(Result::ok).ok_or("a role ended early")?;
        line.strip_prefix(word).map(|rest| rest.trim().to_string()).ok_or(line)
    }
    pub(crate) fn tell(&mut self, word: &str) -> std::io::Result<()> {
        let input = self.child.stdin.as_mut().expect("a piped input");
        writeln!(input, "{word}")
    }
    pub(crate) fn results(mut self) -> Result<HashMap<String, f64>, Failure> {
        let line = self.line("results")?;
        let results = line.split_whitespace().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key.to_string(), value.parse().ok()?))
        });
        let results = results.collect();
        if self.child.wait()?.success() { Ok(results) } else { Err("a role failed".into()) }
    }
}
