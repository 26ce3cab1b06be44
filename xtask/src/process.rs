//! Child processes: shown before they run, their failure an error that names them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace's top folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Where cargo puts a program that it builds with `--release`.
pub(crate) fn released(program: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("release").join(program)
}

/// Whether this run must skip nothing.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

/// One child process, started in the workspace's top folder.
pub(crate) struct Process {
    command: Command,
}

impl Process {
    /// A program by name or path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Starts in a folder below the workspace's top folder: cargo looks for its configuration there.
    pub(crate) fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(root().join(folder));
        self
    }

    /// Arguments separated by blanks.
    pub(crate) fn words(mut self, words: &str) -> Self {
        self.command.args(words.split_whitespace());
        self
    }

    /// One argument, taken as it is.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// One environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes one environment variable away.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs with this program's terminal; a failure is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        let status = self.command.status().with_context(|| format!("cannot start {line}"))?;
        if !status.success() {
            bail!("{line}: {status}");
        }
        Ok(())
    }

    /// Runs and keeps what it printed on standard output.
    pub(crate) fn capture(mut self) -> Result<String> {
        let line = self.line();
        let output = self.command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {line}"))?;
        if !output.status.success() {
            bail!("{line}: {}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("{line} printed what is not UTF-8"))
    }

    /// Runs and hands over its standard output line by line; a failure is an error.
    pub(crate) fn each_line(mut self, mut take: impl FnMut(&str)) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        let mut child = self.command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {line}"))?;
        let output = child.stdout.take().context("a child without standard output")?;
        for text in BufReader::new(output).split(b'\n') {
            take(&String::from_utf8_lossy(&text?));
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{line}: {status}");
        }
        Ok(())
    }

    /// Runs and hands over what it prints on both outputs, in the order in which it says it; a failure is an error.
    pub(crate) fn each_line_of_both(self, mut take: impl FnMut(&str)) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        let (reader, writer) = std::io::pipe()?;
        let mut command = self.command;
        let spawned = command.stdout(writer.try_clone()?).stderr(writer).spawn();
        let mut child = spawned.with_context(|| format!("cannot start {line}"))?;
        drop(command); // which holds the pipe open
        for text in BufReader::new(reader).split(b'\n') {
            take(&String::from_utf8_lossy(&text?));
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("{line}: {status}");
        }
        Ok(())
    }

    /// Another process of the same program, arguments and environment.
    pub(crate) fn again(&self) -> Self {
        let mut again = Self::new(self.command.get_program());
        again.command.args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => again.command.env(name, value),
                None => again.command.env_remove(name),
            };
        }
        if let Some(folder) = self.command.get_current_dir() {
            again.command.current_dir(folder);
        }
        again
    }

    /// Runs and keeps what it printed on both outputs: whether it succeeded, and that.
    pub(crate) fn transcript(mut self) -> Result<(bool, String)> {
        let line = self.line();
        println!("$ {line}");
        let output = self.command.output().with_context(|| format!("cannot start {line}"))?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// Runs in silence: what it printed on standard output, if it could be started and succeeded.
    pub(crate) fn quiet(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    }

    fn line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}
