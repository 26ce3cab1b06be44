//! What the integration tests share: patient sockets, deadlines, and peers that are scripts of octets (RFC 37).

#![allow(dead_code, reason = "each test program uses its part")]

use omnimq::{Context, Error, Message, Socket, SocketOptions, SocketType};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Longer than anything here takes, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Any free port of this machine.
pub(crate) const ANY: &str = "tcp://127.0.0.1:*";

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

/// The frames of a message, as strings of octets.
pub(crate) fn frames(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|frame| frame.to_vec()).collect()
}

/// A message that numbers itself.
pub(crate) fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.last().unwrap()[..4].try_into().unwrap())
}

/// `127.0.0.1:port` of an endpoint.
pub(crate) fn address(endpoint: &str) -> &str {
    endpoint.strip_prefix("tcp://").unwrap()
}

/// A port that nobody listens at, and that nobody but who knows its number is given.
pub(crate) struct Port(socket2::Socket, String);

impl Port {
    pub(crate) fn reserve() -> Self {
        // Bound and never listening: others may bind to it too, and the kernel gives it to nobody that asks for any.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self(socket, format!("tcp://{address}"))
    }
    pub(crate) fn endpoint(&self) -> &str {
        &self.1
    }
    /// Listens there, as a script.
    pub(crate) fn listen(&self) -> TcpListener {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&self.0.local_addr().unwrap()).unwrap();
        socket.listen(16).unwrap();
        socket.into()
    }
}

/// A greeting of ZMTP 3.1 with mechanism NULL.
pub(crate) fn greeting() -> Vec<u8> {
    let mut greeting = vec![0; 64];
    greeting[0] = 0xFF;
    greeting[9] = 0x7F;
    greeting[10] = 3;
    greeting[11] = 1;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// A command frame.
pub(crate) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![name.len() as u8];
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(data);
    frame(4, &body)
}

/// A frame with these flags.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    if let Ok(len) = u8::try_from(body.len()) {
        frame.extend_from_slice(&[flags, len]);
    } else {
        frame.push(flags | 2);
        frame.extend_from_slice(&(body.len() as u64).to_be_bytes());
    }
    frame.extend_from_slice(body);
    frame
}

/// A READY command of this socket type.
pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    let mut data = vec![11];
    data.extend_from_slice(b"Socket-Type");
    data.extend_from_slice(&(socket_type.len() as u32).to_be_bytes());
    data.extend_from_slice(socket_type.as_bytes());
    command("READY", &data)
}

/// A peer that says and reads what the test tells it to.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    /// Connects; says nothing.
    pub(crate) fn connect(endpoint: &str) -> Self {
        Self::on(TcpStream::connect(address(endpoint)).unwrap())
    }
    pub(crate) fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }
    /// Shakes hands as a socket of this type.
    pub(crate) fn shake(mut self, socket_type: &str) -> io::Result<Self> {
        self.0.write_all(&greeting())?;
        let mut theirs = [0; 64];
        self.0.read_exact(&mut theirs)?;
        assert_eq!((theirs[0], theirs[9] & 1, theirs[10]), (0xFF, 1, 3), "greeting");
        self.0.write_all(&ready(socket_type))?;
        let (flags, body) = self.frame()?;
        assert_eq!((flags, &body[..6]), (4, &b"\x05READY"[..]));
        Ok(self)
    }
    pub(crate) fn say(&mut self, octets: &[u8]) {
        self.0.write_all(octets).unwrap();
    }
    /// The next frame's flags, without LONG, and body.
    pub(crate) fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut flags = [0];
        self.0.read_exact(&mut flags)?;
        let len = if flags[0] & 2 == 0 {
            let mut len = [0];
            self.0.read_exact(&mut len)?;
            u64::from(len[0])
        } else {
            let mut len = [0; 8];
            self.0.read_exact(&mut len)?;
            u64::from_be_bytes(len)
        };
        let mut body = vec![0; len as usize];
        self.0.read_exact(&mut body)?;
        Ok((flags[0] & !2, body))
    }
    /// Whether the other side has closed, or does so within `limit`; what it says before is thrown away.
    pub(crate) fn closed_within(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut octets = [0; 4096];
        self.0.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        while start.elapsed() < limit {
            match self.0.read(&mut octets) {
                Ok(0) => return true,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(_) => return true,
                Ok(_) => {}
            }
        }
        false
    }
}
