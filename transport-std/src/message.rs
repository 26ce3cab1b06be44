//! Messages: one frame or several, sent and received whole.

use crate::lane::BIG;
use omnimq_core::Blob;
use std::fmt;
use std::ops::Deref;

/// The bytes of one frame. Small ones are kept inline, large ones shared: cloning never copies more than 30 bytes, and
/// neither does [`slice`](Blob::slice).
///
/// Nothing is copied of more than 30 bytes that live for ever ([`from_static`](Blob::from_static)), of a `Vec<u8>` or
/// `String` (`from`), or of what has another owner, such as `bytes::Bytes` ([`from_owner`](Blob::from_owner)). A frame of
/// 16 KiB and more is not copied either when it is sent; smaller ones are, once, to where they are written from.
///
/// ```
/// use omnimq::Frame;
/// static PAGE: [u8; 4096] = [0; 4096];
/// let (page, vector) = (Frame::from_static(&PAGE), Frame::from(vec![7; 1000]));
/// let middle = vector.slice(100..900).unwrap();
/// assert_eq!((page.as_ptr(), middle.as_ptr()), (PAGE.as_ptr(), vector[100..].as_ptr())); // nothing was copied
/// assert_eq!(&Frame::from("reads like bytes")[..5], b"reads");
/// ```
pub type Frame = Blob;

/// A whole message: one frame or several. It reads like a slice of frames.
///
/// ```
/// use omnimq::Message;
/// let message = Message::from(["topic", "body"]);
/// assert_eq!(message.len(), 2);
/// assert_eq!(&message[1][..], b"body");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    frames: Frames,
}

#[derive(Clone, PartialEq, Eq)]
enum Frames {
    One([Frame; 1]),
    Many(Vec<Frame>),
}

impl Default for Frames {
    fn default() -> Self {
        Self::One([Frame::default()])
    }
}

impl Message {
    /// A message of these frames; an empty list becomes one empty frame.
    ///
    /// ```
    /// # use omnimq::{Frame, Message};
    /// let frames = vec![Frame::from("topic"), Frame::default(), Frame::from(vec![7; 1000])];
    /// assert_eq!(Message::from_frames(frames).len(), 3);
    /// ```
    pub fn from_frames(frames: Vec<Frame>) -> Self {
        if frames.is_empty() { Self::default() } else { Self { frames: Frames::Many(frames) } }
    }
    /// A message of one frame whose bytes live for ever: nothing is copied.
    ///
    /// ```
    /// static PAGE: [u8; 4096] = [0; 4096];
    /// assert_eq!(omnimq::Message::from_static(&PAGE).bytes().as_ptr(), PAGE.as_ptr());
    /// ```
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self { frames: Frames::One([Frame::from_static(bytes)]) }
    }
    /// The frames.
    ///
    /// ```
    /// let message = omnimq::Message::from(["sensor 7", "21.5", "°C"]);
    /// let [sensor, reading, unit] = message.frames() else { panic!("three frames") };
    /// assert_eq!((&sensor[..], &reading[..], unit.len()), (&b"sensor 7"[..], &b"21.5"[..], 3));
    /// ```
    #[inline]
    pub fn frames(&self) -> &[Frame] {
        match &self.frames {
            Frames::One(frame) => frame,
            Frames::Many(frames) => frames,
        }
    }
    /// The first frame's bytes: all there are in a message of one frame.
    ///
    /// ```
    /// let message = omnimq::Message::from("42");
    /// let number = std::str::from_utf8(message.bytes())?.parse::<u8>()?;
    /// assert_eq!(number, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.frames().first().map_or(&[], |frame| frame)
    }
    /// The frames, by value.
    ///
    /// ```
    /// # use omnimq::Message;
    /// let mut frames = Message::from(["to whom", "envelope", "body"]).into_frames();
    /// frames.remove(0);
    /// let onward = Message::from_frames(frames); // the bodies have not been copied
    /// assert_eq!(onward.bytes(), b"envelope");
    /// ```
    pub fn into_frames(self) -> Vec<Frame> {
        match self.frames {
            Frames::One([frame]) => vec![frame],
            Frames::Many(frames) => frames,
        }
    }
    /// Appends a frame.
    ///
    /// ```
    /// let mut message = omnimq::Message::from("topic");
    /// message.push(vec![7; 1000]); // kept, not copied
    /// assert_eq!(message.len(), 2);
    /// ```
    pub fn push(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        let frames = match std::mem::take(&mut self.frames) {
            Frames::One([first]) => vec![first, frame],
            Frames::Many(mut frames) => {
                frames.push(frame);
                frames
            }
        };
        self.frames = Frames::Many(frames);
    }
}

impl Deref for Message {
    type Target = [Frame];
    #[inline]
    fn deref(&self) -> &[Frame] {
        self.frames()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frames().iter().map(|frame| String::from_utf8_lossy(frame))).finish()
    }
}

