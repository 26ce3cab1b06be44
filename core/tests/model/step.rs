//! What may happen to a socket, drawn at random; and what of it can be seen from outside.

use omnimq_core::{AnyPattern, CloseReason, FilterError, OptionError, RecvError, SendErrorKind, Side};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) type Octets = Vec<u8>;

/// Most pipes at a time.
pub(crate) const PEERS: u32 = 4;

/// One thing that the application, a peer or the driver does. Pipes are named by their place among those there are,
/// texts by their place in the pattern's [`Alphabet`].
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The driver makes a pipe.
    Attach(Side),
    /// The peer's handshake ends; it announces this routing id.
    Ready(usize, usize),
    /// The peer's stream ends.
    HangUp(usize),
    /// The driver lets go of a pipe; what came stays readable.
    Close(usize),
    /// The driver throws a pipe away.
    Detach(usize),
    /// A message of the peer arrives.
    Arrive(usize, usize),
    /// The peer takes one message.
    Fetch(usize),
    /// The peer takes all signals.
    Hear(usize),
    /// The peer subscribes.
    Want(usize, usize),
    /// The peer cancels.
    Unwant(usize, usize),
    /// The application sends one frame, with more to follow or not.
    Send(usize, bool),
    Recv,
    CanSend,
    CanRecv,
    Subscribe(usize),
    Unsubscribe(usize),
    /// The application names the next connecting pipe.
    Name(usize),
    /// The application sets what each new pipe begins with.
    Welcome(usize),
    /// The application changes options by chance.
    Configure(u32),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Attached(Option<u32>),
    /// Nothing to be seen.
    Done,
    /// The end of the peer's stream was noticed.
    Ended(bool),
    /// Whether the pipe has gone.
    Gone(bool),
    /// Whether there was room for the peer's message.
    Room(bool),
    /// What the peer got.
    Message(Option<Vec<Octets>>),
    /// The topics that the peer has been told of, and whether it was told to close.
    Heard(BTreeSet<Octets>, Option<CloseReason>),
    Sent(Result<(), SendErrorKind>),
    Received(Result<(Octets, bool), RecvError>),
    Can(bool),
    Filtered(Result<(), FilterError>),
    Set(Result<(), OptionError>),
}

/// The texts of a pattern's trials. A `#` at the end stands for a number that no other frame has.
pub(crate) struct Alphabet {
    pub(crate) sent: &'static [&'static [u8]],
    pub(crate) arriving: &'static [&'static [&'static [u8]]],
    pub(crate) topics: &'static [&'static [u8]],
    pub(crate) names: &'static [&'static [u8]],
}

impl Alphabet {
    pub(crate) fn of(pattern: AnyPattern) -> Self {
        Self {
            sent: match pattern {
                AnyPattern::Router => &[b"a", b"ab", b"", FIRST_NAME, SECOND_NAME, b"#", b"b#"],
                AnyPattern::Pub | AnyPattern::XPub => &[b"#", b"a#", b"ab#", b"abc#", b"b#", b""],
                AnyPattern::XSub => &[b"\x01", b"\x01a", b"\x01ab", b"\0", b"\0a", b"\0ab", b"a#", b"#", b""],
                _ => &[b"#", b"b#", b""],
            },
            arriving: match pattern {
                AnyPattern::Req => REPLIES,
                AnyPattern::Rep => REQUESTS,
                _ => &[&[b"a#"], &[b"ab#", b"#"], &[b"", b"#"], &[b"b#", b"", b"#"], &[b"\x01a#"], &[b""]],
            },
            topics: &[b"", b"a", b"ab", b"abc", b"b", b"\0"],
            names: match pattern {
                AnyPattern::Router => &[b"", b"", b"a", b"ab", FIRST_NAME, SECOND_NAME],
                _ => &[b"", b"name"],
            },
        }
    }
}

/// Where generated routing ids and request ids begin.
pub(crate) const SEED: u32 = 7;
const FIRST_NAME: &[u8] = b"\0\0\0\0\x07";
const SECOND_NAME: &[u8] = b"\0\0\0\0\x08";

const REPLIES: &[&[&[u8]]] = &[
    &[b"", b"r#"],
    &[b"", b"r#", b"s#"],
    &[b"", b"", b"s#"],
    &[b"r#"],
    &[b"r#", b"s#"],
    &[b""],
    &[&7_u32.to_ne_bytes(), b"", b"r#"],
    &[&7_u32.to_ne_bytes(), b"", b"r#", b"s#"],
    &[&8_u32.to_ne_bytes(), b"", b"r#"],
    &[&8_u32.to_ne_bytes(), b"r#"],
    &[&8_u32.to_ne_bytes(), b""],
    &[&9_u32.to_ne_bytes(), b"", b"r#"],
];

const REQUESTS: &[&[&[u8]]] = &[
    &[b"", b"q#"],
    &[b"", b"q#", b"p#"],
    &[b"", b"", b"p#"],
    &[b"e#", b"", b"q#"],
    &[b"e#", b"f#", b"", b"q#"],
    &[b"q#"],
    &[b"e#", b""],
];

/// The text at `index`, numbered where it says so.
pub(crate) fn text(texts: &[&[u8]], index: usize, number: usize) -> Octets {
    match texts[index % texts.len()] {
        [head @ .., b'#'] => [head, number.to_string().as_bytes()].concat(),
        whole => whole.to_vec(),
    }
}

/// Lists of steps of which each pattern has those that say something about it.
pub(crate) fn steps(pattern: AnyPattern) -> impl Strategy<Value = Vec<Step>> {
    let has = |patterns: &[AnyPattern], weight: u32| if patterns.contains(&pattern) { weight } else { 0 };
    let (n, side) = (|| 0..12_usize, prop_oneof![Just(Side::Bind), Just(Side::Connect)]);
    let wants = has(&[AnyPattern::Pub, AnyPattern::XPub], 8);
    let filters = has(&[AnyPattern::Sub, AnyPattern::XSub, AnyPattern::XPub], 4);
    let step = prop_oneof![
        4 => side.prop_map(Step::Attach),
        8 => (n(), n()).prop_map(|(pipe, name)| Step::Ready(pipe, name)),
        2 => n().prop_map(Step::HangUp),
        3 => n().prop_map(Step::Close),
        2 => n().prop_map(Step::Detach),
        10 => (n(), n()).prop_map(|(pipe, message)| Step::Arrive(pipe, message)),
        8 => n().prop_map(Step::Fetch),
        3 => n().prop_map(Step::Hear),
        wants + 1 => (n(), n()).prop_map(|(pipe, topic)| Step::Want(pipe, topic)),
        wants / 2 + 1 => (n(), n()).prop_map(|(pipe, topic)| Step::Unwant(pipe, topic)),
        14 => (n(), prop::bool::weighted(0.4)).prop_map(|(part, more)| Step::Send(part, more)),
        12 => Just(Step::Recv),
        2 => Just(Step::CanSend),
        2 => Just(Step::CanRecv),
        filters + 1 => n().prop_map(Step::Subscribe),
        filters / 2 + 1 => n().prop_map(Step::Unsubscribe),
        has(&[AnyPattern::Router], 2) + 1 => n().prop_map(Step::Name),
        1 => n().prop_map(Step::Welcome),
        1 => any::<u32>().prop_map(Step::Configure),
    ];
    prop::collection::vec(step, 0..160)
}
