//! Linux: epoll sets, an eventfd to wake with, timerfds. Every call is rustix's; nothing here is unsafe.

use super::{Alarm, Kind, Listener, Ready, Source, Token};
use crate::sync::entering_system;
use omnimq_core::PipeId;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags, accept_with, sendmsg};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A non-blocking socket that listens.
pub(crate) use socket2::Socket as Door;
/// A non-blocking stream.
pub(crate) use socket2::Socket as Stream;

/// Applications wait on their connections themselves.
pub(crate) const SEATED: bool = true;

/// A read that comes back short has brought all there was.
pub(crate) const READS_TO_THE_END: bool = false;

/// The token of every waker; no connection has it.
const WAKE: u64 = u64::MAX;

fn timespec(span: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(span.subsec_nanos()) }
}

/// Events of one wait at most.
const EVENTS: usize = 128;

/// Room for the events of one wait.
type Room = [MaybeUninit<Event>; EVENTS];

const ROOM: Room = [const { MaybeUninit::uninit() }; EVENTS];

/// Waits on `set`. A signal counts as no event.
fn wait<'a>(set: &OwnedFd, room: &'a mut Room, timeout: Option<Duration>) -> &'a [Event] {
    // epoll_wait counts in milliseconds: rounded up, so that a timer is never found too early over and over.
    entering_system();
    let timeout = timeout.map(|span| timespec(Duration::from_millis(span.as_micros().div_ceil(1000) as u64)));
    epoll::wait(set, room.as_mut_slice(), timeout.as_ref()).map_or(&[], |(events, _)| events)
}

/// As [`wait`], for each event.
pub(super) fn wait_events(set: &OwnedFd, timeout: Option<Duration>, mut each: impl FnMut(u64, EventFlags)) {
    let mut room = ROOM;
    for event in wait(set, &mut room, timeout) {
        let flags = event.flags;
        each(event.data.u64(), flags);
    }
}

pub(super) fn add(set: &OwnedFd, source: impl AsFd, token: u64, flags: EventFlags) -> io::Result<()> {
    entering_system();
    Ok(epoll::add(set, source, EventData::new_u64(token), flags)?)
}

/// An eventfd: wakes who waits for it, once, however often it is rung before.
pub(crate) struct Waker(OwnedFd);

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Waker {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?))
    }
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }
    pub(crate) fn wake(&self) {
        entering_system();
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
    pub(super) fn clear(&self) {
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

/// A timer that anybody arms and the I/O thread hears; arming wakes nobody.
struct Timer(OwnedFd);

impl Timer {
    fn new() -> io::Result<Self> {
        Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?))
    }
    fn arm(&self, span: Duration) {
        entering_system();
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = timerfd_settime(
            &self.0,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval: zero, it_value: timespec(span) },
        );
    }
}

/// The I/O thread's selector.
pub(crate) struct Poll {
    set: OwnedFd,
    waker: Waker,
    /// By [`Alarm`].
    alarms: [Timer; 2],
}

/// What other threads hold of a [`Poll`].
pub(crate) struct Handle {
    set: OwnedFd,
    waker: Waker,
    /// By [`Alarm`].
    alarms: [Timer; 2],
}

impl Poll {
    pub(crate) fn new() -> io::Result<(Self, Handle)> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        let waker = Waker::new()?;
        let alarms = [Timer::new()?, Timer::new()?];
        add(&set, &waker.0, WAKE, EventFlags::IN | EventFlags::ET)?;
        for (timer, alarm) in alarms.iter().zip(Alarm::ALL) {
            add(&set, &timer.0, Token::alarm(alarm).0, EventFlags::IN | EventFlags::ET)?;
        }
        let handle = Handle {
            set: set.try_clone()?,
            waker: Waker(waker.0.try_clone()?),
            alarms: [Timer(alarms[0].0.try_clone()?), Timer(alarms[1].0.try_clone()?)],
        };
        Ok((Self { set, waker, alarms }, handle))
    }
    /// Waits; appends what happened to `ready`.
    pub(crate) fn wait(&mut self, ready: &mut Vec<Ready>, timeout: Option<Duration>) {
        let mut room = ROOM;
        let timeout = timeout.map(|span| self.wait_shortly(span));
        for event in wait(&self.set, &mut room, timeout) {
            let (token, flags) = (event.data.u64(), event.flags);
            if token == WAKE {
                self.waker.clear();
                continue;
            }
            if let Source::Alarm(alarm) = Token(token).source() {
                let _ = rustix::io::read(&self.alarms[alarm as usize].0, &mut [0; 8]);
            }
            ready.push(Ready {
                token: Token(token),
                readable: flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
                writable: flags.contains(EventFlags::OUT),
                ended: flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
            });
        }
    }
    /// Waits for less than a millisecond, which epoll_wait does not: at high rates a multicast session has the next burst
    /// due so soon. What is left to be waited of `span`.
    fn wait_shortly(&self, span: Duration) -> Duration {
        if span.is_zero() || span >= Duration::from_millis(1) {
            return span;
        }
        entering_system();
        let _ = poll(&mut [PollFd::new(&self.set, PollFlags::IN)], Some(&timespec(span)));
        Duration::ZERO
    }
}

