//! Storage on the allocator: small bodies inline, large ones counted and shared.

use super::{LocalStorage, Map, PipeId, PipeSet, Queue as Fifos, Storage, Table, Topics};
use crate::body::{Body, Draft, Frame, Input, Sink};
use crate::error::Refusal;
use crate::pipe::{Credit, Front, PipeReader, PipeWriter, Receipts, Signal};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

/// Bodies up to this size live in the frame.
pub const INLINE: usize = 30;

/// Bytes: inline, borrowed for ever, or a range of a counted allocation. Cloning never copies more than `INLINE` bytes.
#[derive(Clone)]
pub struct Blob(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Static(&'static [u8]),
    Counted { bytes: Arc<Vec<u8>>, start: usize, len: usize },
}

impl Default for Blob {
    #[inline]
    fn default() -> Self {
        Self(Repr::Inline { len: 0, bytes: [0; INLINE] })
    }
}

impl AsRef<[u8]> for Blob {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Static(bytes) => bytes,
            Repr::Counted { bytes, start, len } => bytes.get(*start..*start + *len).unwrap_or_default(),
        }
    }
}

impl core::ops::Deref for Blob {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_ref()
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Blob {}

impl core::fmt::Debug for Blob {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl From<Vec<u8>> for Blob {
    /// Keeps the vector; copies only what fits inline.
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        Self::inline(&bytes).unwrap_or_else(|| Self(Repr::Counted { bytes: Arc::new(bytes), start: 0, len }))
    }
}

impl From<&[u8]> for Blob {
    #[inline]
    fn from(bytes: &[u8]) -> Self {
        Self::inline(bytes).unwrap_or_else(|| Self::from(bytes.to_vec()))
    }
}

impl Blob {
    /// Bytes that live for ever, kept by reference.
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self(Repr::Static(bytes))
    }
    /// Part of a counted buffer, by reference unless it fits inline; `None` when `range` is not within it.
    #[inline]
    pub fn from_shared(bytes: &Arc<Vec<u8>>, range: Range<usize>) -> Option<Self> {
        let from = bytes.get(range.clone())?;
        Some(
            Self::inline(from)
                .unwrap_or_else(|| Self(Repr::Counted { bytes: Arc::clone(bytes), start: range.start, len: range.len() })),
        )
    }
    /// Part of these bytes, by reference unless it fits inline; `None` when `range` is not within them.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        let from = self.as_ref().get(range.clone())?;
        if let Some(small) = Self::inline(from) {
            return Some(small);
        }
        Some(Self(match &self.0 {
            Repr::Inline { .. } => return None,
            Repr::Static(bytes) => Repr::Static(bytes.get(range)?),
            Repr::Counted { bytes, start, .. } => {
                Repr::Counted { bytes: Arc::clone(bytes), start: start + range.start, len: range.len() }
            }
        }))
    }
    /// Whether these bytes share an allocation that others may share.
    pub const fn is_counted(&self) -> bool {
        matches!(self.0, Repr::Counted { .. })
    }
    #[inline]
    fn inline(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; INLINE];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self(Repr::Inline { len: from.len() as u8, bytes }))
    }
}

impl Body for Blob {
    type Draft = Filling;
    #[inline]
    fn copy_from(bytes: &[u8]) -> Option<Self> {
        Some(Self::from(bytes))
    }
}

/// A large body being read straight into its final allocation, which grows with what has arrived.
pub struct Filling {
    bytes: Vec<u8>,
    filled: usize,
    len: usize,
}

impl Filling {
    /// Room made before anything has arrived.
    const FIRST: usize = 64 << 10;
}

