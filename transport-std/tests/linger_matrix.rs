//! What becomes of messages when the use of their socket ends: every linger time, every end, every kind of peer, over every
//! transport.

mod support;

use omnimq::{Context, Error, Socket, SocketOptions, SocketType};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};
use support::*;

/// How the use of a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Dropped,
    Disconnected,
    Terminated,
}

/// What its peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Reading,
    Idle,
    Absent,
}

/// Where the two meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Tcp,
    /// The peer is the one that connects.
    Accepted,
    Ipc,
    Inproc,
}

/// What arrives of what was sent, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrives {
    All,
    /// As much as had left by the end.
    Some,
    /// Not the last.
    Part,
    Nothing,
}

/// When nothing lingers any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    AtOnce,
    InTime,
    WhenRead,
}

/// What is to come of it: by peer and by linger time in milliseconds.
type Row = (Peer, Option<u64>, Arrives, Over);

const STREAMS: [Row; 9] = [
    (Peer::Reading, Some(0), Arrives::Some, Over::AtOnce),
    (Peer::Reading, Some(20_000), Arrives::All, Over::WhenRead),
    (Peer::Reading, None, Arrives::All, Over::WhenRead),
    (Peer::Idle, Some(0), Arrives::Part, Over::AtOnce),
    (Peer::Idle, Some(100), Arrives::Part, Over::InTime),
    (Peer::Idle, None, Arrives::All, Over::WhenRead),
    (Peer::Absent, Some(0), Arrives::Nothing, Over::AtOnce),
    (Peer::Absent, Some(100), Arrives::Nothing, Over::InTime),
    (Peer::Absent, None, Arrives::All, Over::WhenRead),
];

/// Between sockets of a process what was sent is with its receiver already, if there is one.
const INPROC: [Row; 9] = [
    (Peer::Reading, Some(0), Arrives::All, Over::AtOnce),
    (Peer::Reading, Some(20_000), Arrives::All, Over::AtOnce),
    (Peer::Reading, None, Arrives::All, Over::AtOnce),
    (Peer::Idle, Some(0), Arrives::All, Over::AtOnce),
    (Peer::Idle, Some(20_000), Arrives::All, Over::AtOnce),
    (Peer::Idle, None, Arrives::All, Over::AtOnce),
    (Peer::Absent, Some(0), Arrives::Nothing, Over::AtOnce),
    (Peer::Absent, Some(100), Arrives::Nothing, Over::InTime),
    (Peer::Absent, None, Arrives::All, Over::WhenRead),
];

/// At the end of a context nobody will bind a name any more, and whoever could receive ends too.
const INPROC_TERMINATED: [Row; 3] = [
    (Peer::Absent, Some(0), Arrives::Nothing, Over::AtOnce),
    (Peer::Absent, Some(20_000), Arrives::Nothing, Over::AtOnce),
    (Peer::Absent, None, Arrives::Nothing, Over::AtOnce),
];

#[derive(Clone, Copy, Debug)]
struct Cell {
    at: At,
    end: End,
    row: Row,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for at in [At::Tcp, At::Accepted, At::Ipc, At::Inproc] {
        for end in [End::Dropped, End::Disconnected, End::Terminated] {
            let rows = match (at, end) {
                (At::Accepted, End::Disconnected) => &[][..],
                (At::Accepted, _) => &STREAMS[..6],
                (At::Ipc, _) if cfg!(not(unix)) => &[],
                (At::Tcp | At::Ipc, _) => &STREAMS,
                (At::Inproc, End::Terminated) => &INPROC_TERMINATED,
                (At::Inproc, _) => &INPROC,
            };
            cells.extend(rows.iter().map(|&row| Cell { at, end, row }));
        }
    }
    cells
}

/// Messages that are sent: more than fit into the queue of a peer that does not read and the kernel's buffers.
const MESSAGES: u32 = 30;

const MS: Duration = Duration::from_millis(1);

/// What must not wait does not take as long.
const SHORT: Duration = Duration::from_secs(1);

/// Cells that are played at a time.
const HANDS: usize = 16;

