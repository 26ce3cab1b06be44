//! A stream between two nodes, and the trouble it meets.

use super::stream::Stream;
use super::{NodeId, Plan};
use omnimq_core::{Failure, Instant, PipeId, Reconnect};
use omnimq_seeds::Rng;
use std::time::Duration;

/// A link's place in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkId(pub(super) usize);

/// The two ends of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The side that waits for streams: its pipe lives as long as one stream.
    Bind,
    /// The side that makes streams: its pipe outlives them.
    Connect,
}

impl End {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Bind, Self::Connect];
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Bind => 0,
            Self::Connect => 1,
        }
    }
    /// The opposite end.
    pub const fn other(self) -> Self {
        match self {
            Self::Bind => Self::Connect,
            Self::Connect => Self::Bind,
        }
    }
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// There is a stream.
    Up,
    /// There is none; the connecting side tries again at that time, or at once.
    Down(Option<Instant>),
    /// The connecting side gave up for that reason.
    Stopped(Failure),
}

/// One side of a link.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) node: NodeId,
    pub(super) pipe: Option<PipeId>,
    /// Its host still holds the stream open.
    pub(super) open: bool,
}

/// What happens to a link by itself, and when next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Cut,
    HalfClose(End),
    Stall(End, Duration),
}

#[derive(Debug)]
pub(super) struct Link {
    /// There is a stream.
    pub(super) up: bool,
    /// The back-off of the connecting side.
    pub(super) reconnect: Reconnect,
    /// The first try is yet to be made.
    pub(super) fresh: bool,
    pub(super) sides: [Side; 2],
    /// By the end that sends.
    pub(super) streams: [Stream; 2],
    /// Streams made so far.
    pub(super) streams_made: u32,
    /// Nobody answers: attempts to connect fail.
    pub(super) refused: bool,
    next_cut: Option<Instant>,
    next_half_close: Option<Instant>,
    next_stall: [Option<Instant>; 2],
}

impl Link {
    pub(super) fn new(bind: NodeId, connect: NodeId, reconnect: Reconnect) -> Self {
        let side = |node| Side { node, pipe: None, open: false };
        Self {
            up: false,
            reconnect,
            fresh: true,
            sides: [side(bind), side(connect)],
            streams: Default::default(),
            streams_made: 0,
            refused: false,
            next_cut: None,
            next_half_close: None,
            next_stall: [None; 2],
        }
    }
    pub(super) fn state(&self) -> LinkState {
        match (self.up, self.reconnect.stopped()) {
            (true, _) => LinkState::Up,
            (false, Some(failure)) => LinkState::Stopped(failure),
            (false, None) => LinkState::Down(self.reconnect.poll_timeout()),
        }
    }
    /// Whether it is time to connect; true once per try.
    pub(super) fn tries(&mut self, now: Instant) -> bool {
        !self.up && (std::mem::take(&mut self.fresh) || self.reconnect.handle_timeout(now))
    }
    pub(super) fn side(&mut self, end: End) -> &mut Side {
        &mut self.sides[end.index()]
    }
    /// Whether this is the connecting side's `pipe`.
    pub(super) fn connects(&self, node: NodeId, pipe: PipeId) -> bool {
        let side = &self.sides[End::Connect.index()];
        side.node == node && side.pipe == Some(pipe)
    }
    /// What `end` sends.
    pub(super) fn from(&mut self, end: End) -> &mut Stream {
        &mut self.streams[end.index()]
    }
    /// Draws when the next trouble of each kind comes.
    pub(super) fn foresee(&mut self, plan: &Plan, now: Instant, rng: &mut Rng) {
        let mut draw = |range: &Option<super::Micros>| {
            let at = now + Duration::from_micros(rng.within(range.as_ref()?));
            (at < Instant::from_micros(plan.peace)).then_some(at)
        };
        let stall = plan.stall.as_ref().map(|(every, _)| every.clone());
        self.next_cut = self.next_cut.filter(|at| *at > now).or_else(|| draw(&plan.cut));
        self.next_half_close = self.next_half_close.filter(|at| *at > now).or_else(|| draw(&plan.half_close));
        for slot in &mut self.next_stall {
            *slot = slot.filter(|at| *at > now).or_else(|| draw(&stall));
        }
    }
    /// The trouble that is due, if any.
    pub(super) fn trouble(&mut self, plan: &Plan, now: Instant, rng: &mut Rng) -> Option<Trouble> {
        let due = |slot: &mut Option<Instant>| slot.take_if(|at| *at <= now).is_some();
        if due(&mut self.next_cut) {
            return Some(Trouble::Cut);
        }
        if due(&mut self.next_half_close) {
            return Some(Trouble::HalfClose(End::BOTH[rng.length(0..=1)]));
        }
        let (_, lasts) = plan.stall.as_ref()?;
        let end = End::BOTH.into_iter().find(|end| due(&mut self.next_stall[end.index()]))?;
        Some(Trouble::Stall(end, Duration::from_micros(rng.within(lasts))))
    }
    /// When something happens here next after `now`.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let retry = if self.up { None } else { self.reconnect.poll_timeout() };
        let troubles = [self.next_cut, self.next_half_close, self.next_stall[0], self.next_stall[1], retry];
        let streams = self.streams.iter().filter_map(|stream| stream.next(now));
        troubles.into_iter().flatten().chain(streams).min()
    }
}
