//! Out of descriptors: calls say so, accepting and connecting pause and go on when there are some again, and those who are
//! connected notice nothing. A program of its own, for it takes all descriptors that the process may have.

#![cfg(target_os = "linux")]

mod support;

use omnimq::{Context, Error, Event, Socket, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::net::TcpStream;
use support::*;

const EMFILE: i32 = rustix::io::Errno::MFILE.raw_os_error();

/// All descriptors that are left.
fn hoard() -> Vec<File> {
    let mut all = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => all.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(EMFILE));
                return all;
            }
        }
    }
}

#[track_caller]
fn out_of_descriptors<T>(done: Result<T, Error>) {
    match done {
        Err(Error::System { source, .. }) => assert_eq!(source.raw_os_error(), Some(EMFILE)),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there was a descriptor"),
    }
}

fn exchange(push: &mut Socket, pull: &mut Socket) {
    for n in 0..100u32 {
        push.send(&n.to_be_bytes()).unwrap();
        assert_eq!(number(&pull.recv().unwrap()), n);
    }
}

#[test]
fn accepting_and_connecting_pause_and_go_on() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).unwrap();
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    let endpoint = pull.bind(ANY).unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.connect(&endpoint).unwrap();
    let mut early = socket(&context, SocketType::Push);
    exchange(&mut push, &mut pull);
    let monitor = pull.monitor();

    let mut hoarded = hoard();
    out_of_descriptors(Context::new().map(drop));
    if cfg!(not(portable)) {
        // Elsewhere a socket alone takes none.
        out_of_descriptors(context.socket(SocketType::Pull));
    }
    out_of_descriptors(pull.bind(ANY));
    // One comes that there is no descriptor for, and one that has none to come with.
    drop(hoarded.pop());
    let client = TcpStream::connect(address(&endpoint)).unwrap();
    early.connect(&endpoint).unwrap();
    early.send(b"early").unwrap();
    let mut refusals = 0;
    let mut events = std::iter::from_fn(|| monitor.recv_timeout(PATIENCE));
    while refusals < 3 {
        match events.next() {
            Some(Event::AcceptFailed { error, .. }) => {
                assert_eq!(error.raw_os_error(), Some(EMFILE));
                refusals += 1;
            }
            Some(_) => {}
            None => panic!("accepting is not tried again"),
        }
    }
    exchange(&mut push, &mut pull);

    drop(hoarded);
    let mut raw = Raw::on(client).shake("PUSH").unwrap();
    raw.say(&frame(0, b"client"));
    let mut heard = [(); 2].map(|()| pull.recv().unwrap().bytes().to_vec());
    heard.sort();
    assert_eq!(heard, [b"client".to_vec(), b"early".to_vec()]);
    exchange(&mut push, &mut pull);
}
