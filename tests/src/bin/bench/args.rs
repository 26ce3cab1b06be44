//! The command line.

use omnimq::SocketOptions;

/// How often a crowd is sent a message.
pub(crate) const FAN: usize = 21;

#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) mode: String,
    pub(crate) pattern: String,
    pub(crate) transport: String,
    pub(crate) size: usize,
    pub(crate) count: u64,
    pub(crate) hwm: u32,
    pub(crate) clients: usize,
    pub(crate) window: usize,
    pub(crate) role: Option<usize>,
    pub(crate) endpoint: String,
}

impl Args {
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut args = Self {
            mode: words.first().cloned().ok_or("which benchmark?")?,
            pattern: String::new(),
            transport: "tcp".into(),
            size: 64,
            count: 0,
            hwm: 1000,
            clients: 1,
            window: 1,
            role: None,
            endpoint: String::new(),
        };
        let mut rest = words[1..].iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value}: not a number"));
            match flag.as_str() {
                "-t" if ["tcp", "ipc", "inproc"].contains(&value.as_str()) => args.transport.clone_from(value),
                "-p" => args.pattern.clone_from(value),
                "-s" => args.size = number()? as usize,
                "-n" => args.count = number()?,
                "-H" => args.hwm = number()? as u32,
                "-c" | "-k" => args.clients = number()? as usize,
                "-w" => args.window = number()? as usize,
                "--role" => args.role = Some(number()? as usize),
                "--endpoint" => args.endpoint.clone_from(value),
                _ => return Err(format!("{flag} {value}: not understood")),
            }
        }
        if args.is_crowd() {
            args.count = (FAN * args.clients) as u64;
        } else if args.count == 0 {
            args.count = if args.mode == "thr" { 1_000_000 } else { 10_000 };
        }
        Ok(args)
    }
    /// Whether many connections are idle most of the time.
    pub(crate) fn is_crowd(&self) -> bool {
        matches!(self.mode.as_str(), "scale" | "crowd")
    }
    pub(crate) fn options(&self) -> SocketOptions {
        let mut options = SocketOptions::default();
        (options.send_hwm, options.recv_hwm) = (self.hwm, self.hwm);
        options
    }
    /// Where to bind.
    pub(crate) fn site(&self) -> &'static str {
        match self.transport.as_str() {
            "ipc" => "ipc://*",
            "inproc" => "inproc://bench",
            _ => "tcp://127.0.0.1:*",
        }
    }
}
