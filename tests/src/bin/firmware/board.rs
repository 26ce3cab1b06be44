//! A board in QEMU: its log decoded while it runs, its end judged.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Turns defmt's frames into lines; `cargo xtask firmware` installs it, and names it in this variable.
const DECODER: &str = "DEFMT_PRINT";

/// A board that does not end is ended: a hang is a failure.
const LIFE: &str = "150";

/// A running board.
pub(crate) struct Board {
    child: Child,
    log: Receiver<String>,
    said: JoinHandle<String>,
    /// The host's port that leads to the board's 5555.
    pub(crate) port: u16,
}

impl Board {
    /// Boots `image` on `machine` with these arguments. The board's clock goes with the host's, or with the `pace` that QEMU
    /// is told: then it counts the board's instructions, and not what else the host does.
    pub(crate) fn boot(machine: &str, image: &Path, arguments: &[&str], pace: &[&str]) -> Result<Self, Box<dyn Error>> {
        let port = free_port()?;
        let arguments = ["fw"].iter().chain(arguments).map(|argument| format!(",arg={argument}")).collect::<String>();
        let mut child = Command::new("timeout")
            .args([LIFE, "qemu-system-arm", "-M", machine, "-nographic", "-monitor", "none", "-serial", "none"])
            .arg("-kernel")
            .arg(image)
            .args(["-semihosting-config", &format!("enable=on,target=native{arguments}")])
            .args(["-nic", &format!("user,model=lan9118,hostfwd=tcp:127.0.0.1:{port}-:5555")])
            .args(pace)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut errors = child.stderr.take().ok_or("no standard error")?;
        let said = thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let frames = child.stdout.take().ok_or("no standard output")?;
        let decoder = std::env::var_os(DECODER).ok_or("DEFMT_PRINT does not name the program that decodes the log")?;
        let mut decoder =
            Command::new(decoder).arg("-e").arg(image).stdin(Stdio::from(frames)).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(decoder.stdout.take().ok_or("no standard output")?).lines();
        let (told, log) = mpsc::channel();
        thread::spawn(move || {
            // Where in the source a line comes from stands on a line of its own.
            let lines = lines.map_while(Result::ok).filter(|line| !line.starts_with('└'));
            lines.into_iter().try_for_each(|line| told.send(line)).ok();
            decoder.wait()
        });
        Ok(Self { child, log, said, port })
    }
    /// Waits for a line of the log that has `text` in it, and shows the lines before it.
    ///
    /// # Errors
    /// It does not come in time.
    pub(crate) fn await_line(&self, text: &str, wait: Duration) -> Result<String, Box<dyn Error>> {
        let until = Instant::now() + wait;
        loop {
            let line = self.log.recv_timeout(until.saturating_duration_since(Instant::now()));
            let line = line.map_err(|_| format!("the board does not say {text:?} within {wait:?}"))?;
            println!("  {line}");
            if line.contains(text) {
                return Ok(line);
            }
        }
    }
    /// The next line of the log, if there is one by then.
    pub(crate) fn line(&self, wait: Duration) -> Option<String> {
        let line = self.log.recv_timeout(wait).ok()?;
        println!("  {line}");
        Some(line)
    }
    /// Waits for the board to end well; the lines that it said meanwhile.
    ///
    /// # Errors
    /// It ends otherwise, or not at all.
    pub(crate) fn end(mut self) -> Result<Vec<String>, Box<dyn Error>> {
        let status = self.child.wait()?;
        let lines: Vec<String> = self.log.iter().collect();
        lines.iter().for_each(|line| println!("  {line}"));
        let said = self.said.join().map_err(|_| "its standard error cannot be read")?;
        said.lines().for_each(|line| println!("  {line}"));
        if !status.success() {
            return Err(format!("the board ended with {status}").into());
        }
        Ok(lines)
    }
}

/// A port that nobody listens on.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