impl Cell {
    fn play(self) {
        let (peer, linger, arrives, over) = self.row;
        let (places, context) = (Places::new(), Context::new().unwrap());
        let there = if self.at == At::Inproc { context.clone() } else { Context::new().unwrap() };
        let mut push = context.socket_with(SocketType::Push, options(linger.map(Duration::from_millis))).unwrap();
        let (endpoint, pull) = self.meet(&places, &mut push, &there);
        let (go, told) = mpsc::channel();
        let reader = {
            let endpoint = endpoint.clone();
            thread::spawn(move || self.read(pull, &there, &endpoint, &told))
        };
        let (reading, awaited) = (peer == Peer::Reading, peer != Peer::Reading);
        if reading {
            go.send(()).unwrap();
        }
        let mut body = vec![7; 32 << 10];
        for n in 0..MESSAGES {
            body[..4].copy_from_slice(&n.to_be_bytes());
            // Short ones too: they may still be staged at the end.
            push.send(if n % 3 == 2 { &body[..4] } else { &body }).unwrap();
        }
        let begun = Instant::now();
        let gone = self.end(push, &endpoint, context);
        assert!(begun.elapsed() < SHORT, "the call takes {:?}", begun.elapsed());
        if over == Over::WhenRead && awaited {
            thread::sleep(20 * MS);
            assert!(gone.try_recv().is_err(), "it does not linger");
            go.send(()).unwrap();
        }
        let took = gone.recv_timeout(PATIENCE).expect("it lingers for ever").duration_since(begun);
        let least = if over == Over::InTime { linger.unwrap() } else { 0 };
        assert!(took >= Duration::from_millis(least), "{took:?}");
        assert!(over == Over::WhenRead || took < Duration::from_millis(least) + SHORT, "{took:?}");
        if over != Over::WhenRead && awaited {
            go.send(()).unwrap();
        }
        let heard = reader.join().unwrap();
        assert!(heard.iter().copied().eq(0..heard.len() as u32), "{heard:?}");
        let fits = match arrives {
            Arrives::All => heard.len() == MESSAGES as usize,
            Arrives::Some => true,
            Arrives::Part => heard.len() < MESSAGES as usize,
            Arrives::Nothing => heard.is_empty(),
        };
        assert!(fits, "{} arrive", heard.len());
    }
    /// The two meet, unless nobody is to be there: where, and the receiver.
    fn meet(self, places: &Places, push: &mut Socket, there: &Context) -> (String, Option<Socket>) {
        let endpoint = places.endpoints().remove(match self.at {
            At::Tcp | At::Accepted => 0,
            At::Inproc => 1,
            At::Ipc => 2,
        });
        let mut pull = (self.row.0 != Peer::Absent).then(|| there.socket_with(SocketType::Pull, options(None)).unwrap());
        match &mut pull {
            Some(pull) if self.at == At::Accepted => {
                push.bind(&endpoint).unwrap();
                pull.connect(&endpoint).unwrap();
            }
            Some(pull) => {
                pull.bind(&endpoint).unwrap();
                push.connect(&endpoint).unwrap();
            }
            None => push.connect(&endpoint).unwrap(),
        }
        if let Some(pull) = &mut pull {
            push.send(b"hello").unwrap();
            assert_eq!(pull.recv().unwrap().bytes(), b"hello");
        }
        (endpoint, pull)
    }
    /// Ends the use of the socket; tells the time when nothing lingers any more.
    fn end(self, mut push: Socket, endpoint: &str, context: Context) -> Receiver<Instant> {
        let monitor = push.monitor();
        let mut push = if self.end == End::Disconnected {
            push.disconnect(endpoint).unwrap();
            Some(push)
        } else {
            drop(push);
            None
        };
        let (tell, gone) = mpsc::channel();
        thread::spawn(move || {
            match self.end {
                End::Dropped => while monitor.recv().is_some() {},
                End::Disconnected => drop(until(|| push.as_mut().is_some_and(|push| push.statistics().peers.is_empty()))),
                End::Terminated => context.term(),
            }
            let _ = tell.send(Instant::now());
        });
        gone
    }
    /// When told to, receives what comes, as the first who comes there if nobody has; the numbers of it.
    fn read(self, pull: Option<Socket>, there: &Context, endpoint: &str, told: &Receiver<()>) -> Vec<u32> {
        told.recv().unwrap();
        let mut pull = match pull {
            Some(pull) => pull,
            None => match there.socket_with(SocketType::Pull, options(None)) {
                Err(Error::Terminated) => return Vec::new(),
                made => {
                    let mut pull = made.unwrap();
                    pull.bind(endpoint).unwrap();
                    pull
                }
            },
        };
        let patience = if self.row.2 == Arrives::All { PATIENCE } else { 60 * MS };
        (0..MESSAGES).map_while(|_| pull.recv_timeout(patience).ok()).map(|message| number(&message)).collect()
    }
}

/// Small queues and buffers, so that a peer that does not read takes little.
fn options(linger: Option<Duration>) -> SocketOptions {
    let mut options = patient();
    options.linger = linger;
    (options.recv_hwm, options.send_buffer, options.recv_buffer) = (2, Some(32 << 10), Some(32 << 10));
    options
}

/// Says which cell has failed.
struct Name(Cell);

impl Drop for Name {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("this was {:?}", self.0);
        }
    }
}

#[test]
fn every_end_for_every_peer() {
    let left = Mutex::new(cells());
    let next = || left.lock().unwrap().pop();
    thread::scope(|scope| {
        for _ in 0..HANDS {
            scope.spawn(|| {
                while let Some(cell) = next() {
                    let _name = Name(cell);
                    cell.play();
                }
            });
        }
    });
}