impl From<Frame> for Message {
    #[inline]
    fn from(frame: Frame) -> Self {
        Self { frames: Frames::One([frame]) }
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Frame::from(bytes))
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::from(Frame::from(bytes))
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<T: AsRef<[u8]>, const N: usize> From<[T; N]> for Message {
    fn from(frames: [T; N]) -> Self {
        Self::from_frames(frames.iter().map(|frame| Frame::from(frame.as_ref())).collect())
    }
}

/// What can be sent as a whole message: bytes, a [`Frame`], a [`Message`], an array or vector of them.
///
/// Bytes are copied once, to where they are sent from. Frames of 16 KiB and more are shared, and so is what was given by
/// value ([`Outgoing`]).
///
/// ```
/// use omnimq::{Part, Sendable};
/// struct Price<'a>(&'a str, [u8; 8]);
/// impl Sendable for Price<'_> {
///     fn count(&self) -> usize {
///         2
///     }
///     fn frame(&self, n: usize) -> Part<'_> {
///         Part::Bytes(if n == 0 { self.0.as_bytes() } else { &self.1 })
///     }
/// }
/// # let context = omnimq::Context::new()?;
/// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
/// # push.connect(&pull.bind("inproc://work")?)?;
/// push.send(&Price("tea", 395_u64.to_be_bytes()))?; // no message is made of it first
/// assert_eq!(pull.try_recv()?.len(), 2);
/// # Ok::<(), omnimq::Error>(())
/// ```
pub trait Sendable {
    /// How many frames there are; at least one.
    fn count(&self) -> usize;
    /// Frame `n`, counted from 0.
    fn frame(&self, n: usize) -> Part<'_>;
}

/// What a call to send takes: a [`Sendable`] by value, or borrowed.
///
/// A refused message comes back, unless it was borrowed: then the caller has it still. Vectors and strings of 16 KiB and
/// more that are given by value are sent from where they are, and come back so.
///
/// ```
/// use omnimq::{Error, Outgoing, Push};
/// /// Takes whatever `send` takes; whether it was sent.
/// fn offer(push: &mut Push, work: impl Outgoing) -> Result<bool, Error> {
///     match push.try_send(work).map_err(Error::from) {
///         Err(Error::WouldBlock) => Ok(false),
///         sent => sent.map(|()| true),
///     }
/// }
/// # let mut push = Push::new(&omnimq::Context::new()?)?;
/// assert!(!offer(&mut push, "nobody")? && !offer(&mut push, vec![7; 1000])? && !offer(&mut push, &["is", "there"])?);
/// # Ok::<(), Error>(())
/// ```
pub trait Outgoing {
    /// What keeps the message until it is sent or refused.
    type Held: Sendable;
    /// What a refused message comes back as: itself, or `()`.
    type Unsent;
    /// It is to be sent.
    fn hold(self) -> Self::Held;
    /// It has been refused.
    fn give_back(held: Self::Held) -> Self::Unsent;
}

impl<T: Sendable + ?Sized> Outgoing for &T {
    type Held = Self;
    type Unsent = ();
    #[inline]
    fn hold(self) -> Self {
        self
    }
    #[inline]
    fn give_back(_: Self) {}
}

/// Implements [`Outgoing`] for messages that are held as they are.
macro_rules! outgoing {
    ($($type:ty $(, $n:ident)?;)*) => { $(
        impl$(<const $n: usize>)? $crate::message::Outgoing for $type {
            type Held = Self;
            type Unsent = Self;
            #[inline]
            fn hold(self) -> Self {
                self
            }
            #[inline]
            fn give_back(held: Self) -> Self {
                held
            }
        }
    )* };
}

outgoing! {
    Message;
    Frame;
    Vec<Frame>;
    [Frame; N], N;
    [u8; N], N;
}
#[cfg(feature = "bytes")]
pub(crate) use outgoing;

macro_rules! outgoing_borrowed {
    ($($type:ty),*) => { $(
        impl<const N: usize> Outgoing for [$type; N] {
            type Held = Self;
            type Unsent = ();
            #[inline]
            fn hold(self) -> Self {
                self
            }
            #[inline]
            fn give_back(_: Self) {}
        }
    )* };
}

outgoing_borrowed!(&[u8], &str);

/// Bytes that were given away: those of a large vector are shared, to be sent from where they are. See [`Outgoing`].
#[derive(Debug)]
pub enum Given {
    /// To be copied.
    Small(Vec<u8>),
    /// To be shared.
    Large(Frame),
}

impl Given {
    fn new(bytes: Vec<u8>) -> Self {
        if bytes.len() < BIG { Self::Small(bytes) } else { Self::Large(bytes.into()) }
    }
    fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(frame) => frame.into(),
        }
    }
    fn into_string(self) -> String {
        // It was one.
        String::from_utf8(self.into_vec()).unwrap_or_default()
    }
}

