//! Messages: one frame or several, sent and received whole.

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
/// Bytes are copied once, to where they are sent from. Frames of 16 KiB and more are shared.
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
/// A refused message comes back, unless it was borrowed: then the caller has it still.
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
    /// What is sent.
    type Message: Sendable + ?Sized;
    /// What a refused message comes back as: itself, or `()`.
    type Unsent;
    /// What is sent.
    fn message(&self) -> &Self::Message;
    /// It has been refused.
    fn into_unsent(self) -> Self::Unsent;
}

impl<T: Sendable + ?Sized> Outgoing for &T {
    type Message = T;
    type Unsent = ();
    #[inline]
    fn message(&self) -> &T {
        self
    }
    #[inline]
    fn into_unsent(self) {}
}

macro_rules! outgoing {
    ($($type:ty),*) => { $(
        impl Outgoing for $type {
            type Message = Self;
            type Unsent = Self;
            #[inline]
            fn message(&self) -> &Self {
                self
            }
            #[inline]
            fn into_unsent(self) -> Self {
                self
            }
        }
    )* };
}

outgoing!(Message, Frame, Vec<Frame>, Vec<u8>, String);

impl<const N: usize> Outgoing for [u8; N] {
    type Message = Self;
    type Unsent = Self;
    #[inline]
    fn message(&self) -> &Self {
        self
    }
    #[inline]
    fn into_unsent(self) -> Self {
        self
    }
}

macro_rules! outgoing_arrays {
    ($($type:ty => $unsent:ty, $give_back:expr;)*) => { $(
        impl<const N: usize> Outgoing for [$type; N] {
            type Message = Self;
            type Unsent = $unsent;
            #[inline]
            fn message(&self) -> &Self {
                self
            }
            #[inline]
            fn into_unsent(self) -> $unsent {
                $give_back(self)
            }
        }
    )* };
}

outgoing_arrays! {
    &[u8] => (), |_| ();
    &str => (), |_| ();
    Vec<u8> => Self, |unsent| unsent;
    String => Self, |unsent| unsent;
    Frame => Self, |unsent| unsent;
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
