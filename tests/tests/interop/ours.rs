//! Our side of a test: sockets that never wait for long.

use omnimq::{Context, Error, Frame, Message, Socket, SocketOptions, SocketType};
use omnimq_raw::Port;
use omnimq_tests::libzmq::{Digest, Part};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) const ANY: &str = "tcp://127.0.0.1:*";
/// The transports that a pair may meet over.
pub(crate) const TRANSPORTS: [&str; 2] = ["tcp", "ipc"];

/// Where nobody is yet, for a peer to bind: any port, or a file of its own.
pub(crate) fn anywhere(transport: &str) -> String {
    if transport == "tcp" { ANY.into() } else { file() }
}

/// An ipc endpoint that nobody has used.
fn file() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("omnimq-interop-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    format!("ipc://{}", std::env::temp_dir().join(name).display())
}

/// An endpoint that can be connected to before anybody binds it.
pub(crate) enum Nowhere {
    Port(Port),
    File(String),
}

impl Nowhere {
    pub(crate) fn new(transport: &str) -> Self {
        if transport == "tcp" { Self::Port(Port::reserve()) } else { Self::File(file()) }
    }
    pub(crate) fn endpoint(&self) -> &str {
        match self {
            Self::Port(port) => port.endpoint(),
            Self::File(file) => file,
        }
    }
}

impl Drop for Nowhere {
    fn drop(&mut self) {
        if let Self::File(file) = self {
            let _ = std::fs::remove_file(file.trim_start_matches("ipc://"));
        }
    }
}

/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// Shorter than anything that has to be waited for, longer than anything that must not come.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(300);

/// Options with which no call waits for more than [`SOON`], and nothing lingers.
pub(crate) fn options() -> SocketOptions {
    let mut options = SocketOptions::default();
    options.recv_timeout = Some(SOON);
    options.send_timeout = Some(SOON);
    options.linger = Some(Duration::ZERO);
    options
}

/// A socket with [`options`].
pub(crate) fn socket(context: &Context, socket_type: SocketType) -> Socket {
    context.socket_with(socket_type, options()).unwrap()
}

/// A message of these parts.
pub(crate) fn message(parts: &[Part]) -> Message {
    Message::from_frames(parts.iter().map(|part| Frame::from(part.octets())).collect())
}

/// What we received, as a peer would tell it.
pub(crate) fn digests(message: &Message) -> Vec<Digest> {
    message.iter().map(|frame| Digest::of(frame)).collect()
}

/// The frames as plain octets.
pub(crate) fn octets(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|frame| frame.to_vec()).collect()
}

/// A message of `size` octets that begins with its number.
pub(crate) fn numbered(number: u64, size: usize) -> Vec<u8> {
    let mut body = vec![0; size];
    body[..8].copy_from_slice(&number.to_be_bytes());
    body
}

/// The number of such a message.
pub(crate) fn number(message: &Message) -> u64 {
    u64::from_be_bytes(message.bytes()[..8].try_into().unwrap())
}

/// Sends numbered messages of `size` octets until one would have to wait; how many went.
pub(crate) fn send_many(socket: &mut Socket, first: u64, count: u64, size: usize) -> u64 {
    for sent in 0..count {
        if let Err(refused) = socket.try_send(numbered(first + sent, size)) {
            assert!(matches!(refused.error, Error::WouldBlock));
            return sent;
        }
    }
    count
}

/// Receives until nothing comes for a moment.
pub(crate) fn drain(socket: &mut Socket) -> Vec<Message> {
    std::iter::from_fn(|| socket.recv_timeout(A_MOMENT).ok()).collect()
}

/// Tries until it works, for at most [`SOON`].
pub(crate) fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(Instant::now() < deadline, "{what}: not in time");
    }
}

/// Whether a call was refused because it would have to wait.
pub(crate) fn would_block<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::WouldBlock))
}
