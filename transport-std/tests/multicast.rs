//! Multicast sessions of a socket, as its calls make and end them; what passes through them is tested between namespaces.
#![cfg(all(feature = "pgm", target_os = "linux"))]

use omnimq::{Context, Error, SocketOptions, SocketType};

const SESSION: &str = "epgm://127.0.0.1;239.192.7.1:17501";

/// A second session would only make everything come twice, so the types that libzmq keeps from it have one.
#[test]
fn sessions_of_one_endpoint() {
    let context = Context::new().unwrap();
    for (socket_type, sessions) in [(SocketType::Sub, 1), (SocketType::Pub, 1), (SocketType::XSub, 2)] {
        let mut socket = context.socket_with(socket_type, SocketOptions::default()).unwrap();
        socket.connect(SESSION).unwrap();
        socket.connect(SESSION).unwrap();
        for _ in 0..sessions {
            socket.unbind(SESSION).unwrap();
        }
        assert!(matches!(socket.unbind(SESSION), Err(Error::NotFound(_))), "{socket_type:?}");
    }
}
