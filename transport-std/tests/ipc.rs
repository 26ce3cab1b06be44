//! Sockets over ipc: paths, abstract names, files of their own, and many endpoints of both kinds on one socket.
#![cfg(unix)]

mod support;

use omnimq::{Context, Error, SocketType};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;
use support::*;

/// A directory of this test's own.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("omnimq-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn endpoint(&self, name: &str) -> String {
        format!("ipc://{}", self.0.join(name).display())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn path(endpoint: &str) -> PathBuf {
    PathBuf::from(endpoint.strip_prefix("ipc://").unwrap())
}

#[test]
fn a_path_is_a_socket_of_its_owner_alone() {
    let (context, place) = (Context::new().unwrap(), Place::new("owner"));
    let endpoint = place.endpoint("socket");
    let mut pull = socket(&context, SocketType::Pull);
    assert_eq!(pull.bind(&endpoint).unwrap(), endpoint);
    assert_eq!(pull.last_endpoint(), endpoint);
    reaches(&mut pull, &context, &endpoint);
    let mut other = socket(&context, SocketType::Pull);
    assert_eq!(refused(other.bind(&endpoint)), ErrorKind::AddrInUse);
    reaches(&mut pull, &context, &endpoint);
    assert!(matches!(pull.recv_timeout(Duration::from_millis(20)), Err(Error::WouldBlock)), "the attempt is not heard");
    pull.unbind(&endpoint).unwrap();
    other.bind(&endpoint).unwrap();
    reaches(&mut other, &context, &endpoint);
}

#[test]
fn a_file_that_nobody_listens_at_is_replaced_if_it_is_a_socket() {
    let (context, place) = (Context::new().unwrap(), Place::new("stale"));
    let (stale, plain) = (place.endpoint("stale"), place.endpoint("plain"));
    drop(std::os::unix::net::UnixListener::bind(path(&stale)).unwrap());
    assert!(path(&stale).exists(), "its listener has gone and it has stayed");
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(&stale).unwrap();
    reaches(&mut pull, &context, &stale);
    std::fs::write(path(&plain), "precious").unwrap();
    assert_eq!(refused(pull.bind(&plain)), ErrorKind::AddrInUse);
    assert_eq!(std::fs::read(path(&plain)).unwrap(), b"precious");
    assert_eq!(refused(pull.bind(&place.endpoint("no/such/directory"))), ErrorKind::NotFound);
}

#[test]
fn who_connects_to_a_path_may_come_first() {
    let (context, place) = (Context::new().unwrap(), Place::new("first"));
    let endpoint = place.endpoint("later/socket");
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    push.send("early").unwrap();
    std::fs::create_dir(place.0.join("later")).unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    pull.bind(&endpoint).unwrap();
    assert_eq!(pull.recv().unwrap().bytes(), b"early");
    // And again, when the socket is another.
    drop(pull);
    let mut pull = socket(&context, SocketType::Pull);
    bind_again(&mut pull, &endpoint);
    until(|| {
        push.send("again").unwrap();
        pull.recv_timeout(Duration::from_millis(5)).is_ok()
    });
}

#[test]
fn paths_up_to_107_octets() {
    let (context, place) = (Context::new().unwrap(), Place::new("long"));
    let room = 107 - place.0.as_os_str().len() - 1;
    let mut pull = socket(&context, SocketType::Pull);
    let longest = place.endpoint(&"x".repeat(room));
    pull.bind(&longest).unwrap();
    reaches(&mut pull, &context, &longest);
    let too_long = place.endpoint(&"x".repeat(room + 1));
    assert!(matches!(pull.bind(&too_long), Err(Error::TooLong(endpoint)) if endpoint == too_long));
    assert!(matches!(pull.connect(&too_long), Err(Error::TooLong(_))));
    assert!(matches!(pull.bind(&format!("ipc://@{}", "x".repeat(107))), Err(Error::TooLong(_))));
}

