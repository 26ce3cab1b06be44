//! What errors tell: what failed, at which endpoint, and the errno it stands for; and what becomes of what was to be sent.
#![cfg(not(loom))]

mod support;

use omnimq::{Context, Errno, Error, Frame, Message, Pub, Pull, Push, SendError, Socket, SocketOptions, SocketType};
use std::pin::pin;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;
use support::*;

#[track_caller]
fn tells<T: std::fmt::Debug>(done: Result<T, Error>, errno: Errno, endpoint: Option<&str>) {
    let error = done.unwrap_err();
    assert_eq!((error.errno(), error.endpoint()), (errno, endpoint), "{error:?}");
    let text = error.to_string();
    assert!(endpoint.is_none_or(|endpoint| text.contains(endpoint)), "{text}");
}

#[test]
fn what_binds_and_connects_names_its_endpoint() {
    let context = Context::new().unwrap();
    let mut one = socket(&context, SocketType::Pull);
    let mut other = socket(&context, SocketType::Pull);
    for at in TRANSPORTS {
        let taken = one.bind(at).unwrap();
        tells(other.bind(&taken), Errno::AddrInUse, Some(&taken));
    }
    for bad in ["tcp://127.0.0.1:99999", "tcp://127.0.0.1", "nonsense", "inproc://", "ipc://@"] {
        tells(one.bind(bad), Errno::Inval, Some(bad));
        tells(one.connect(bad), Errno::Inval, Some(bad));
    }
    for unknown in ["norm://127.0.0.1:5555", "udp://127.0.0.1:5555"] {
        tells(one.bind(unknown), Errno::ProtoNoSupport, Some(unknown));
        tells(one.connect(unknown), Errno::ProtoNoSupport, Some(unknown));
    }
    let long = format!("inproc://{}", "x".repeat(257));
    tells(one.bind(&long), Errno::NameTooLong, Some(&long));
    let foreign = "tcp://192.0.2.1:5555";
    tells(one.bind(foreign), Errno::AddrNotAvail, Some(foreign));
    for absent in ["tcp://127.0.0.1:5555", "inproc://absent", "ipc:///absent"] {
        tells(one.unbind(absent), Errno::NoEnt, Some(absent));
        tells(one.disconnect(absent), Errno::NoEnt, Some(absent));
    }
    if cfg!(target_os = "linux") {
        let nowhere = "tcp://nosuchif:5555";
        tells(one.bind(nowhere), Errno::NoDev, Some(nowhere));
        let no_folder = "ipc:///no/such/folder/socket";
        tells(one.bind(no_folder), Errno::NoEnt, Some(no_folder));
        tells(one.bind("ipc:///proc/socket"), Errno::NoEnt, Some("ipc:///proc/socket"));
    }
    let mut options = patient();
    options.pattern.limits.peers = 1;
    let mut full = context.socket_with(SocketType::Push, options).unwrap();
    full.connect("tcp://127.0.0.1:1").unwrap();
    for endpoint in ["tcp://127.0.0.1:2", "inproc://one more"] {
        tells(full.connect(endpoint), Errno::NoBufs, Some(endpoint));
    }
    context.shutdown();
    tells(one.bind(ANY), Errno::Term, None);
    tells(one.connect("inproc://x"), Errno::Term, None);
}

#[test]
fn other_calls_tell_their_errno() {
    let context = Context::new().unwrap();
    let mut pull = socket(&context, SocketType::Pull);
    tells(pull.try_recv(), Errno::Again, None);
    tells(pull.subscribe(""), Errno::NotSup, None);
    tells(pull.send("x").map_err(Error::from), Errno::NotSup, None);
    tells(socket(&context, SocketType::Req).recv(), Errno::Fsm, None);
    let mut options = SocketOptions::default();
    options.routing_id = vec![1; 256].into();
    tells(context.socket_with(SocketType::Dealer, options).map(drop), Errno::MsgSize, None);
    tells(context.socket(SocketType::Radio).map(drop), Errno::NotSup, None);
    let mut router = socket(&context, SocketType::Router);
    let mut pattern = router.options().pattern;
    pattern.mandatory = true;
    router.set_pattern(pattern);
    tells(router.send(["nobody", "x"]).map_err(Error::from), Errno::HostUnreach, None);
    tells(context.term_timeout(Duration::from_millis(1)), Errno::Again, None);
    assert_eq!([Errno::Again, Errno::HostUnreach].map(|errno| errno.to_string()), ["EAGAIN", "EHOSTUNREACH"]);
}

/// Whatever is given to a call that sends comes back from it, whole and itself, whichever the call and the reason.
#[test]
fn a_refused_message_comes_back_from_every_call() {
    fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Task::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }
    type Call<'a> = &'a mut dyn FnMut(&mut Socket, Message) -> Result<(), SendError<Message>>;
    /// Each of the calls.
    fn each(socket: &mut Socket, errno: Errno) {
        let place = |message: &Message| (message[0].as_ptr(), message.len());
        let check = |send: Call<'_>, socket: &mut Socket| {
            let mut message = Message::from(vec![7; 1000]);
            message.push("and more");
            let before = place(&message);
            let refused = send(socket, message).unwrap_err();
            assert_eq!((refused.error.errno(), place(&refused.message)), (errno, before));
        };
        check(&mut |socket, message| socket.send(message), socket);
        check(&mut |socket, message| socket.try_send(message), socket);
        check(&mut |socket, message| socket.send_timeout(message, Duration::from_millis(5)), socket);
        if errno != Errno::Again {
            // As to EAGAIN, a task waits.
            check(&mut |socket, message| poll_once(socket.send_async(message)).unwrap(), socket);
        }
    }
    let context = Context::new().unwrap();
    let mut push = socket(&context, SocketType::Push);
    push.set_send_timeout(Some(Duration::from_millis(5)));
    push.bind(ANY).unwrap();
    each(&mut push, Errno::Again);
    each(&mut socket(&context, SocketType::Pull), Errno::NotSup);
    each(&mut socket(&context, SocketType::Rep), Errno::Fsm);
    let mut router = socket(&context, SocketType::Router);
    let mut pattern = router.options().pattern;
    pattern.mandatory = true;
    router.set_pattern(pattern);
    each(&mut router, Errno::HostUnreach);

    // Of every kind, and from halves and typed sockets.
    let mut push = Push::with(&context, patient()).unwrap();
    assert_eq!(push.try_send(String::from("text")).unwrap_err().message, "text");
    assert_eq!(push.try_send(Message::from(["a", "b"])).unwrap_err().message.len(), 2);
    assert_eq!(&push.try_send(Frame::from("frame")).unwrap_err().message[..], b"frame");
    assert_eq!(push.try_send(vec![Frame::from("a")]).unwrap_err().message.len(), 1);
    assert_eq!(push.try_send([vec![1], vec![2]]).unwrap_err().message, [[1], [2]]);
    assert_eq!(push.try_send([1, 2, 3]).unwrap_err().message, [1, 2, 3]);
    let (mut half, _other) = socket(&context, SocketType::Dealer).split().unwrap();
    assert_eq!(half.try_send(vec![1]).unwrap_err().message, [1]);
    context.shutdown();
    each(&mut push.into_socket(), Errno::Term);
    assert_eq!(half.send(vec![1]).unwrap_err().message, [1]);
    assert!(matches!(Pub::new(&context).map(drop), Err(Error::Terminated)));
    assert!(matches!(Pull::new(&context).map(drop), Err(Error::Terminated)));
}
