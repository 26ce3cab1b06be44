//! What PUB and XPUB share: each message to every pipe that wants it and has room (RFC 29).

use super::fan_out::FanOut;
use super::topic_table::TopicTable;
use crate::body::Payload;
use crate::error::{SendError, SendErrorKind};
use crate::options::Options;
use crate::socket::Pipes;
use crate::storage::{PipeId, PipeSet, Storage};

/// Topics and the message being sent.
pub(super) struct Publisher<S: Storage> {
    pub(super) topics: TopicTable<S>,
    fan_out: FanOut<S>,
    attached: S::Set,
    nodrop: bool,
    invert: bool,
}

impl<S: Storage> Publisher<S> {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            topics: TopicTable::new(&options.limits),
            fan_out: FanOut::default(),
            attached: S::Set::default(),
            nodrop: options.nodrop,
            invert: options.invert_matching,
        }
    }
    pub(super) fn configure(&mut self, options: &Options) {
        (self.nodrop, self.invert) = (options.nodrop, options.invert_matching);
        self.topics.configure(&options.limits);
    }
    pub(super) fn on_attach(&mut self, id: PipeId) {
        self.attached.insert(id);
    }
    pub(super) fn on_close(&mut self, pipes: &mut Pipes<S>, id: PipeId) {
        self.attached.remove(id);
        self.fan_out.forget(pipes, id);
    }
    /// Sends one frame.
    ///
    /// # Errors
    /// `Again` with `nodrop`, on a first frame that not all who want it have room for. `TooLarge`.
    pub(super) fn send<F: Payload<S::Body>>(&mut self, pipes: &mut Pipes<S>, frame: F) -> Result<(), SendError<F>> {
        if !self.fan_out.is_open() {
            self.aim(frame.bytes());
            if self.nodrop && !self.fan_out.all_writable(pipes) {
                return Err(SendError::new(frame, SendErrorKind::Again));
            }
            self.fan_out.prune(pipes);
        }
        self.fan_out.send(pipes, frame)
    }
    /// Finds the receivers of a message that begins with `text`.
    fn aim(&mut self, text: &[u8]) {
        let targets = self.fan_out.targets();
        if !self.invert {
            return self.topics.matches(text, targets);
        }
        let mut matching = S::Set::default();
        self.topics.certain_matches(text, &mut matching);
        targets.merge(&self.attached);
        let mut at = PipeId(0);
        while let Some(id) = matching.at_or_after(at) {
            targets.remove(id);
            at = id.next();
        }
    }
}