impl Draft for Filling {
    type Body = Blob;
    fn with_len(len: usize) -> Option<Self> {
        Some(Self { bytes: alloc::vec![0; len.min(Self::FIRST)], filled: 0, len })
    }
    fn missing(&self) -> usize {
        self.len - self.filled
    }
    fn space(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            let more = self.filled.saturating_mul(2).min(self.len);
            self.bytes.reserve_exact(more - self.filled);
            self.bytes.resize(more, 0);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
    fn advance(&mut self, n: usize) {
        self.filled = (self.filled + n).min(self.bytes.len());
    }
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.filled).unwrap_or_default()
    }
    fn freeze(self, skip: usize) -> Blob {
        let (skip, len) = (skip.min(self.filled), self.filled);
        Blob::inline(self.bytes.get(skip..len).unwrap_or_default())
            .unwrap_or_else(|| Blob(Repr::Counted { bytes: Arc::new(self.bytes), start: skip, len: len - skip }))
    }
}

/// A counted read buffer: bodies longer than `INLINE` are ranges of it.
pub struct Slab {
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Slab {
    /// `range` of `bytes` is what was read; a range beyond them is empty.
    pub fn new(bytes: Arc<Vec<u8>>, range: Range<usize>) -> Self {
        Self { bytes, range }
    }
}

impl Input<Blob> for Slab {
    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }
    #[inline]
    fn body(&self, range: Range<usize>) -> Option<Blob> {
        self.bytes().get(range.clone())?;
        Blob::from_shared(&self.bytes, self.range.start + range.start..self.range.start + range.end)
    }
}

/// Storage on the allocator, single owner.
pub struct Heap;

impl Storage for Heap {
    type Body = Blob;
    type Tx = Queue;
    type Rx = Queue;
    type Key = Blob;
    type Table<T> = Slots<T>;
    type Names<V> = Keys<V>;
    type Topics<V> = Keys<V>;
    type Queue<T> = Fifo<T>;
    type Set = Words;
    fn key(bytes: &[u8]) -> Option<Blob> {
        Blob::copy_from(bytes)
    }
}

impl LocalStorage for Heap {
    type Lane = Queue;
    fn lane(hwm: u32) -> Queue {
        Queue {
            frames: VecDeque::new(),
            open: 0,
            credit: Credit::new(hwm),
            receipts: Receipts::new(hwm),
            signals: VecDeque::new(),
        }
    }
}

/// A single-owner lane: both ends in one struct.
pub struct Queue {
    frames: VecDeque<Frame<Blob>>,
    /// Frames at the back that belong to the uncommitted message.
    open: usize,
    credit: Credit,
    receipts: Receipts,
    signals: VecDeque<Signal<Blob>>,
}

impl PipeWriter for Queue {
    type Body = Blob;
    #[inline]
    fn room(&mut self) -> u32 {
        self.credit.room()
    }
    #[inline]
    fn write(&mut self, frame: Frame<Blob>) -> Result<(), (Frame<Blob>, Refusal)> {
        if self.open == 0 && !self.credit.available() {
            return Err((frame, Refusal::Full));
        }
        if frame.more {
            self.open += 1;
        } else {
            self.open = 0;
            self.credit.on_commit(1);
        }
        self.frames.push_back(frame);
        Ok(())
    }
    fn rollback(&mut self) {
        self.frames.truncate(self.frames.len() - self.open);
        self.open = 0;
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        self.signals.push_back(signal.try_map(Blob::copy_from).ok_or(Refusal::TooLarge)?);
        Ok(())
    }
}

impl PipeReader for Queue {
    type Body = Blob;
    type Key = Blob;
    #[inline]
    fn front(&mut self) -> Option<Front> {
        if self.frames.len() == self.open {
            return None;
        }
        let frame = self.frames.front()?;
        Some(Front { len: frame.body.as_ref().len(), more: frame.more })
    }
    #[inline]
    fn lend(&self, from: usize, sink: &mut impl Sink<Blob>) -> usize {
        self.frames.front().map_or(0, |frame| sink.put_body(&frame.body, from))
    }
    #[inline]
    fn read(&mut self) -> Option<Frame<Blob>> {
        if self.frames.len() == self.open {
            return None;
        }
        let frame = self.frames.pop_front()?;
        if !frame.more {
            if let Some(total) = self.receipts.on_read(1) {
                self.credit.on_return(total);
            }
        }
        Some(frame)
    }
    #[inline]
    fn skip(&mut self) {
        let more = self.frames.front().is_some_and(|frame| frame.more);
        self.frames.pop_front();
        if !more {
            if let Some(total) = self.receipts.on_read(1) {
                self.credit.on_return(total);
            }
        }
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        self.signals.front().map(Signal::as_ref)
    }
    fn pop_signal(&mut self) -> Option<Signal<Blob>> {
        self.signals.pop_front()
    }
}

