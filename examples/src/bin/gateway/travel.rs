//! Players who walk from one server to the next: DEALER here, ROUTER there, every hand-over checked on both sides.
//!
//! A hand-over is `[player, state]`; the answer is `[player, checksum of the state]`. One is under way at a time. When
//! the neighbour dies its successor is handed the same player again; if the dead one had answered, two answers come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use omnimq::{Context, Dealer, Error, Frame, Message, Pub, Router};

use crate::order::checksum;
use crate::plan;
use crate::say;
use crate::server::Shared;

/// How often a host without guests looks whether the server is to end.
const LOOK: Duration = Duration::from_millis(100);

/// The longest state of a player, in octets.
const STATE: u64 = 3000;

/// A player's state: as long as the player's number says, and made of it.
fn state(player: u64) -> Vec<u8> {
    let len = player.wrapping_mul(0x9e37_79b9) % STATE;
    (0..len).map(|at| (player.wrapping_add(at).wrapping_mul(0x5851_f42d_4c95_7f2d) >> 56) as u8).collect()
}

/// The player's number in a frame.
fn player(frame: Option<&Frame>) -> Option<u64> {
    Some(u64::from_le_bytes((**frame?).try_into().ok()?))
}

/// What a host answers: the checksum of a state that is the player's, and nothing for any other.
fn welcome(guest: &Message) -> Option<Message> {
    let [from, number, luggage] = guest.frames() else { return None };
    (state(player(Some(number))?) == luggage[..]).then(|| {
        let sum = checksum(luggage).to_le_bytes();
        Message::from_frames(vec![from.clone(), number.clone(), Frame::from(&sum[..])])
    })
}

/// The receiving side.
pub(crate) struct Host {
    pub(crate) endpoint: String,
    /// Players taken in, and hand-overs that were wrong.
    pub(crate) hosted: Arc<[AtomicU64; 2]>,
    thread: JoinHandle<Result<()>>,
}

impl Host {
    pub(crate) fn start(context: &Context, shared: Arc<Shared>) -> Result<Self> {
        let mut router = Router::with(context, plan::options())?;
        let endpoint = router.bind("tcp://127.0.0.1:*")?;
        let hosted = Arc::<[AtomicU64; 2]>::default();
        let counts = hosted.clone();
        let thread = std::thread::spawn(move || host(&mut router, &shared, &counts));
        Ok(Self { endpoint, hosted, thread })
    }
    pub(crate) fn join(self) -> Result<()> {
        self.thread.join().map_err(|_| anyhow!("the host panicked"))?
    }
}

