//! Two network devices joined by a cable that loses, corrupts, duplicates, delays and reorders frames, by seed and in virtual
//! time.

use omnimq_seeds::Rng;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::{Duration, Instant};
use std::cell::RefCell;
use std::rc::Rc;

/// What a cable does to frames; each number is a chance in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub lose: u64,
    pub corrupt: u64,
    pub duplicate: u64,
    /// Frames take up to so many milliseconds, each its own time: late ones are overtaken.
    pub delay: u64,
}

impl Weather {
    pub const CALM: Self = Self { lose: 0, corrupt: 0, duplicate: 0, delay: 0 };
    pub const BAD: Self = Self { lose: 60, corrupt: 30, duplicate: 30, delay: 5 };
    /// Nothing arrives.
    pub const CUT: Self = Self { lose: 1000, corrupt: 0, duplicate: 0, delay: 0 };
}

/// Both directions of a cable.
pub struct Cable {
    pub weather: Weather,
    medium: Medium,
    rng: Rng,
    flying: [Vec<(Instant, Vec<u8>)>; 2],
}

impl Cable {
    pub fn new(medium: Medium, weather: Weather, seed: u64) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { weather, medium, rng: Rng::new(seed), flying: [Vec::new(), Vec::new()] }))
    }
    /// When the next frame arrives anywhere.
    pub fn next(&self) -> Option<Instant> {
        self.flying.iter().flatten().map(|(due, _)| *due).min()
    }
    fn send(&mut self, to: usize, mut frame: Vec<u8>, now: Instant) {
        if self.rng.chance(self.weather.lose) {
            return;
        }
        if self.rng.chance(self.weather.corrupt) {
            let at = self.rng.draw() as usize % frame.len();
            frame[at] ^= 1 << (self.rng.draw() % 8);
        }
        let copies = if self.rng.chance(self.weather.duplicate) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if self.weather.delay > 0 { self.rng.draw() % (1000 * self.weather.delay) } else { 0 };
            self.flying[to].push((now + Duration::from_micros(delay), frame.clone()));
        }
    }
    fn receive(&mut self, at: usize, now: Instant) -> Option<Vec<u8>> {
        let due = |(_, (due, _)): &(usize, &(Instant, Vec<u8>))| *due;
        let (place, (due, _)) = self.flying[at].iter().enumerate().min_by_key(due)?;
        (*due <= now).then(|| self.flying[at].remove(place).1)
    }
}

/// One end of a cable.
pub struct End {
    pub cable: Rc<RefCell<Cable>>,
    pub at: usize,
}

pub struct Received(Vec<u8>);

pub struct Sending<'a>(&'a End, Instant);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut frame = vec![0; len];
        let filled = fill(&mut frame);
        self.0.cable.borrow_mut().send(1 - self.0.at, frame, self.1);
        filled
    }
}

impl Device for End {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;
    fn receive(&mut self, now: Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.cable.borrow_mut().receive(self.at, now)?;
        Some((Received(frame), Sending(self, now)))
    }
    fn transmit(&mut self, now: Instant) -> Option<Sending<'_>> {
        Some(Sending(self, now))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = self.cable.borrow().medium;
        capabilities.max_transmission_unit = 600;
        capabilities
    }
}
