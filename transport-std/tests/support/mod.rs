//! What the integration tests share: patient sockets, deadlines, and peers that are scripts of octets (RFC 37).

#![allow(dead_code, reason = "each test program uses its part")]

use omnimq::{Context, Error, Message, Socket, SocketOptions, SocketType};
use omnimq_raw::Octets;
#[allow(unused_imports, reason = "each test program uses its part")]
pub(crate) use omnimq_raw::{Port, RawPeer as Raw};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything here takes, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Any free port of this machine.
pub(crate) const ANY: &str = "tcp://127.0.0.1:*";

/// Where sockets of one process may meet, by each transport.
pub(crate) const TRANSPORTS: &[&str] = if cfg!(unix) { &[ANY, "inproc://meet", "ipc://*"] } else { &[ANY, "inproc://meet"] };

/// Options of a socket that gives up after [`PATIENCE`].
pub(crate) fn patient() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.recv_timeout = Some(PATIENCE);
    options.send_timeout = Some(PATIENCE);
    options.linger = Some(Duration::ZERO);
    options.reconnect.ivl = Some(Duration::from_millis(10));
    options
}

/// [`patient`], with these marks.
pub(crate) fn marks(send: u32, recv: u32) -> SocketOptions {
    let mut options = patient();
    (options.send_hwm, options.recv_hwm) = (send, recv);
    options
}

/// [`patient`], where names and wildcards mean both families.
pub(crate) fn ipv6() -> SocketOptions {
    let mut options = patient();
    options.ipv6 = true;
    options
}

/// A patient socket.
pub(crate) fn socket(context: &Context, socket_type: SocketType) -> Socket {
    context.socket_with(socket_type, patient()).unwrap()
}

/// Asks until `found` answers; what it answered and how long that took.
#[track_caller]
pub(crate) fn within<T>(limit: Duration, mut found: impl FnMut() -> Option<T>) -> (T, Duration) {
    let start = Instant::now();
    loop {
        if let Some(it) = found() {
            return (it, start.elapsed());
        }
        assert!(start.elapsed() < limit, "not within {limit:?}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Waits for a condition as long as it takes.
#[track_caller]
pub(crate) fn until(mut met: impl FnMut() -> bool) -> Duration {
    within(PATIENCE, || met().then_some(())).1
}

/// Runs `work` on a thread and waits for it at most [`PATIENCE`]: a call that never returns is a failure, not a hang.
#[track_caller]
pub(crate) fn bounded<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, answer) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = done.send(work());
    });
    match answer.recv_timeout(PATIENCE) {
        Ok(it) => it,
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("not within {PATIENCE:?}"),
        Err(_) => std::panic::resume_unwind(thread.join().unwrap_err()),
    }
}

/// Binds where a socket was dropped a moment ago: its port is freed in the background.
#[track_caller]
pub(crate) fn bind_again(socket: &mut Socket, endpoint: &str) {
    until(|| socket.bind(endpoint).is_ok());
}

/// Messages that may be sent until the socket would block.
pub(crate) fn fill(socket: &mut Socket, body: &[u8]) -> u32 {
    let mut sent = 0;
    loop {
        match socket.try_send(body).map_err(Error::from) {
            Ok(()) => sent += 1,
            Err(Error::WouldBlock) => return sent,
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 10_000_000, "never blocks");
    }
}

/// One message passes from a new socket at `endpoint`.
#[track_caller]
pub(crate) fn reaches(pull: &mut Socket, context: &Context, endpoint: &str) {
    let mut push = context.socket_with(SocketType::Push, ipv6()).unwrap();
    push.connect(endpoint).unwrap();
    push.send(endpoint).unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), endpoint.as_bytes());
}

/// Why the system refused.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(done: Result<T, Error>) -> std::io::ErrorKind {
    match done.unwrap_err() {
        Error::System { source, .. } => source.kind(),
        error => panic!("{error:?}"),
    }
}

/// The frames of a message, as strings of octets.
pub(crate) fn frames(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|frame| frame.to_vec()).collect()
}

/// A message that numbers itself.
pub(crate) fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.last().unwrap()[..4].try_into().unwrap())
}

/// Sends messages that number themselves.
#[track_caller]
pub(crate) fn send_numbers(socket: &mut Socket, numbers: std::ops::Range<u32>) {
    for n in numbers {
        socket.send(&n.to_be_bytes()).unwrap();
    }
}

/// Receives these messages and no others before them.
#[track_caller]
pub(crate) fn hears(socket: &mut Socket, numbers: std::ops::Range<u32>) {
    for n in numbers {
        assert_eq!(number(&socket.recv().unwrap()), n);
    }
}

/// `127.0.0.1:port` of an endpoint.
pub(crate) fn address(endpoint: &str) -> &str {
    endpoint.strip_prefix("tcp://").unwrap()
}

/// A PUSH has sent more than its peer reads when its use comes to an `end`, and then the peer is lost: what that did not get
/// goes to the next who comes there. What `end` returned, that next one, and where they were accepted.
pub(crate) fn next_gets_what_lingers<T>(
    context: &Context,
    end: impl FnOnce(Socket, &str) -> T,
) -> (T, Raw, std::net::TcpListener) {
    let port = Port::reserve();
    let listener = port.listen();
    let mut options = patient();
    options.linger = None;
    let mut push = context.socket_with(SocketType::Push, options).unwrap();
    push.connect(port.endpoint()).unwrap();
    let accept = || Raw::on(listener.accept().unwrap().0).shake("PULL").unwrap();
    let lost = accept();
    let large = vec![1; 1 << 20];
    for _ in 0..40 {
        push.send(large.as_slice()).unwrap();
    }
    push.send(b"last").unwrap();
    let ended = end(push, port.endpoint());
    drop(lost);
    let mut next = accept();
    let mut n = 0;
    while next.frame().unwrap().1 != b"last" {
        n += 1;
    }
    assert!(n > 0);
    (ended, next, listener)
}

/// An endpoint of each transport at which nobody is yet.
pub(crate) struct Places {
    port: Port,
    folder: std::path::PathBuf,
}

impl Places {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("omnimq-places-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { port: Port::reserve(), folder }
    }
    pub(crate) fn endpoints(&self) -> Vec<String> {
        let mut all = vec![self.port.endpoint().to_string(), "inproc://nobody yet".into()];
        if cfg!(unix) {
            all.push(format!("ipc://{}/socket", self.folder.display()));
        }
        all
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A greeting of ZMTP 3.1 with mechanism NULL.
pub(crate) fn greeting() -> Vec<u8> {
    Octets::new().greeting(3, 1).0
}

/// A command frame.
pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    Octets::new().command(name, data).0
}

/// A frame with these flags.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    Octets::new().frame(flags, body).0
}

/// A READY command of this socket type.
pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    Octets::new().ready(&[("Socket-Type", socket_type.as_bytes())]).0
}
