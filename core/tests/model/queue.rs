//! One direction of a pipe as it is meant: a list of whole messages, and the high-water mark by its definition.

use crate::step::Octets;
use std::collections::VecDeque;

pub(crate) struct Queue {
    hwm: u32,
    messages: VecDeque<VecDeque<Octets>>,
    begun: VecDeque<Octets>,
    /// Messages read of which the writer has not heard.
    unreported: u32,
}

impl Queue {
    pub(crate) fn new(hwm: u32) -> Self {
        Self { hwm, messages: VecDeque::new(), begun: VecDeque::new(), unreported: 0 }
    }
    pub(crate) fn has_room(&self) -> bool {
        (self.messages.len() as u32) + self.unreported < self.hwm
    }
    pub(crate) fn write(&mut self, part: Octets, more: bool) {
        self.begun.push_back(part);
        if !more {
            self.messages.push_back(std::mem::take(&mut self.begun));
        }
    }
    pub(crate) fn roll_back(&mut self) {
        self.begun.clear();
    }
    /// What is left of the oldest message.
    pub(crate) fn front(&self) -> Option<&VecDeque<Octets>> {
        self.messages.front()
    }
    pub(crate) fn read(&mut self) -> Option<(Octets, bool)> {
        let message = self.messages.front_mut()?;
        let part = message.pop_front()?;
        let more = !message.is_empty();
        if !more {
            self.messages.pop_front();
            self.unreported = (self.unreported + 1) % self.hwm.div_ceil(2);
        }
        Some((part, more))
    }
    pub(crate) fn read_message(&mut self) -> Option<Vec<Octets>> {
        let count = self.front()?.len();
        Some((0..count).filter_map(|_| self.read()).map(|(part, _)| part).collect())
    }
    pub(crate) fn discard(&mut self) {
        while self.read().is_some() {}
    }
}
