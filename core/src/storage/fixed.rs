//! Storage with all capacities in the type, for machines without an allocator.
//!
//! A lane is `HWM` rows; one row holds one whole message of up to `MSG` bytes, two bytes of bookkeeping per frame
//! included. So the high-water mark is exact, a begun message never runs out of slots, and a frame is contiguous.

use super::{LocalStorage, Map, PipeId, PipeSet, Queue, Storage, Table, Topics};
use crate::body::{Body, Draft, Frame, Sink};
use crate::error::Refusal;
use crate::pipe::{Credit, Front, PipeReader, PipeWriter, Receipts, Signal};
use heapless::{Deque, Vec};

/// `PEERS` (at most 32) pipes of `HWM` messages of `MSG` bytes each way; `TOPICS` keys of up to `KEY` bytes.
pub struct Fixed<const PEERS: usize, const HWM: usize, const MSG: usize, const TOPICS: usize = 8, const KEY: usize = 32>;

impl<const P: usize, const H: usize, const M: usize, const T: usize, const K: usize> Storage for Fixed<P, H, M, T, K> {
    type Body = Vec<u8, M>;
    type Tx = Rows<H, M, K>;
    type Rx = Rows<H, M, K>;
    type Key = Vec<u8, K>;
    type Table<V> = Slots<V, P>;
    type Names<V> = Keys<V, P, K>;
    type Topics<V> = Keys<V, T, K>;
    type Queue<V> = Fifo<V, T>;
    type Set = Bits;
    fn key(bytes: &[u8]) -> Option<Vec<u8, K>> {
        Vec::from_slice(bytes).ok()
    }
}

impl<const P: usize, const H: usize, const M: usize, const T: usize, const K: usize> LocalStorage for Fixed<P, H, M, T, K> {
    type Lane = Rows<H, M, K>;
    fn lane(hwm: u32) -> Rows<H, M, K> {
        let most = u32::try_from(H).unwrap_or(u32::MAX);
        Rows::new(if hwm == 0 { most } else { hwm.min(most) })
    }
}

impl<const M: usize> Body for Vec<u8, M> {
    type Draft = Filling<M>;
    #[inline]
    fn copy_from(bytes: &[u8]) -> Option<Self> {
        Vec::from_slice(bytes).ok()
    }
}

/// A body of known length being filled.
pub struct Filling<const M: usize> {
    bytes: Vec<u8, M>,
    filled: usize,
}

