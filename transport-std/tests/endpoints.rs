//! Where sockets may listen and connect to over tcp, and which endpoints are refused.

mod support;

use omnimq::{Context, Error, SocketType};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use support::*;

/// A name that nothing has, which is found out without asking anybody: no label of a name has 64 octets.
const NOBODY: &str = "x23456789x123456789x123456789x123456789x123456789x123456789x1234";

#[test]
fn ipv6_and_both_families() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let only_v6 = pull.bind("tcp://[::1]:*").unwrap();
    assert!(only_v6.starts_with("tcp://[::1]:"));
    reaches(&mut pull, &context, &only_v6);
    let port = |endpoint: &str| endpoint.rsplit_once(':').unwrap().1.to_owned();
    let only_v4 = pull.bind("tcp://*:*").unwrap();
    assert!(only_v4.starts_with("tcp://0.0.0.0:"));
    reaches(&mut pull, &context, &format!("tcp://127.0.0.1:{}", port(&only_v4)));
    let mut dual = context.socket_with(SocketType::Pull, ipv6()).unwrap();
    for wildcard in ["tcp://*:*", "tcp://[::]:*"] {
        let both = dual.bind(wildcard).unwrap();
        assert!(both.starts_with("tcp://[::]:"));
        for host in ["127.0.0.1", "[::1]", "localhost"] {
            reaches(&mut dual, &context, &format!("tcp://{host}:{}", port(&both)));
        }
    }
}

/// Where a peer's connection comes from.
fn source(listener: &TcpListener) -> std::net::SocketAddr {
    listener.accept().unwrap().1
}

#[test]
fn a_source_is_an_address_or_an_interface() {
    let context = Context::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut push = socket(&context, SocketType::Push);
    push.connect(&format!("tcp://127.0.0.2;127.0.0.1:{port}")).unwrap();
    assert_eq!(source(&listener).ip().to_string(), "127.0.0.2");
    let free = TcpListener::bind("127.0.0.3:0").unwrap().local_addr().unwrap();
    push.connect(&format!("tcp://{free};127.0.0.1:{port}")).unwrap();
    assert_eq!(source(&listener), free);
    push.connect(&format!("tcp://*:*;127.0.0.1:{port}")).unwrap();
    assert_eq!(source(&listener).ip().to_string(), "127.0.0.1");
    #[cfg(target_os = "linux")]
    {
        push.connect(&format!("tcp://lo;127.0.0.1:{port}")).unwrap();
        assert_eq!(source(&listener).ip().to_string(), "127.0.0.1");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn interfaces_have_names() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind("tcp://lo:*").unwrap();
    assert!(endpoint.starts_with("tcp://127.0.0.1:"));
    reaches(&mut pull, &context, &endpoint);
    let mut pull = context.socket_with(SocketType::Pull, ipv6()).unwrap();
    assert!(pull.bind("tcp://lo:*").unwrap().starts_with("tcp://[::1]:"));
    let Err(Error::System { source, .. }) = pull.bind(&format!("tcp://{NOBODY}:5555")) else { panic!("there is none") };
    assert_eq!(source.raw_os_error(), Some(19), "ENODEV");
}

#[test]
fn addresses_that_are_not_ours_or_not_free() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    assert_eq!(refused(pull.bind("tcp://192.0.2.1:5555")), ErrorKind::AddrNotAvailable);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", taken.local_addr().unwrap());
    assert_eq!(refused(pull.bind(&endpoint)), ErrorKind::AddrInUse);
}

#[test]
fn endpoints_that_make_no_sense() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    for endpoint in [
        "",
        "tcp",
        "tcp:",
        "tcp://",
        "://127.0.0.1:1",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:abc",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:-1",
        "tcp://127.0.0.1: 80",
        "tcp://:5555",
        "tcp://1.2.3:80",
        "tcp://[::1:80",
        "tcp://::1:80",
        "tcp://a b:80",
        "ipc://",
        "ipc://@",
        "ipc://a\0b",
        "inproc://",
    ] {
        assert!(matches!(pull.bind(endpoint), Err(Error::Endpoint(_))), "bind to {endpoint:?}");
        assert!(matches!(pull.connect(endpoint), Err(Error::Endpoint(_))), "connect to {endpoint:?}");
    }
    for endpoint in ["tcp://*:80", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0", "ipc://*"] {
        assert!(matches!(pull.connect(endpoint), Err(Error::Endpoint(_))), "connect to {endpoint}");
    }
    assert!(matches!(pull.bind("tcp://127.0.0.1;127.0.0.1:80"), Err(Error::Endpoint(_))));
    for endpoint in ["norm://127.0.0.1:80", "udp://127.0.0.1:80", "TCP://127.0.0.1:80"] {
        assert!(matches!(pull.bind(endpoint), Err(Error::Transport(_))), "{endpoint}");
        assert!(matches!(pull.connect(endpoint), Err(Error::Transport(_))), "{endpoint}");
    }
}

#[test]
fn a_port_is_free_when_unbind_returns() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    for round in 0..100 {
        let endpoint = pull.bind(ANY).unwrap();
        let mut push = socket(&context, SocketType::Push);
        push.connect(&endpoint).unwrap();
        push.send("before").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"before");
        // By the string that was bound, or by what came of it.
        pull.unbind(if round % 2 == 0 { ANY } else { &endpoint }).unwrap();
        drop(TcpListener::bind(address(&endpoint)).unwrap());
        assert!(TcpStream::connect(address(&endpoint)).is_err());
        push.send("after").unwrap();
        assert_eq!(pull.recv().unwrap().bytes(), b"after", "connections stay");
        assert!(matches!(pull.unbind(&endpoint), Err(Error::NotFound(_))));
        assert!(matches!(pull.unbind(ANY), Err(Error::NotFound(_))));
    }
}

#[test]
fn a_name_that_nobody_knows_holds_up_nobody() {
    let context = Context::new().unwrap();
    let mut lost: Vec<_> = (0..20).map(|_| socket(&context, SocketType::Push)).collect();
    for push in &mut lost {
        push.connect(&format!("tcp://{NOBODY}:5555")).unwrap();
    }
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let start = Instant::now();
    for _ in 0..20 {
        reaches(&mut pull, &context, &endpoint);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    drop(lost);
}

/// The answer to a look-up for a connection that has been given up is not taken for the next one's, whose pipe has the
/// same number.
#[test]
fn an_address_looked_up_for_an_earlier_connection_is_not_used() {
    let context = Context::new().unwrap();
    let [mut old, mut new] = [(); 2].map(|()| socket(&context, SocketType::Pull));
    let [old_name, new_name] = [&mut old, &mut new].map(|pull| pull.bind(ANY).unwrap().replace("127.0.0.1", "localhost"));
    for n in 0..100u32 {
        let mut push = socket(&context, SocketType::Push);
        push.connect(&old_name).unwrap();
        push.disconnect(&old_name).unwrap();
        push.connect(&new_name).unwrap();
        push.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&new.recv().unwrap()), n);
    }
    assert!(matches!(old.try_recv(), Err(Error::WouldBlock)));
}