macro_rules! outgoing_given {
    ($($type:ty, $bytes:expr, $back:expr;)*) => { $(
        impl Outgoing for $type {
            type Held = Given;
            type Unsent = Self;
            #[inline]
            fn hold(self) -> Given {
                Given::new($bytes(self))
            }
            #[inline]
            fn give_back(held: Given) -> Self {
                $back(held)
            }
        }

        impl<const N: usize> Outgoing for [$type; N] {
            type Held = [Given; N];
            type Unsent = Self;
            #[inline]
            fn hold(self) -> [Given; N] {
                self.map(|part| Given::new($bytes(part)))
            }
            #[inline]
            fn give_back(held: [Given; N]) -> Self {
                held.map($back)
            }
        }
    )* };
}

outgoing_given! {
    Vec<u8>, std::convert::identity, Given::into_vec;
    String, String::into_bytes, Given::into_string;
}

/// One frame to be sent.
///
/// ```
/// # use omnimq::{Frame, Part, Sendable};
/// struct Cached(Frame);
/// impl Sendable for Cached {
///     fn count(&self) -> usize {
///         2
///     }
///     fn frame(&self, n: usize) -> Part<'_> {
///         if n == 0 { Part::Bytes(b"cached") } else { Part::Frame(&self.0) }
///     }
/// }
/// # let context = omnimq::Context::new()?;
/// # let (mut pull, mut push) = (omnimq::Pull::new(&context)?, omnimq::Push::new(&context)?);
/// # push.connect(&pull.bind("inproc://work")?)?;
/// # let cached = Cached(vec![7; 100_000].into());
/// push.send(&cached)?;
/// assert_eq!(pull.try_recv()?[1].as_ptr(), cached.0.as_ptr()); // within a process, the very same
/// # Ok::<(), omnimq::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Part<'a> {
    /// Bytes to be copied.
    Bytes(&'a [u8]),
    /// A frame to be shared.
    Frame(&'a Frame),
    /// A frame that was made for this.
    Owned(Frame),
}

impl<T: Sendable + ?Sized> Sendable for &T {
    #[inline]
    fn count(&self) -> usize {
        (**self).count()
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        (**self).frame(n)
    }
}

impl Sendable for Given {
    #[inline]
    fn count(&self) -> usize {
        1
    }
    #[inline]
    fn frame(&self, _: usize) -> Part<'_> {
        match self {
            Self::Small(bytes) => Part::Bytes(bytes),
            Self::Large(frame) => Part::Frame(frame),
        }
    }
}

impl<const N: usize> Sendable for [Given; N] {
    #[inline]
    fn count(&self) -> usize {
        self.len().max(1)
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        self.get(n).map_or(Part::Bytes(&[]), |given| given.frame(0))
    }
}

impl Sendable for Message {
    #[inline]
    fn count(&self) -> usize {
        self.frames().len()
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        self.frames().frame(n)
    }
}

impl Sendable for [Frame] {
    #[inline]
    fn count(&self) -> usize {
        self.len().max(1)
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        self.get(n).map_or(Part::Bytes(&[]), Part::Frame)
    }
}

impl Sendable for Vec<Frame> {
    #[inline]
    fn count(&self) -> usize {
        self.as_slice().count()
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        self.as_slice().frame(n)
    }
}

impl<const N: usize> Sendable for [Frame; N] {
    #[inline]
    fn count(&self) -> usize {
        self.as_slice().count()
    }
    #[inline]
    fn frame(&self, n: usize) -> Part<'_> {
        self.as_slice().frame(n)
    }
}

impl Sendable for Frame {
    #[inline]
    fn count(&self) -> usize {
        1
    }
    #[inline]
    fn frame(&self, _: usize) -> Part<'_> {
        Part::Frame(self)
    }
}

macro_rules! sendable_bytes {
    ($($type:ty),*) => { $(
        impl Sendable for $type {
            #[inline]
            fn count(&self) -> usize {
                1
            }
            #[inline]
            fn frame(&self, _: usize) -> Part<'_> {
                Part::Bytes(self.as_ref())
            }
        }
    )* };
}

sendable_bytes!([u8], str, Vec<u8>, String);

impl<const N: usize> Sendable for [u8; N] {
    #[inline]
    fn count(&self) -> usize {
        1
    }
    #[inline]
    fn frame(&self, _: usize) -> Part<'_> {
        Part::Bytes(self)
    }
}

macro_rules! sendable_arrays {
    ($($type:ty),*) => { $(
        impl<const N: usize> Sendable for [$type; N] {
            #[inline]
            fn count(&self) -> usize {
                self.len().max(1)
            }
            #[inline]
            fn frame(&self, n: usize) -> Part<'_> {
                self.get(n).map_or(Part::Bytes(&[]), |bytes| Part::Bytes(bytes.as_ref()))
            }
        }
    )* };
}

sendable_arrays!(&[u8], &str, Vec<u8>, String);