#[cfg(target_os = "linux")]
#[test]
fn abstract_names_leave_no_file_and_are_free_at_once() {
    let context = Context::new().unwrap();
    let endpoint = format!("ipc://@omnimq-test-{}", std::process::id());
    let mut pull = socket(&context, SocketType::Pull);
    for _ in 0..50 {
        assert_eq!(pull.bind(&endpoint).unwrap(), endpoint);
        assert_eq!(refused(pull.bind(&endpoint)), ErrorKind::AddrInUse);
        reaches(&mut pull, &context, &endpoint);
        pull.unbind(&endpoint).unwrap();
    }
    assert!(!PathBuf::from(&endpoint[6..]).exists());
    assert!(matches!(pull.bind("ipc://@"), Err(Error::Endpoint(_))));
}

#[test]
fn a_wildcard_is_a_new_file_that_goes_with_its_listener() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoints = [(); 3].map(|()| pull.bind("ipc://*").unwrap());
    assert_eq!(pull.last_endpoint(), endpoints[2]);
    assert_ne!(endpoints[0], endpoints[1]);
    for endpoint in &endpoints {
        assert!(path(endpoint).exists());
        reaches(&mut pull, &context, endpoint);
    }
    pull.unbind(&endpoints[0]).unwrap();
    assert!(!path(&endpoints[0]).parent().unwrap().exists(), "the file and its directory have gone");
    pull.unbind("ipc://*").unwrap();
    assert_eq!(endpoints.iter().filter(|endpoint| path(endpoint).exists()).count(), 1, "one of the two");
    drop(pull);
    context.term_timeout(PATIENCE).unwrap();
    assert!(endpoints.iter().all(|endpoint| !path(endpoint).parent().unwrap().exists()));
    assert!(matches!(socket(&Context::new().unwrap(), SocketType::Push).connect("ipc://*"), Err(Error::Endpoint(_))));
}

#[test]
fn disconnected_is_disconnected() {
    let (context, place) = (Context::new().unwrap(), Place::new("disconnect"));
    for endpoint in [ANY.to_owned(), place.endpoint("socket")] {
        let mut pull = socket(&context, SocketType::Pull);
        let endpoint = pull.bind(&endpoint).unwrap();
        let mut push = socket(&context, SocketType::Push);
        assert!(matches!(push.disconnect(&endpoint), Err(Error::NotFound(_))));
        for _ in 0..20 {
            push.connect(&endpoint).unwrap();
            push.send("connected").unwrap();
            assert_eq!(pull.recv().unwrap().bytes(), b"connected");
            push.disconnect(&endpoint).unwrap();
            assert!(matches!(push.disconnect(&endpoint), Err(Error::NotFound(_))));
            assert!(matches!(push.try_send("nobody").map_err(Error::from), Err(Error::WouldBlock)));
        }
        pull.unbind(&endpoint).unwrap();
        push.connect(&endpoint).unwrap();
        push.disconnect(&endpoint).unwrap();
        assert!(matches!(push.try_send("nobody").map_err(Error::from), Err(Error::WouldBlock)), "while it tries too");
    }
}

#[test]
fn many_binds_and_connects_on_one_socket() {
    let (context, place) = (Context::new().unwrap(), Place::new("many"));
    let mut hub = socket(&context, SocketType::Dealer);
    let mut spokes = Vec::new();
    for n in 0..20 {
        let endpoint = match n % 4 {
            0 => "tcp://127.0.0.1:*".to_owned(),
            1 => "tcp://[::1]:*".to_owned(),
            2 => "ipc://*".to_owned(),
            _ => place.endpoint(&n.to_string()),
        };
        let mut spoke = socket(&context, SocketType::Dealer);
        if n < 10 {
            spoke.connect(&hub.bind(&endpoint).unwrap()).unwrap();
        } else {
            hub.connect(&spoke.bind(&endpoint).unwrap()).unwrap();
        }
        spokes.push(spoke);
    }
    for (n, spoke) in spokes.iter_mut().enumerate() {
        spoke.send(format!("from {n}")).unwrap();
    }
    let mut heard: Vec<_> = spokes.iter().map(|_| hub.recv().unwrap().bytes().to_vec()).collect();
    heard.sort_unstable();
    let mut said: Vec<_> = (0..spokes.len()).map(|n| format!("from {n}").into_bytes()).collect();
    said.sort_unstable();
    assert_eq!(heard, said);
    // All are connected: each gets one of twenty.
    for _ in &spokes {
        hub.send("to each").unwrap();
    }
    assert!(spokes.iter_mut().all(|spoke| spoke.recv().unwrap().bytes() == b"to each"));
}
