//! Two hosts for multicast: network namespaces that a test makes, joined by a pair of virtual interfaces, and the
//! programs that run in them.
//!
//! Made as root, or by anybody where user namespaces are allowed. They end with the processes that hold them.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A network namespace, held by a process that waits for its input to end.
struct Namespace {
    holder: Child,
    user: bool,
}

impl Namespace {
    /// Runs `cat` in a new namespace that `enter` leads to, and waits until it is there.
    fn hold(mut enter: Command, user: bool) -> Self {
        enter.args(["sh", "-c", "echo; exec cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = enter.spawn().unwrap_or_else(|error| panic!("{enter:?}: {error}"));
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        assert_eq!(line, "\n", "{enter:?} made no namespace");
        Self { holder, user }
    }
    /// A command that runs inside.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--net"]);
        if self.user {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }
    fn run(&self, words: &str) {
        let mut words = words.split_whitespace();
        run(self.command(words.next().expect("a program")).args(words));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Whether this process is root.
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether namespaces can be made here. If not, the test that asks is skipped and says so; with `CI=true` that is a failure.
pub fn available() -> bool {
    static MISSING: OnceLock<Option<&str>> = OnceLock::new();
    let missing = *MISSING.get_or_init(|| {
        let mut attempt = unshare();
        let works = attempt.arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        let tools = ["ip", "nft", "nsenter", "tcpdump"].iter().all(|tool| find(tool).is_some());
        match (works, tools) {
            (true, true) => None,
            (true, false) => Some("ip, nft, nsenter or tcpdump is missing"),
            (false, _) => Some("this system refuses namespaces"),
        }
    });
    let Some(why) = missing else { return true };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "multicast tests cannot run: {why}");
    let test = std::thread::current().name().unwrap_or("multicast").to_string();
    // Not by a macro: their output is kept from the log when a test passes.
    let _ = std::io::stdout().write_all(format!("SKIPPED {test}: {why}\n").as_bytes());
    false
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(tool))
        .find(|it| it.exists())
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--"]);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// One of two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// 10.77.0.1, fd77::1.
    A,
    /// 10.77.0.2, fd77::2.
    B,
}

/// Two hosts on one network.
pub struct Net {
    a: Namespace,
    b: Namespace,
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Net {
    /// Two hosts whose interfaces are called `wire`.
    pub fn new() -> Self {
        let user = !is_root();
        let a = Namespace::hold(unshare(), user);
        let mut inner = a.command("unshare");
        inner.args(["--net", "--"]);
        let b = Namespace::hold(inner, user);
        a.run(&format!("ip link add wire type veth peer name wire netns {}", b.holder.id()));
        for (host, n) in [(&a, 1), (&b, 2)] {
            // Addresses need not be looked for on the network first: nobody else is there, and until then nothing is heard.
            let quick = "for it in all default wire; do echo 0 > /proc/sys/net/ipv6/conf/$it/accept_dad; done";
            run(host.command("sh").args(["-c", quick]));
            host.run(&format!("ip addr add 10.77.0.{n}/24 dev wire"));
            host.run(&format!("ip addr add fd77::{n}/64 dev wire nodad"));
            host.run("ip link set lo up");
            host.run("ip link set wire up");
        }
        let net = Self { a, b };
        net.await_ready();
        net
    }
    /// Waits until both interfaces have their addresses and routes.
    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        for host in [Host::A, Host::B] {
            let say = |words: &[&str]| {
                let output = self.command(host, "ip").args(words).output().expect("ip runs");
                String::from_utf8_lossy(&output.stdout).into_owned()
            };
            while !say(&["-6", "route", "show", "table", "local"]).contains("ff00::/8 dev wire")
                || say(&["-6", "addr", "show", "dev", "wire"]).matches("inet6").count() < 2
                || say(&["-6", "addr", "show", "dev", "wire"]).contains("tentative")
            {
                assert!(Instant::now() < deadline, "the interfaces do not come up");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    const fn namespace(&self, host: Host) -> &Namespace {
        match host {
            Host::A => &self.a,
            Host::B => &self.b,
        }
    }
    /// A command that runs on a host.
    pub fn command(&self, host: Host, program: impl AsRef<OsStr>) -> Command {
        self.namespace(host).command(program)
    }
    /// A host loses so many thousandths of what it receives.
    pub fn lose(&self, host: Host, thousandths: u32) {
        let rule = format!("meta l4proto {{ udp, 113 }} meta iifname wire numgen random mod 1000 < {thousandths} drop");
        let script = format!("table inet loss {{\nchain in {{\ntype filter hook prerouting priority -300\n{rule}\n}}\n}}\n");
        let mut nft = self.command(host, "nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().expect("nft runs");
        nft.stdin.take().expect("piped").write_all(script.as_bytes()).expect("nft reads");
        assert!(nft.wait().expect("nft ends").success(), "nft refuses: {script}");
    }
    /// A host sends so many kilobits per second at most; what is more waits.
    pub fn throttle(&self, host: Host, rate: u32) {
        let rule = format!("tc qdisc add dev wire root tbf rate {rate}kbit burst 10kb latency 100s");
        self.namespace(host).run(&rule);
    }
    /// Waits until a host is a member of the group that an endpoint names, of `members` sockets.
    pub fn await_member(&self, host: Host, endpoint: &str, members: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let six = endpoint.contains("ff15");
        loop {
            let path = if six { "/proc/net/igmp6" } else { "/proc/net/igmp" };
            let output = self.command(host, "cat").arg(path).output().expect("cat runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            // Group 239.192.1.1 as igmp prints it: group, users, timer.
            let users = text.lines().filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                if six {
                    words.iter().any(|word| word.starts_with("ff15")).then(|| words.get(3)?.parse::<usize>().ok())?
                } else {
                    (words.first() == Some(&"0101C0EF")).then(|| words.get(1)?.parse::<usize>().ok())?
                }
            });
            if users.max().unwrap_or(0) >= members {
                return;
            }
            assert!(Instant::now() < deadline, "nobody joined {endpoint}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// tcpdump at work on a host's wire.
pub struct Tcpdump {
    child: Child,
    /// Held, lest it die of what it says at its end.
    says: BufReader<ChildStderr>,
}

impl Tcpdump {
    /// Starts it, and waits until it listens. Names are not looked up, and no other user is changed to: unprivileged, in a
    /// user namespace, there is none.
    pub fn start(net: &Net, host: Host, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut command = net.command(host, "tcpdump");
        command.args(["-i", "wire", "-n", "-Z", "root"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tcpdump runs");
        let mut says = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("listening on") {
            line.clear();
            assert!(says.read_line(&mut line).expect("a line") > 0, "tcpdump ended");
        }
        Self { child, says }
    }
    /// Ends it; returns what it has printed.
    pub fn end(self) -> String {
        let Self { child, says } = self;
        let id = nix::unistd::Pid::from_raw(child.id() as i32);
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT).expect("it runs");
        let output = child.wait_with_output().expect("it ends");
        drop(says);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The endpoint of a host.
pub fn endpoint(transport: &str, six: bool, host: Host) -> String {
    let n = if host == Host::A { 1 } else { 2 };
    if six {
        format!("{transport}://fd77::{n};ff15::7077:1:5555")
    } else {
        format!("{transport}://10.77.0.{n};239.192.1.1:5555")
    }
}

/// Whose program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This project's.
    Ours,
    /// libzmq's, as Debian builds it.
    Theirs,
}

impl Whose {
    fn program(self, ours: &Path) -> PathBuf {
        match self {
            Self::Ours => ours.to_path_buf(),
            Self::Theirs => theirs(),
        }
    }
}

/// `peers/pgm.c`, compiled once. Debian's libzmq has PGM; the one that pyzmq carries has not.
fn theirs() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/pgm.c");
        let program = std::env::current_exe().expect("a test has a file").with_file_name("libzmq-pgm-peer");
        run(Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(source).arg("-lzmq"));
        program
    };
    PROGRAM.get_or_init(make).clone()
}

/// A program that runs on a host.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What a subscriber says at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// Messages received.
    pub received: u64,
    /// The number of the first one.
    pub first: u64,
    /// Numbers that did not come.
    pub missing: u64,
    /// Messages that came twice or out of order.
    pub disorder: u64,
    /// Messages that were not what was sent.
    pub corrupt: u64,
    /// Seconds from the first to the last message.
    pub seconds: f64,
    /// Microseconds that half of the messages, and 99 of 100, took at most.
    pub latency: (u64, u64),
    /// Packets lost for good, as the socket told; libzmq tells nothing.
    pub lost: u64,
}

/// What a program has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Seconds of a processor.
    pub processor: f64,
    /// The largest resident set, in KiB.
    pub memory: u64,
}

/// The words `name=value` of a line.
fn words(line: &str) -> impl Iterator<Item = (&str, f64)> {
    let value = |word: &str| word.parse().unwrap_or_else(|_| panic!("{word} is no number"));
    line.split_whitespace().filter_map(|word| word.split_once('=')).map(move |(name, word)| (name, value(word)))
}

impl Program {
    /// Starts a publisher or subscriber and waits until it is ready.
    pub fn start(net: &Net, host: Host, whose: Whose, ours: &Path, words: &[&str]) -> Self {
        let mut command = net.command(host, whose.program(ours));
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().expect("piped")));
        let mut program = Self { child, input, output };
        let line = program.line();
        assert_eq!(line.trim(), "ready", "{command:?}");
        program
    }
    /// The next line it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line
    }
    /// Lets a publisher begin.
    pub fn go(&mut self) {
        self.input.as_mut().expect("open").write_all(b"go\n").expect("it reads");
    }
    /// Ends a publisher; what it has cost.
    pub fn stop(mut self) -> Cost {
        drop(self.input.take());
        let mut rest = String::new();
        let _ = self.output.read_to_string(&mut rest);
        let _ = self.child.wait();
        let mut cost = Cost::default();
        for (name, value) in words(&rest) {
            match name {
                "processor" => cost.processor = value,
                "memory" => cost.memory = value as u64,
                _ => {}
            }
        }
        cost
    }
    /// What a subscriber has heard, at its end.
    pub fn heard(mut self) -> Heard {
        let line = self.line();
        let mut heard = Heard::default();
        for (name, value) in words(&line) {
            let number = value as u64;
            match name {
                "received" => heard.received = number,
                "first" => heard.first = number,
                "missing" => heard.missing = number,
                "disorder" => heard.disorder = number,
                "corrupt" => heard.corrupt = number,
                "seconds" => heard.seconds = value,
                "p50" => heard.latency.0 = number,
                "p99" => heard.latency.1 = number,
                "lost" => heard.lost = number,
                _ => {}
            }
        }
        assert!(self.child.wait().expect("it ends").success(), "{line}");
        heard
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
