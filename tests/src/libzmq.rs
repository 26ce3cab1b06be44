//! libzmq in a process of its own: typed calls to `peers/peer.py`.
//!
//! Every call has a time limit; the process is killed when its [`Peer`] is dropped, and what it wrote to its standard
//! error is shown when a call fails. The interpreter is the one that `OMNIMQ_PYTHON` names, or that of a virtual
//! environment under the target folder, made when missing.

use crate::checksum::{crc32, pattern};
use crate::venv;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a call may take besides the time it is told to wait.
const GRACE: Duration = Duration::from_secs(20);

/// A process with libzmq in it.
#[derive(Debug)]
pub struct Peer {
    process: Mutex<Process>,
    errors: Arc<Mutex<String>>,
    next_name: AtomicU32,
}

#[derive(Debug)]
struct Process {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

/// A socket of a [`Peer`].
#[derive(Debug)]
pub struct Socket<'a> {
    peer: &'a Peer,
    name: String,
}

/// What libzmq answered instead of doing it: its text and errno.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// zmq_strerror.
    pub text: String,
    /// zmq_errno.
    pub errno: i64,
}

/// A body, carried or described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These octets.
    Octets(Vec<u8>),
    /// The octets that size and seed stand for.
    Pattern(usize, u64),
}

/// A body that a peer received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Octets.
    pub size: usize,
    /// Their CRC-32.
    pub crc: u32,
}

impl Part {
    /// The octets.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Self::Octets(octets) => octets.clone(),
            Self::Pattern(size, seed) => pattern(*size, *seed),
        }
    }
    /// What a receiver tells of them.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.octets())
    }
    fn request(&self) -> Value {
        match self {
            Self::Octets(octets) => json!({ "hex": hex(octets) }),
            Self::Pattern(size, seed) => json!({ "size": size, "seed": seed }),
        }
    }
}

impl Digest {
    /// Of these octets.
    pub fn of(octets: &[u8]) -> Self {
        Self { size: octets.len(), crc: crc32(octets) }
    }
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for Part {
    fn from(octets: &T) -> Self {
        Self::Octets(octets.as_ref().to_vec())
    }
}

impl Peer {
    /// Starts the process.
    ///
    /// # Panics
    /// When there is no interpreter with pyzmq, or it does not start.
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/peer.py");
        let mut child = Command::new(venv::python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the interpreter starts");
        let requests = child.stdin.take().expect("piped");
        let (told, answers) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| told.send(line)));
        let errors = Arc::new(Mutex::new(String::new()));
        let (mut from, to) = (child.stderr.take().expect("piped"), errors.clone());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut piece) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..n]));
            }
        });
        Self { process: Mutex::new(Process { child, requests, answers }), errors, next_name: AtomicU32::new(0) }
    }
    /// The version of libzmq.
    pub fn libzmq_version(&self) -> String {
        let versions = self.call(Duration::ZERO, json!({ "op": "versions" })).expect("no refusal");
        versions["libzmq"].as_str().expect("a text").to_owned()
    }
    /// Makes a socket of this type ("PUSH") that does not linger.
    pub fn socket(&self, socket_type: &str) -> Socket<'_> {
        self.socket_with(socket_type, &[])
    }
    /// Makes a socket with integer options ("SNDHWM", 1).
    pub fn socket_with(&self, socket_type: &str, options: &[(&str, i64)]) -> Socket<'_> {
        let name = format!("{}-{}", socket_type, self.next_name.fetch_add(1, Ordering::Relaxed));
        let request = json!({ "op": "socket", "name": name, "type": socket_type, "options": options });
        self.call(Duration::ZERO, request).expect("a socket");
        Socket { peer: self, name }
    }
    /// Kills the process as SIGKILL does and waits for its end.
    pub fn kill(self) {
        drop(self);
    }
    /// Ends the context: returns when all that lingers has left.
    pub fn term(&self, wait: Duration) {
        self.call(wait, json!({ "op": "term" })).expect("no refusal");
    }
    /// Asks for what will never be answered.
    fn post(&self, request: &Value) {
        writeln!(self.process.lock().unwrap().requests, "{request}").expect("the process lives");
    }
    fn call(&self, wait: Duration, request: Value) -> Result<Value, Refused> {
        let mut process = self.process.lock().unwrap();
        let written = writeln!(process.requests, "{request}");
        let answer = written.ok().and_then(|()| process.answers.recv_timeout(wait + GRACE).ok());
        let Some(answer) = answer else {
            panic!("libzmq's process did not answer {request}; it said:\n{}", self.errors.lock().unwrap());
        };
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        match answer.get("errno") {
            Some(errno) => Err(Refused {
                text: answer["error"].as_str().unwrap_or_default().to_owned(),
                errno: errno.as_i64().unwrap_or_default(),
            }),
            None => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = process.child.kill();
        let _ = process.child.wait();
    }
}