/// A growing table.
pub struct Slots<T>(Vec<Option<T>>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> for Slots<T> {
    fn vacant(&mut self) -> Option<PipeId> {
        let at = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        u32::try_from(at).ok().map(PipeId)
    }
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T> {
        if self.0.len() <= id.index() {
            self.0.resize_with(id.index() + 1, || None);
        }
        if let Some(slot) = self.0.get_mut(id.index()) {
            *slot = Some(value);
        }
        Ok(())
    }
    #[inline]
    fn get(&self, id: PipeId) -> Option<&T> {
        self.0.get(id.index())?.as_ref()
    }
    #[inline]
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T> {
        self.0.get_mut(id.index())?.as_mut()
    }
    fn take(&mut self, id: PipeId) -> Option<T> {
        self.0.get_mut(id.index())?.take()
    }
    fn bound(&self) -> u32 {
        self.0.len() as u32
    }
}

/// Values by byte string. A trie would take its place; the prefix walk here is one lookup per key length.
pub struct Keys<V> {
    map: BTreeMap<Vec<u8>, V>,
    longest: usize,
}

impl<V> Default for Keys<V> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), longest: 0 }
    }
}

impl<V> Map<V> for Keys<V> {
    fn get(&self, key: &[u8]) -> Option<&V> {
        self.map.get(key)
    }
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        self.longest = self.longest.max(key.len());
        Some(self.map.entry(key.to_vec()).or_default())
    }
    fn remove(&mut self, key: &[u8]) -> Option<V> {
        self.map.remove(key)
    }
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        self.map.get_mut(key)
    }
    fn len(&self) -> usize {
        self.map.len()
    }
}

impl<V> Topics<V> for Keys<V> {
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(&V)) {
        for len in 0..=self.longest.min(text.len()) {
            if let Some(value) = text.get(..len).and_then(|key| self.map.get(key)) {
                visit(value);
            }
        }
    }
    fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut V) -> bool) {
        self.map.retain(|key, value| keep(key, value));
    }
}

/// Any number of pipes, one bit each.
#[derive(Clone, Default)]
pub struct Words(Vec<u64>);

impl PipeSet for Words {
    #[inline]
    fn insert(&mut self, id: PipeId) {
        let word = id.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (id.0 % 64);
        }
    }
    #[inline]
    fn remove(&mut self, id: PipeId) {
        if let Some(bits) = self.0.get_mut(id.index() / 64) {
            *bits &= !(1 << (id.0 % 64));
        }
    }
    fn contains(&self, id: PipeId) -> bool {
        self.0.get(id.index() / 64).is_some_and(|bits| bits >> (id.0 % 64) & 1 != 0)
    }
    fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (to, from) in self.0.iter_mut().zip(&other.0) {
            *to |= from;
        }
    }
    fn clear(&mut self) {
        self.0.fill(0);
    }
    fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }
    #[inline]
    fn at_or_after(&self, from: PipeId) -> Option<PipeId> {
        let mut word = from.index() / 64;
        let mut bits = self.0.get(word)? & (u64::MAX << (from.0 % 64));
        while bits == 0 {
            word += 1;
            bits = *self.0.get(word)?;
        }
        Some(PipeId((word * 64) as u32 + bits.trailing_zeros()))
    }
}

/// An unbounded queue.
pub struct Fifo<T>(VecDeque<T>);

impl<T> Default for Fifo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Fifos<T> for Fifo<T> {
    fn push(&mut self, value: T) -> Result<(), T> {
        self.0.push_back(value);
        Ok(())
    }
    fn front(&self) -> Option<&T> {
        self.0.front()
    }
    fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
}
