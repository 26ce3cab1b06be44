//! A port of one's own, at which nobody listens yet.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A port that nobody listens at, and that nobody but who knows its number is given.
#[derive(Debug)]
pub struct Port(Socket, String);

impl Port {
    /// Keeps one.
    ///
    /// # Panics
    /// When the system has none.
    pub fn reserve() -> Self {
        // Bound and never listening: others may bind to it too, and the kernel gives it to nobody that asks for any.
        let socket = Self::socket();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
        Self(socket, format!("tcp://{address}"))
    }
    /// `tcp://127.0.0.1:port`.
    pub fn endpoint(&self) -> &str {
        &self.1
    }
    /// Listens there, as a script.
    ///
    /// # Panics
    /// When somebody else does.
    pub fn listen(&self) -> TcpListener {
        let socket = Self::socket();
        socket.bind(&self.0.local_addr().expect("an address")).expect("nobody listens there");
        socket.listen(16).expect("a listener");
        socket.into()
    }
    fn socket() -> Socket {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option of every system");
        socket
    }
}
