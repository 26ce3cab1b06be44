//! A ZMTP peer that does exactly what it is told, over a plain tcp stream.
//!
//! [`Octets`] builds what is sent, [`RawPeer`] sends it and looks at what comes back. Neither knows of any ZeroMQ
//! implementation: the numbers are those of RFC 37, 23, 15 and 13.

mod port;

pub use port::Port;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a peer waits for what must come.
const SOON: Duration = Duration::from_secs(20);

/// Flags of a 3.x frame.
pub mod flag {
    /// More frames of the same message follow.
    pub const MORE: u8 = 1;
    /// The length has eight octets.
    pub const LONG: u8 = 2;
    /// The frame is a command.
    pub const COMMAND: u8 = 4;
}

/// Octets to be sent, built piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets(pub Vec<u8>);

impl Octets {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// The octets of a 3.x peer before any message: its greeting and READY with this socket type.
    pub fn opening(minor: u8, socket_type: &str) -> Self {
        Self::new().greeting(3, minor).ready(&[("Socket-Type", socket_type.as_bytes())])
    }
    /// These, as they are.
    pub fn raw(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }
    /// The 64 octets that 3.x peers begin with, for NULL, with any version.
    pub fn greeting(self, major: u8, minor: u8) -> Self {
        self.greeting_for(major, minor, "NULL")
    }
    /// The same, for another mechanism.
    pub fn greeting_for(mut self, major: u8, minor: u8, mechanism: &str) -> Self {
        let mut greeting = [0; 64];
        (greeting[0], greeting[8], greeting[9]) = (0xff, 1, 0x7f);
        (greeting[10], greeting[11]) = (major, minor);
        greeting[12..12 + mechanism.len()].copy_from_slice(mechanism.as_bytes());
        self.0.extend_from_slice(&greeting);
        self
    }
    /// A header only, with any flags and announced length.
    pub fn header(mut self, flags: u8, len: u64) -> Self {
        self.0.push(flags);
        if flags & flag::LONG == 0 {
            self.0.push(u8::try_from(len).expect("a short length"));
        } else {
            self.0.extend_from_slice(&len.to_be_bytes());
        }
        self
    }
    /// A frame; its length takes as few octets as it can.
    pub fn frame(self, flags: u8, body: &[u8]) -> Self {
        let flags = if body.len() > 255 { flags | flag::LONG } else { flags };
        self.header(flags, body.len() as u64).raw(body)
    }
    /// A message of one frame.
    pub fn message(self, body: &[u8]) -> Self {
        self.frame(0, body)
    }
    /// A command.
    pub fn command(self, name: &str, data: &[u8]) -> Self {
        let mut body = vec![name.len() as u8];
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(data);
        self.frame(flag::COMMAND, &body)
    }
    /// READY with these properties.
    pub fn ready(self, properties: &[(&str, &[u8])]) -> Self {
        let mut data = Vec::new();
        for (name, value) in properties {
            data.push(name.len() as u8);
            data.extend_from_slice(name.as_bytes());
            data.extend_from_slice(&(value.len() as u32).to_be_bytes());
            data.extend_from_slice(value);
        }
        self.command("READY", &data)
    }
}

/// Where a raw peer waits to be connected to.
#[derive(Debug)]
pub struct RawListener(TcpListener);

impl RawListener {
    /// Listens on a free port of this machine.
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }
    /// Where, as ZeroMQ writes it.
    pub fn endpoint(&self) -> String {
        format!("tcp://{}", self.0.local_addr().expect("an address"))
    }
    /// The next connection.
    ///
    /// # Panics
    /// When none comes in time.
    pub fn accept(&self) -> RawPeer {
        self.accept_within(SOON).expect("somebody connects")
    }
    /// The next connection, if one comes within `span`.
    pub fn accept_within(&self, span: Duration) -> Option<RawPeer> {
        self.0.set_nonblocking(true).expect("a listener");
        let deadline = Instant::now() + span;
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("a stream");
                    return Some(RawPeer::on(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) => panic!("accept: {error}"),
            }
        }
    }
}

impl Default for RawListener {
    fn default() -> Self {
        Self::new()
    }
}

/// A stream, and what to expect of it.
#[derive(Debug)]
pub struct RawPeer(pub TcpStream);

/// What a stream had to say within some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The octets that came.
    pub octets: Vec<u8>,
    /// The other side ended it.
    pub ended: bool,
}

