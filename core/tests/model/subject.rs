//! The socket under trial, with the other ends of its pipes played as a driver and peers would.

use crate::step::{Alphabet, Octets, SEED, Seen, Step, text};
use omnimq_core::{AnyPattern, CloseReason, LocalStorage, Options, Piece, PipeId, PipeReader, PipeWriter, Signal, Socket};
use std::collections::{BTreeMap, BTreeSet};

/// Options and pattern of one trial.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) pattern: AnyPattern,
    pub(crate) options: Options,
}

impl Setting {
    /// Marks of one to four messages; every other option by chance.
    pub(crate) fn new(pattern: AnyPattern, [send_hwm, recv_hwm]: [u32; 2], chance: u32) -> Self {
        let mut options = Options::new(SEED);
        (options.send_hwm, options.recv_hwm) = (send_hwm, recv_hwm);
        (options.limits.peers, options.manual) = (crate::step::PEERS, chance >> 6 & 1 == 1);
        Self { pattern, options }.changed(chance)
    }
    /// With other options that may change while the socket is in use.
    pub(crate) fn changed(&self, chance: u32) -> Self {
        let Self { pattern, mut options } = *self;
        let flag = |bit: u32| chance >> bit & 1 == 1;
        (options.mandatory, options.handover, options.probe_router) = (flag(0), flag(1), flag(2) && flag(3));
        (options.correlate, options.relaxed) = (flag(4), flag(5));
        (options.nodrop, options.invert_matching) = (flag(7), flag(8) && flag(9));
        options.verbosity = match chance >> 10 & 3 {
            0 => omnimq_core::Verbosity::Subscriptions,
            1 => omnimq_core::Verbosity::All,
            _ => omnimq_core::Verbosity::Changes,
        };
        Self { pattern, options }
    }
}

pub(crate) struct Subject<S: LocalStorage> {
    socket: Socket<AnyPattern, S>,
    setting: Setting,
    alphabet: Alphabet,
    /// What each peer has been told of.
    known: BTreeMap<u32, BTreeSet<Octets>>,
}