impl Handle {
    pub(crate) fn wake(&self) {
        self.waker.wake();
    }
    /// Has `alarm` go off after `span`.
    pub(crate) fn arm(&self, alarm: Alarm, span: Duration) {
        self.alarms[alarm as usize].arm(span);
    }
    /// Listens for connections, level-triggered.
    pub(crate) fn add_listener(&self, listener: &mut Listener, token: Token) -> io::Result<()> {
        add(&self.set, &listener.door, token.0, EventFlags::IN)
    }
    pub(crate) fn remove_listener(&self, listener: &mut Listener) {
        let _ = epoll::delete(&self.set, &listener.door);
    }
    /// Listens to a descriptor of a multicast session, level-triggered.
    #[cfg(feature = "pgm")]
    pub(crate) fn add_session(&self, descriptor: BorrowedFd<'_>, token: Token) -> io::Result<()> {
        add(&self.set, descriptor, token.0, EventFlags::IN)
    }
    /// Listens for input, or for room, or for both.
    #[cfg(feature = "pgm")]
    pub(crate) fn watch_session(&self, descriptor: BorrowedFd<'_>, token: Token, input: bool, room: bool) {
        entering_system();
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, input);
        flags.set(EventFlags::OUT, room);
        let _ = epoll::modify(&self.set, descriptor, EventData::new_u64(token.0), flags);
    }
    /// Watches a stream both ways: it is connecting or shaking hands.
    pub(crate) fn add_stream(&self, stream: &mut Stream, token: Token) -> io::Result<()> {
        add(&self.set, &*stream, token.0, EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET)
    }
    /// The handshake is over: from here only room and the stream's end are told.
    pub(crate) fn settle_stream(&self, stream: &Stream, token: Token) -> io::Result<()> {
        entering_system();
        let flags = EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::modify(&self.set, stream, EventData::new_u64(token.0), flags)?)
    }
    /// Hears of room, or no more, on a stream whose handshake is over and that [tells of it in vain](tells_room_in_vain).
    pub(crate) fn watch_room(&self, stream: &Stream, token: Token, on: bool) {
        entering_system();
        let mut flags = EventFlags::RDHUP | EventFlags::ET;
        flags.set(EventFlags::OUT, on);
        let _ = epoll::modify(&self.set, stream, EventData::new_u64(token.0), flags);
    }
}

/// One socket's connections, twice: for its application and for the I/O thread.
///
/// Both registrations are edge-triggered and exclusive, the application's first: the kernel asks waiters in that order
/// and stops at the first that has a thread in `epoll_wait`. That is a hint only; both may wake, or the wrong one.
pub(crate) struct Sets {
    application: OwnedFd,
    background: OwnedFd,
    waker: Waker,
}