fn host(router: &mut Router, shared: &Shared, [hosted, wrong]: &[AtomicU64; 2]) -> Result<()> {
    while !shared.is_ending() {
        let guest = match router.recv_timeout(LOOK) {
            Ok(guest) => guest,
            Err(Error::WouldBlock) => continue,
            Err(error) => return Err(error.into()),
        };
        match welcome(&guest) {
            Some(answer) => {
                router.send(answer)?;
                hosted.fetch_add(1, Ordering::Relaxed);
            }
            None => {
                wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// What the gateway tells a server.
pub(crate) enum News {
    /// Where players walk to from here.
    Neighbour(String),
    /// No more players are to go.
    Finish,
}

/// The sending side, which publishes the server's score as well.
pub(crate) struct Agency {
    name: String,
    shared: Arc<Shared>,
    hosted: Arc<[AtomicU64; 2]>,
    dealer: Dealer,
    scores: Pub,
    neighbour: Option<String>,
    under_way: Option<u64>,
    /// Sent a second time: a second answer is right.
    again: Option<u64>,
    next: u64,
    handed: u64,
    wrong: u64,
    finish: Finish,
}

/// Whether there is an end in sight.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    No,
    /// When the player under way has arrived.
    Asked,
    Said,
}

impl Agency {
    pub(crate) fn start(
        context: &Context,
        name: &str,
        scores: &str,
        shared: Arc<Shared>,
        hosted: Arc<[AtomicU64; 2]>,
        news: Receiver<News>,
    ) -> Result<Running> {
        let dealer = Dealer::with(context, plan::options())?;
        let mut publisher = Pub::with(context, plan::options())?;
        publisher.connect(scores)?;
        let agency = Self {
            name: name.into(),
            shared,
            hosted,
            dealer,
            scores: publisher,
            neighbour: None,
            under_way: None,
            again: None,
            next: checksum(name.as_bytes()),
            handed: 0,
            wrong: 0,
            finish: Finish::No,
        };
        Ok(Running(std::thread::spawn(move || agency.run(&news))))
    }
    fn run(mut self, news: &Receiver<News>) -> Result<()> {
        while !self.shared.is_ending() {
            match news.recv_timeout(plan::BEAT) {
                Ok(News::Neighbour(endpoint)) => self.turn_to(endpoint)?,
                Ok(News::Finish) => self.finish = Finish::Asked,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.take_answers()?;
            self.hand_over()?;
            self.report()?;
        }
        Ok(())
    }
    fn turn_to(&mut self, endpoint: String) -> Result<()> {
        if let Some(dead) = self.neighbour.replace(endpoint.clone()) {
            self.dealer.disconnect(&dead)?;
        }
        self.dealer.connect(&endpoint)?;
        self.again = self.under_way;
        self.under_way.map_or(Ok(()), |player| self.send(player))
    }
    fn send(&mut self, player: u64) -> Result<()> {
        self.dealer.send([player.to_le_bytes().to_vec(), state(player)])?;
        Ok(())
    }
    fn take_answers(&mut self) -> Result<()> {
        loop {
            let answer = match self.dealer.try_recv() {
                Ok(answer) => answer,
                Err(Error::WouldBlock) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.take(&answer);
        }
    }
    fn take(&mut self, answer: &Message) {
        let (arrived, sum) = (player(answer.first()), player(answer.get(1)));
        let right = sum.is_some() && sum == arrived.map(|player| checksum(&state(player)));
        if right && arrived == self.under_way {
            self.under_way = None;
            self.handed += 1;
        } else if right && arrived == self.again {
            self.again = None;
        } else {
            self.wrong += 1;
        }
    }
    fn hand_over(&mut self) -> Result<()> {
        if self.finish != Finish::No || self.neighbour.is_none() || self.under_way.is_some() {
            return Ok(());
        }
        let player = self.next;
        self.next = player.wrapping_add(1);
        self.under_way = Some(player);
        self.send(player)
    }
    fn report(&mut self) -> Result<()> {
        let score = self.shared.received.load(Ordering::Relaxed).to_le_bytes();
        self.scores.send(Message::from([&b"score"[..], self.name.as_bytes(), &score]))?;
        if self.finish == Finish::Asked && self.under_way.is_none() {
            self.finish = Finish::Said;
            let [hosted, wrong] = self.hosted.each_ref().map(|count| count.load(Ordering::Relaxed));
            say(&format!("travelled {} {hosted} {}", self.handed, self.wrong + wrong))?;
        }
        Ok(())
    }
}

/// An agency at work.
pub(crate) struct Running(JoinHandle<Result<()>>);

impl Running {
    pub(crate) fn join(self) -> Result<()> {
        self.0.join().map_err(|_| anyhow!("the agency panicked"))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_is_welcome_only_with_what_is_theirs() {
        let number = 123_456u64;
        let luggage = state(number);
        assert!(luggage.len() > 1);
        let guest = |luggage: &[u8]| Message::from([&b"from"[..], &number.to_le_bytes(), luggage]);
        let answer = welcome(&guest(&luggage)).unwrap();
        assert_eq!(&answer[0][..], b"from");
        assert_eq!((player(answer.get(1)), player(answer.get(2))), (Some(number), Some(checksum(&luggage))));
        assert!(welcome(&guest(&luggage[1..])).is_none());
        assert!(welcome(&Message::from(["from", "short", ""])).is_none());
        assert!(welcome(&Message::from("alone")).is_none());
    }
}