impl RawPeer {
    /// Connects to `tcp://address:port`; says nothing.
    pub fn connect(endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("tcp://").expect("a tcp endpoint");
        Self::on(TcpStream::connect(address).expect("somebody listens"))
    }
    /// A peer at the end of a stream.
    pub fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a stream");
        stream.set_read_timeout(Some(SOON)).expect("a stream");
        stream.set_write_timeout(Some(SOON)).expect("a stream");
        Self(stream)
    }
    /// Shakes hands as a 3.1 socket of this type.
    ///
    /// # Errors
    /// The stream ended, or the other side did not answer in time.
    pub fn shake(mut self, socket_type: &str) -> io::Result<Self> {
        self.0.write_all(&Octets::new().greeting(3, 1).0)?;
        let mut theirs = [0; 64];
        self.0.read_exact(&mut theirs)?;
        assert_eq!((theirs[0], theirs[9] & 1, theirs[10]), (0xFF, 1, 3), "greeting");
        self.0.write_all(&Octets::new().ready(&[("Socket-Type", socket_type.as_bytes())]).0)?;
        let (flags, body) = self.frame()?;
        assert_eq!((flags, &body[..6]), (flag::COMMAND, &b"\x05READY"[..]));
        Ok(self)
    }
    /// Sends octets, all of them.
    ///
    /// # Panics
    /// When they are not taken.
    pub fn say(&mut self, octets: &[u8]) {
        self.0.write_all(octets).expect("the other side takes it");
    }
    /// The next frame's flags, without [`LONG`](flag::LONG), and body.
    ///
    /// # Errors
    /// The stream ended, or no whole frame came in time.
    pub fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut flags = [0];
        self.0.read_exact(&mut flags)?;
        let len = if flags[0] & flag::LONG == 0 {
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
        Ok((flags[0] & !flag::LONG, body))
    }
    /// Whether the other side has ended the stream, or does so within `limit`; what it says before is thrown away.
    pub fn closed_within(&mut self, limit: Duration) -> bool {
        self.hear(limit, |_| false).ended
    }
    /// Sends; whether the other side has ended the stream already is not asked.
    pub fn send(&mut self, octets: &Octets) {
        let _ = self.0.write_all(&octets.0);
    }
    /// Sends octet by octet, each in a segment of its own.
    pub fn trickle(&mut self, octets: &Octets) {
        for octet in &octets.0 {
            let _ = self.0.write_all(&[*octet]);
        }
    }
    /// Ends the own direction.
    pub fn finish(&mut self) {
        let _ = self.0.shutdown(std::net::Shutdown::Write);
    }
    /// Reads until `enough` says so, the other side ends the stream, or `span` is over.
    pub fn hear(&mut self, span: Duration, mut enough: impl FnMut(&[u8]) -> bool) -> Heard {
        let deadline = Instant::now() + span;
        let mut octets = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if enough(&octets) || left.is_zero() {
                return Heard { octets, ended: false };
            }
            self.0.set_read_timeout(Some(left)).expect("a stream");
            match self.0.read(&mut piece) {
                Ok(0) => return Heard { octets, ended: true },
                Ok(n) => octets.extend_from_slice(&piece[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Heard { octets, ended: true },
            }
        }
    }
    /// Expects exactly these octets next.
    ///
    /// # Panics
    /// When others come, or they do not come in time.
    pub fn expect(&mut self, octets: &Octets) {
        let len = octets.0.len();
        let mut heard = vec![0; len];
        self.0.set_read_timeout(Some(SOON)).expect("a stream");
        self.0.read_exact(&mut heard).unwrap_or_else(|error| panic!("{error} where {len} octets were to come"));
        assert_eq!(heard, octets.0);
    }
    /// Expects the other side to end the stream, whatever it says before.
    ///
    /// # Panics
    /// When it does not do so in time.
    pub fn expect_end(&mut self) -> Vec<u8> {
        let heard = self.hear(SOON, |_| false);
        assert!(heard.ended, "the stream lives on; {} octets came", heard.octets.len());
        heard.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_those_of_the_rfc() {
        let opening = Octets::opening(1, "DEALER").0;
        assert_eq!(opening[..12], [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
        assert_eq!(opening[12..17], *b"NULL\0");
        assert_eq!(opening[64..], *b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER");
        assert_eq!(Octets::new().frame(flag::MORE, &[7; 256]).0[..9], [3, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(Octets::new().message(b"x").0, [0, 1, b'x']);
    }

    #[test]
    fn two_raw_peers_hear_each_other() {
        let listener = RawListener::new();
        let mut left = RawPeer::connect(&listener.endpoint());
        let mut right = listener.accept();
        let octets = Octets::new().raw(b"octets");
        left.trickle(&octets);
        right.expect(&octets);
        assert_eq!(right.hear(Duration::from_millis(20), |_| false), Heard { octets: vec![], ended: false });
        drop(left);
        assert!(right.expect_end().is_empty());
    }
}