impl<const M: usize> Draft for Filling<M> {
    type Body = Vec<u8, M>;
    fn with_len(len: usize) -> Option<Self> {
        let mut bytes = Vec::new();
        bytes.resize(len, 0).ok()?;
        Some(Self { bytes, filled: 0 })
    }
    fn missing(&self) -> usize {
        self.bytes.len().saturating_sub(self.filled)
    }
    fn space(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
    fn advance(&mut self, n: usize) {
        self.filled += n;
    }
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
    fn freeze(mut self, skip: usize) -> Vec<u8, M> {
        let skip = skip.min(self.bytes.len());
        self.bytes.copy_within(skip.., 0);
        self.bytes.truncate(self.bytes.len() - skip);
        self.bytes
    }
}

struct Row<const M: usize> {
    len: u16,
    bytes: [u8; M],
}

/// A single-owner lane: both ends in one struct.
pub struct Rows<const H: usize, const M: usize, const K: usize> {
    rows: [Row<M>; H],
    head: u16,
    count: u16,
    at: u16,
    open: bool,
    credit: Credit,
    receipts: Receipts,
    signal: Option<Signal<Vec<u8, K>>>,
}

impl<const H: usize, const M: usize, const K: usize> Rows<H, M, K> {
    fn new(hwm: u32) -> Self {
        Self {
            rows: [const { Row { len: 0, bytes: [0; M] } }; H],
            head: 0,
            count: 0,
            at: 0,
            open: false,
            credit: Credit::new(hwm),
            receipts: Receipts::new(hwm),
            signal: None,
        }
    }
    fn tail(&mut self) -> Option<&mut Row<M>> {
        if usize::from(self.count) >= H {
            return None;
        }
        let at = (usize::from(self.head) + usize::from(self.count)) % H;
        self.rows.get_mut(at)
    }
    /// Header and body of the front frame.
    fn parse(&self) -> Option<(Front, &[u8])> {
        if self.count == 0 {
            return None;
        }
        let row = self.rows.get(usize::from(self.head))?;
        let (head, rest) = row.bytes.get(usize::from(self.at)..)?.split_first_chunk::<2>()?;
        let head = u16::from_le_bytes(*head);
        let len = usize::from(head >> 1);
        Some((Front { len, more: head & 1 != 0 }, rest.get(..len)?))
    }
    fn append(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        if !self.open {
            if !self.credit.available() {
                return Err(Refusal::Full);
            }
            self.tail().ok_or(Refusal::Full)?.len = 0;
        }
        let row = self.tail().ok_or(Refusal::Full)?;
        let used = usize::from(row.len);
        let end = used + 2 + bytes.len();
        let head = u16::try_from(bytes.len() << 1 | usize::from(more)).map_err(|_| Refusal::TooLarge)?;
        let place = row.bytes.get_mut(used..end).ok_or(Refusal::TooLarge)?;
        let (mark, place) = place.split_first_chunk_mut::<2>().ok_or(Refusal::TooLarge)?;
        *mark = head.to_le_bytes();
        for (to, from) in place.iter_mut().zip(bytes) {
            *to = *from;
        }
        row.len = u16::try_from(end).map_err(|_| Refusal::TooLarge)?;
        self.open = more;
        if !more {
            self.count += 1;
            self.credit.on_commit(1);
        }
        Ok(())
    }
}

impl<const H: usize, const M: usize, const K: usize> PipeWriter for Rows<H, M, K> {
    type Body = Vec<u8, M>;
    fn room(&mut self) -> u32 {
        self.credit.room()
    }
    fn write(&mut self, frame: Frame<Vec<u8, M>>) -> Result<(), (Frame<Vec<u8, M>>, Refusal)> {
        self.append(&frame.body, frame.more).map_err(|refusal| (frame, refusal))
    }
    fn write_shared(&mut self, frame: &Frame<Vec<u8, M>>) -> Result<(), Refusal> {
        self.append(&frame.body, frame.more)
    }
    fn write_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        self.append(bytes, more)
    }
    fn rollback(&mut self) {
        self.open = false;
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        if self.signal.is_some() {
            return Err(Refusal::Full);
        }
        self.signal = Some(signal.try_map(|key| Vec::from_slice(key).ok()).ok_or(Refusal::TooLarge)?);
        Ok(())
    }
}

impl<const H: usize, const M: usize, const K: usize> PipeReader for Rows<H, M, K> {
    type Body = Vec<u8, M>;
    type Key = Vec<u8, K>;
    fn front(&mut self) -> Option<Front> {
        Some(self.parse()?.0)
    }
    fn lend(&self, from: usize, sink: &mut impl Sink<Vec<u8, M>>) -> usize {
        self.parse().and_then(|(_, body)| body.get(from..)).map_or(0, |rest| sink.put(rest))
    }
    fn read(&mut self) -> Option<Frame<Vec<u8, M>>> {
        let (front, body) = self.parse()?;
        let frame = Frame { body: Vec::from_slice(body).ok()?, more: front.more };
        self.skip();
        Some(frame)
    }
    fn skip(&mut self) {
        let Some((front, _)) = self.parse() else { return };
        self.at += 2 + front.len as u16;
        if !front.more {
            self.at = 0;
            self.head = (self.head + 1) % H as u16;
            self.count -= 1;
            if let Some(total) = self.receipts.on_read(1) {
                self.credit.on_return(total);
            }
        }
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        self.signal.as_ref().map(Signal::as_ref)
    }
    fn pop_signal(&mut self) -> Option<Signal<Vec<u8, K>>> {
        self.signal.take()
    }
}

/// A table of `N` places.
pub struct Slots<T, const N: usize>([Option<T>; N]);

impl<T, const N: usize> Default for Slots<T, N> {
    fn default() -> Self {
        const { assert!(N <= 32, "Fixed supports at most 32 peers") };
        Self([const { None }; N])
    }
}