impl<S: LocalStorage> Subject<S> {
    pub(crate) fn new(setting: &Setting) -> Self {
        let (socket, alphabet) = (Socket::new(setting.pattern, &setting.options), Alphabet::of(setting.pattern));
        Self { socket, setting: setting.clone(), alphabet, known: BTreeMap::new() }
    }
    /// Does the `number`th step to the pipe named.
    pub(crate) fn act(&mut self, number: usize, step: &Step, pipe: u32) -> Seen {
        let id = PipeId(pipe);
        match *step {
            Step::Attach(side) => {
                let Options { send_hwm, recv_hwm, .. } = self.setting.options;
                let (tx, rx) = (S::lane(send_hwm), S::lane(recv_hwm));
                Seen::Attached(self.socket.attach(tx, rx, side).map(|id| id.0))
            }
            Step::Ready(_, name) => {
                self.known.insert(pipe, BTreeSet::new());
                let name = text(self.alphabet.names, name, number);
                assert_eq!(self.signal(id, Signal::Ready(&name)), None);
                Seen::Done
            }
            Step::HangUp(_) => {
                let reason = CloseReason::EndOfStream;
                Seen::Ended(self.signal(id, Signal::Close(reason)) == Some(reason))
            }
            Step::Close(_) => Seen::Gone(self.socket.close_pipe(id)),
            Step::Detach(_) => Seen::Gone(self.socket.detach(id).is_some()),
            Step::Arrive(_, message) => Seen::Room(self.arrive(number, id, message)),
            Step::Fetch(_) => Seen::Message(self.fetch(id)),
            Step::Hear(_) => self.hear(id),
            Step::Want(_, topic) => {
                let topic = text(self.alphabet.topics, topic, number);
                assert_eq!(self.signal(id, Signal::Subscribe(&topic)), None);
                Seen::Done
            }
            Step::Unwant(_, topic) => {
                let topic = text(self.alphabet.topics, topic, number);
                assert_eq!(self.signal(id, Signal::Cancel(&topic)), None);
                Seen::Done
            }
            _ => self.call(number, step),
        }
    }
    /// What the application does.
    fn call(&mut self, number: usize, step: &Step) -> Seen {
        match *step {
            Step::Send(part, more) => {
                let bytes = text(self.alphabet.sent, part, number);
                Seen::Sent(self.socket.send(Piece { bytes: &bytes, more }).map_err(|error| error.kind))
            }
            Step::Recv => Seen::Received(self.socket.recv().map(|frame| (frame.body.as_ref().to_vec(), frame.more))),
            Step::CanSend => Seen::Can(self.socket.can_send()),
            Step::CanRecv => Seen::Can(self.socket.can_recv()),
            Step::Subscribe(topic) => Seen::Filtered(self.socket.subscribe(&text(self.alphabet.topics, topic, number))),
            Step::Unsubscribe(topic) => Seen::Filtered(self.socket.unsubscribe(&text(self.alphabet.topics, topic, number))),
            Step::Name(name) => Seen::Set(self.socket.connect_routing_id(&text(self.alphabet.names, name, number))),
            Step::Welcome(topic) => Seen::Set(self.socket.welcome(&text(self.alphabet.topics, topic, number))),
            Step::Configure(chance) => {
                self.socket.configure(&self.setting.changed(chance).options);
                Seen::Done
            }
            _ => unreachable!("this happens to a pipe"),
        }
    }
    /// The pipes there are.
    pub(crate) fn pipes(&mut self) -> BTreeSet<u32> {
        let live = |socket: &Socket<AnyPattern, S>| (0..8).filter(|id| !socket.is_gone(PipeId(*id))).collect();
        // A pipe that a send has read empty goes when the socket looks at any.
        if let Some(first) = BTreeSet::first(&live(&self.socket)) {
            assert_eq!(self.socket.process(PipeId(*first)), None);
        }
        live(&self.socket)
    }
    pub(crate) fn dropped(&self) -> u64 {
        self.socket.dropped()
    }
    fn signal(&mut self, id: PipeId, signal: Signal<&[u8]>) -> Option<CloseReason> {
        self.socket.pipe(id).expect("a pipe").rx.signal(signal).expect("room for a signal");
        self.socket.process(id)
    }
    fn arrive(&mut self, number: usize, id: PipeId, message: usize) -> bool {
        let rx = &mut self.socket.pipe(id).expect("a pipe").rx;
        if !rx.writable() {
            return false;
        }
        let parts = self.alphabet.arriving[message % self.alphabet.arriving.len()];
        for at in 0..parts.len() {
            rx.write_bytes(&text(parts, at, number), at + 1 < parts.len()).expect("a message begun is taken");
        }
        assert_eq!(self.socket.process(id), None);
        true
    }
    fn fetch(&mut self, id: PipeId) -> Option<Vec<Octets>> {
        let tx = &mut self.socket.pipe(id).expect("a pipe").tx;
        let mut message = Vec::new();
        while let Some(frame) = tx.read() {
            message.push(frame.body.as_ref().to_vec());
            if !frame.more {
                assert_eq!(self.socket.process(id), None);
                return Some(message);
            }
        }
        assert!(message.is_empty(), "a torn message");
        None
    }
    fn hear(&mut self, id: PipeId) -> Seen {
        let (known, mut close) = (self.known.entry(id.0).or_default(), None);
        while let Some(signal) = self.socket.pipe(id).expect("a pipe").tx.pop_signal() {
            match signal {
                Signal::Subscribe(topic) => drop(known.insert(topic.as_ref().to_vec())),
                Signal::Cancel(topic) => drop(known.remove(topic.as_ref())),
                Signal::Close(reason) => drop(close.get_or_insert(reason)),
                Signal::Ready(_) => panic!("Ready goes up only"),
            }
            assert_eq!(self.socket.process(id), None);
        }
        Seen::Heard(known.clone(), close)
    }
}
