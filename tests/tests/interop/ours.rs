//! Our side of a test: sockets that never wait for long.

use omnimq::{Context, Error, Frame, Message, Socket, SocketOptions, SocketType};
use omnimq_tests::libzmq::{Digest, Part};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) const ANY: &str = "tcp://127.0.0.1:*";
/// The transports that a pair may meet over.
pub(crate) const TRANSPORTS: [&str; 2] = ["tcp", "ipc"];

/// Where nobody is yet, for a peer to bind: any port, or a file of its own.
pub(crate) fn anywhere(transport: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    if transport == "tcp" {
        return ANY.into();
    }
    let name = format!("omnimq-interop-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    format!("ipc://{}", std::env::temp_dir().join(name).display())
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