impl Sets {
    pub(crate) fn new() -> io::Result<Self> {
        let new = Self {
            application: epoll::create(CreateFlags::CLOEXEC)?,
            background: epoll::create(CreateFlags::CLOEXEC)?,
            waker: Waker::new()?,
        };
        add(&new.application, &new.waker.0, WAKE, EventFlags::IN)?;
        Ok(new)
    }
    /// Nests the background set in the I/O thread's selector.
    pub(crate) fn join(&self, poll: &Handle, token: Token) -> io::Result<()> {
        add(&poll.set, &self.background, token.0, EventFlags::IN)
    }
    /// Stops or resumes hearing of the background set.
    pub(crate) fn listen(&self, poll: &Handle, token: Token, on: bool) {
        entering_system();
        let flags = if on { EventFlags::IN } else { EventFlags::empty() };
        let _ = epoll::modify(&poll.set, &self.background, EventData::new_u64(token.0), flags);
    }
    /// Registers a connection whose handshake is over.
    pub(crate) fn add(&self, stream: &Stream, pipe: PipeId) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::ET | EventFlags::EXCLUSIVE;
        add(&self.application, stream, u64::from(pipe.0), flags)?;
        add(&self.background, stream, u64::from(pipe.0), flags)
    }
    /// What the background set heard since it was last asked, by pipe.
    pub(crate) fn harvest(&self, pipes: &mut Vec<PipeId>) {
        loop {
            let mut room = ROOM;
            let events = wait(&self.background, &mut room, Some(Duration::ZERO));
            pipes.extend(events.iter().map(|event| PipeId(event.data.u64() as u32)));
            if events.len() < EVENTS {
                return;
            }
        }
    }
    /// Readable when [`wake`](Self::wake) has been called and [`quiet`](Self::quiet) has not.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.waker.as_fd()
    }
    pub(crate) fn quiet(&self) {
        self.waker.clear();
    }
    /// The application waits for its connections or for [`wake`](Self::wake); appends readable pipes, and answers
    /// whether it was woken.
    pub(crate) fn wait(&self, pipes: &mut Vec<PipeId>, timeout: Option<Duration>) -> bool {
        let (mut room, mut woken) = (ROOM, false);
        for event in wait(&self.application, &mut room, timeout) {
            match event.data.u64() {
                WAKE => {
                    self.waker.clear();
                    woken = true;
                }
                pipe => pipes.push(PipeId(pipe as u32)),
            }
        }
        woken
    }
    pub(crate) fn wake(&self) {
        self.waker.wake();
    }
}

/// What `socket` is to those who read and write.
pub(super) fn stream(socket: socket2::Socket, _kind: Kind) -> Stream {
    socket
}

/// What `socket` is to those who accept.
pub(super) fn door(socket: socket2::Socket, _kind: Kind) -> Door {
    socket
}

/// Takes the next connection.
pub(super) fn accept(door: &Door) -> io::Result<Stream> {
    entering_system();
    Ok(accept_with(door, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?.into())
}

pub(super) fn set_nodelay(stream: &Stream) -> io::Result<()> {
    stream.set_tcp_nodelay(true)
}

/// Where the other side is, over tcp.
pub(crate) fn peer_address(stream: &Stream) -> Option<std::net::SocketAddr> {
    stream.peer_addr().ok()?.as_socket()
}

/// How connecting has ended.
pub(crate) fn outcome(stream: &Stream) -> io::Result<()> {
    match stream.take_error()? {
        Some(error) => Err(error),
        None => stream.peer_addr().map(drop),
    }
}

/// Whether the system tells whoever watches this stream of room each time the other side has read, and not only when there
/// was none: local sockets. That would wake the I/O thread for every message.
pub(crate) fn tells_room_in_vain(stream: &Stream) -> bool {
    stream.domain().is_ok_and(|domain| domain == socket2::Domain::UNIX)
}

/// Reads without blocking.
#[inline]
pub(crate) fn read(stream: &Stream, space: &mut [u8]) -> io::Result<usize> {
    entering_system();
    let (read, _) = rustix::net::recv(stream, space, RecvFlags::DONTWAIT)?;
    Ok(read)
}

/// Writes without blocking and without SIGPIPE.
#[inline]
pub(crate) fn write(stream: &Stream, bytes: &[u8]) -> io::Result<usize> {
    entering_system();
    Ok(rustix::net::send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
}

/// As [`write()`], from several places.
pub(crate) fn write_vectored(stream: &Stream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    entering_system();
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    Ok(sendmsg(stream, slices, &mut SendAncillaryBuffer::default(), flags)?)
}

/// Makes the calling thread's timers precise to a microsecond instead of fifty.
pub(crate) fn precise_timers() {
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1000));
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn the_io_thread_waits_for_less_than_a_millisecond() {
        let (mut poll, handle) = Poll::new().unwrap();
        let waits = (0..50).map(|_| {
            let begin = Instant::now();
            poll.wait(&mut Vec::new(), Some(Duration::from_micros(100)));
            begin.elapsed()
        });
        // What else the machine does may prolong a wait, but not all of them.
        let shortest = waits.min().unwrap();
        assert!((Duration::from_micros(100)..Duration::from_millis(1)).contains(&shortest), "{shortest:?}");
        handle.arm(Alarm::Read, Duration::from_micros(10));
        std::thread::sleep(Duration::from_micros(100));
        let mut ready = Vec::new();
        poll.wait(&mut ready, Some(Duration::from_micros(900)));
        assert_eq!(ready.len(), 1, "what comes is told");
    }
}