impl<T, const N: usize> Table<T> for Slots<T, N> {
    fn vacant(&mut self) -> Option<PipeId> {
        self.0.iter().position(Option::is_none).map(|at| PipeId(at as u32))
    }
    fn put(&mut self, id: PipeId, value: T) -> Result<(), T> {
        match self.0.get_mut(id.index()) {
            Some(slot) => {
                *slot = Some(value);
                Ok(())
            }
            None => Err(value),
        }
    }
    fn get(&self, id: PipeId) -> Option<&T> {
        self.0.get(id.index())?.as_ref()
    }
    fn get_mut(&mut self, id: PipeId) -> Option<&mut T> {
        self.0.get_mut(id.index())?.as_mut()
    }
    fn take(&mut self, id: PipeId) -> Option<T> {
        self.0.get_mut(id.index())?.take()
    }
    fn bound(&self) -> u32 {
        N as u32
    }
}

/// Up to `N` keys, searched linearly.
pub struct Keys<V, const N: usize, const K: usize>([Option<(Vec<u8, K>, V)>; N]);

impl<V, const N: usize, const K: usize> Default for Keys<V, N, K> {
    fn default() -> Self {
        Self([const { None }; N])
    }
}

impl<V, const N: usize, const K: usize> Keys<V, N, K> {
    fn find(&self, key: &[u8]) -> Option<usize> {
        self.0.iter().position(|slot| slot.as_ref().is_some_and(|(have, _)| have.as_slice() == key))
    }
}

impl<V, const N: usize, const K: usize> Map<V> for Keys<V, N, K> {
    fn get(&self, key: &[u8]) -> Option<&V> {
        let at = self.find(key)?;
        Some(&self.0.get(at)?.as_ref()?.1)
    }
    fn entry(&mut self, key: &[u8]) -> Option<&mut V>
    where
        V: Default,
    {
        let at = match self.find(key) {
            Some(at) => at,
            None => {
                let at = self.0.iter().position(Option::is_none)?;
                *self.0.get_mut(at)? = Some((Vec::from_slice(key).ok()?, V::default()));
                at
            }
        };
        Some(&mut self.0.get_mut(at)?.as_mut()?.1)
    }
    fn remove(&mut self, key: &[u8]) -> Option<V> {
        let at = self.find(key)?;
        Some(self.0.get_mut(at)?.take()?.1)
    }
    fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let at = self.find(key)?;
        Some(&mut self.0.get_mut(at)?.as_mut()?.1)
    }
    fn len(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

impl<V, const N: usize, const K: usize> Topics<V> for Keys<V, N, K> {
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(&V)) {
        for (key, value) in self.0.iter().flatten() {
            if text.starts_with(key) {
                visit(value);
            }
        }
    }
    fn retain(&mut self, mut keep: impl FnMut(&[u8], &mut V) -> bool) {
        for slot in &mut self.0 {
            if slot.as_mut().is_some_and(|(key, value)| !keep(key, value)) {
                *slot = None;
            }
        }
    }
}

/// Up to 32 pipes, one bit each.
#[derive(Clone, Copy, Default)]
pub struct Bits(u32);

impl Bits {
    const fn bit(id: PipeId) -> u32 {
        if id.0 < 32 { 1 << id.0 } else { 0 }
    }
}

impl PipeSet for Bits {
    fn insert(&mut self, id: PipeId) {
        self.0 |= Self::bit(id);
    }
    fn remove(&mut self, id: PipeId) {
        self.0 &= !Self::bit(id);
    }
    fn contains(&self, id: PipeId) -> bool {
        self.0 & Self::bit(id) != 0
    }
    fn merge(&mut self, other: &Self) {
        self.0 |= other.0;
    }
    fn clear(&mut self) {
        self.0 = 0;
    }
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
    fn at_or_after(&self, from: PipeId) -> Option<PipeId> {
        let rest = self.0.checked_shr(from.0).unwrap_or(0);
        (rest != 0).then(|| PipeId(from.0 + rest.trailing_zeros()))
    }
}

/// A queue of up to `N` values.
pub struct Fifo<T, const N: usize>(Deque<T, N>);

impl<T, const N: usize> Default for Fifo<T, N> {
    fn default() -> Self {
        Self(Deque::new())
    }
}

impl<T, const N: usize> Queue<T> for Fifo<T, N> {
    fn push(&mut self, value: T) -> Result<(), T> {
        self.0.push_back(value)
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