impl Socket<'_> {
    fn call(&self, operation: &str, wait: Duration, mut arguments: Value) -> Result<Value, Refused> {
        arguments["op"] = operation.into();
        arguments["name"] = self.name.as_str().into();
        self.peer.call(wait, arguments)
    }
    fn quick(&self, operation: &str, arguments: Value) -> Value {
        let asked = arguments.clone();
        self.call(operation, Duration::ZERO, arguments)
            .unwrap_or_else(|refused| panic!("{operation} {asked} of {}: {refused:?}", self.name))
    }
    /// Binds; the endpoint with the port that was taken. Tries for two seconds while the address is in use.
    pub fn bind(&self, endpoint: &str) -> String {
        self.quick("bind", json!({ "endpoint": endpoint })).as_str().expect("a text").to_owned()
    }
    /// Takes a bind back.
    pub fn unbind(&self, endpoint: &str) {
        self.quick("unbind", json!({ "endpoint": endpoint }));
    }
    /// Connects.
    pub fn connect(&self, endpoint: &str) {
        self.quick("connect", json!({ "endpoint": endpoint }));
    }
    /// Takes a connect back.
    pub fn disconnect(&self, endpoint: &str) {
        self.quick("disconnect", json!({ "endpoint": endpoint }));
    }
    /// Sets an integer option.
    pub fn set(&self, option: &str, value: i64) {
        self.quick("set", json!({ "option": option, "value": value }));
    }
    /// Sets an option of octets.
    pub fn set_octets(&self, option: &str, value: &[u8]) {
        self.quick("set", json!({ "option": option, "value": hex(value) }));
    }
    /// Subscribes to a topic.
    pub fn subscribe(&self, topic: &[u8]) {
        self.quick("subscribe", json!({ "topic": hex(topic) }));
    }
    /// Takes a subscription back.
    pub fn unsubscribe(&self, topic: &[u8]) {
        self.quick("unsubscribe", json!({ "topic": hex(topic) }));
    }
    /// Sends a message.
    ///
    /// # Errors
    /// EAGAIN and other refusals.
    pub fn send(&self, parts: &[Part], wait: Duration) -> Result<(), Refused> {
        let parts: Vec<Value> = parts.iter().map(Part::request).collect();
        self.call("send", wait, json!({ "parts": parts, "timeout": millis(wait) })).map(drop)
    }
    /// Receives a message: what its parts are.
    ///
    /// # Errors
    /// EAGAIN and other refusals.
    pub fn recv(&self, wait: Duration) -> Result<Vec<Digest>, Refused> {
        let parts = self.call("recv", wait, json!({ "timeout": millis(wait) }))?;
        let number = |part: &Value, name: &str| part[name].as_u64().expect("a number");
        let digest = |part: &Value| Digest { size: number(part, "size") as usize, crc: number(part, "crc") as u32 };
        Ok(parts.as_array().expect("a list").iter().map(digest).collect())
    }
    /// Receives a message of short parts, none over 256 octets.
    ///
    /// # Errors
    /// EAGAIN and other refusals.
    pub fn recv_octets(&self, wait: Duration) -> Result<Vec<Vec<u8>>, Refused> {
        let parts = self.call("recv", wait, json!({ "timeout": millis(wait) }))?;
        let octets = |part: &Value| unhex(part["hex"].as_str().expect("a short part"));
        Ok(parts.as_array().expect("a list").iter().map(octets).collect())
    }
    /// Sends numbered messages until one is not taken within `wait`; how many went.
    pub fn send_many(&self, first: u64, count: u64, size: usize, wait: Duration) -> u64 {
        let request = json!({ "first": first, "count": count, "size": size, "timeout": millis(wait) });
        let sent = self.call("send_many", wait + GRACE, request).unwrap_or_else(|refused| panic!("{refused:?}"));
        sent.as_u64().expect("a number")
    }
    /// Sends messages without end, each one of `topics` in turn and a number from `first` on, until the process is killed.
    pub fn flood(&self, topics: &[&str], first: u64) {
        let topics: Vec<_> = topics.iter().map(|topic| hex(topic.as_bytes())).collect();
        self.peer.post(&json!({ "op": "flood", "name": self.name, "topics": topics, "first": first }));
    }
    /// Receives up to `count` messages whose last parts are numbered, until none comes within `wait`: the numbers as (first,
    /// how many).
    pub fn recv_many(&self, count: u64, wait: Duration) -> Vec<(u64, u64)> {
        let request = json!({ "count": count, "timeout": millis(wait) });
        let runs = self.call("recv_many", wait + GRACE, request).unwrap_or_else(|refused| panic!("{refused:?}"));
        let number = |run: &Value, at: usize| run[at].as_u64().expect("a number");
        runs.as_array().expect("a list").iter().map(|run| (number(run, 0), number(run, 1))).collect()
    }
    /// Sends `count` messages of 1 to 1024 octets, each unlike the others, from number `first` on; how many went.
    pub fn send_varied(&self, first: u64, count: u64, wait: Duration) -> u64 {
        self.varied("send_varied", first, count, wait)
    }
    /// Receives what `send_varied` sent: how many came before one that was late, or not octet by octet what it should be.
    pub fn recv_varied(&self, first: u64, count: u64, wait: Duration) -> u64 {
        self.varied("recv_varied", first, count, wait)
    }
    fn varied(&self, operation: &str, first: u64, count: u64, wait: Duration) -> u64 {
        let request = json!({ "first": first, "count": count, "timeout": millis(wait) });
        let done = self.call(operation, wait + 3 * GRACE, request).unwrap_or_else(|refused| panic!("{refused:?}"));
        done.as_u64().expect("a number")
    }
    /// Begins to write down what happens to the socket's connections.
    pub fn monitor(&self) {
        self.quick("monitor", json!({}));
    }
    /// Waits for an event of the monitor ("HANDSHAKE_SUCCEEDED"), passing over others.
    ///
    /// # Panics
    /// When it does not come within `wait`.
    pub fn await_event(&self, name: &str, wait: Duration) {
        let mut seen = Vec::new();
        loop {
            let event = self.call("event", wait, json!({ "timeout": millis(wait) })).expect("no refusal");
            match event.as_str() {
                Some(event) if event == name => return,
                Some(event) => seen.push(event.to_owned()),
                None => panic!("no {name} at {}, but {seen:?}", self.name),
            }
        }
    }
    /// Closes the socket; what it has not sent yet may still leave for `linger`.
    pub fn close(self, linger: Duration) {
        self.quick("close", json!({ "linger": millis(linger) }));
    }
}

fn millis(span: Duration) -> u64 {
    span.as_millis() as u64
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal")).collect()
}
