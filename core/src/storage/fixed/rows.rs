//! A lane of `H` rows, one whole message in each.
//!
//! ```text
//! row:  | len, more | body | len, more | body |  unused  |     M octets, 2 for each frame's head
//! ```
//! One row per message makes the high-water mark exact, leaves room for every frame of a message once begun, and
//! keeps each frame contiguous. Committing is counting; rolling back is forgetting.

use super::Bytes;
use crate::body::{Frame, Sink};
use crate::error::{CloseReason, Refusal};
use crate::pipe::{Credit, Front, PipeReader, PipeWriter, Receipts, Signal};

/// Octets before each frame: its length and, in the lowest bit, whether more follow.
const HEAD: usize = 2;

// Aligned, so that a body, which begins behind two lengths of two octets, is copied in words.
#[repr(align(4))]
#[derive(Clone, Debug)]
struct Row<const M: usize> {
    len: u16,
    bytes: [u8; M],
}

impl<const M: usize> Row<M> {
    fn append(&mut self, bytes: &[u8], more: bool) -> Option<()> {
        let len = u16::try_from(bytes.len()).ok().filter(|len| *len < 1 << 15)?;
        let rest = self.bytes.get_mut(usize::from(self.len)..)?;
        let (head, rest) = rest.split_first_chunk_mut::<HEAD>()?;
        rest.get_mut(..bytes.len())?.copy_from_slice(bytes);
        *head = (len << 1 | u16::from(more)).to_le_bytes();
        self.len = self.len.wrapping_add(len).wrapping_add(HEAD as u16);
        Some(())
    }
    /// The frame whose head stands at `at`.
    fn frame(&self, at: u16) -> Option<(Front, &[u8])> {
        let (head, rest) = self.bytes.get(usize::from(at)..)?.split_first_chunk::<HEAD>()?;
        let head = u16::from_le_bytes(*head);
        let len = usize::from(head >> 1);
        Some((Front { len, more: head & 1 != 0 }, rest.get(..len)?))
    }
}

/// A single-owner lane of up to `H` messages of up to `M` octets: both ends in one struct.
///
/// Without rows (`H` = 0) it carries signals only: the direction in which a socket's messages do not go.
#[derive(Clone, Debug)]
pub struct Rows<const H: usize, const M: usize, const K: usize> {
    rows: [Row<M>; H],
    /// The row of the oldest message.
    head: u16,
    /// Messages committed and not read to the end.
    count: u16,
    /// Where the oldest message's next frame begins.
    at: u16,
    /// A message is begun in the row after the committed ones.
    open: bool,
    credit: Credit,
    receipts: Receipts,
    signal: Option<Signal<Bytes<K>>>,
    /// Beside the slot, so that there is always room for it.
    close: Option<CloseReason>,
}

impl<const H: usize, const M: usize, const K: usize> Rows<H, M, K> {
    const ROWS: u16 = {
        assert!(H <= 32_767, "Fixed storage has an HWM of at most 32,767 messages");
        assert!(M >= HEAD && M <= 32_767, "Fixed storage has messages of 2 to 32,767 octets");
        H as u16
    };

    /// An empty lane of `hwm` messages; of `H` when `hwm` is 0 or more than `H`.
    pub fn new(hwm: u32) -> Self {
        let hwm = Self::clamp(hwm);
        Self {
            rows: [const { Row { len: 0, bytes: [0; M] } }; H],
            head: 0,
            count: 0,
            at: 0,
            open: false,
            credit: Credit::new(hwm),
            receipts: Receipts::new(hwm),
            signal: None,
            close: None,
        }
    }
    const fn clamp(hwm: u32) -> u32 {
        let most = Self::ROWS as u32;
        if hwm == 0 || hwm > most { most } else { hwm }
    }
    /// The row that the next message goes to, or is in.
    fn tail(&mut self) -> Option<&mut Row<M>> {
        let at =
            if self.count < Self::ROWS { self.head.wrapping_add(self.count).checked_rem(Self::ROWS)? } else { return None };
        self.rows.get_mut(usize::from(at))
    }
    fn parse(&self) -> Option<(Front, &[u8])> {
        let row = (self.count > 0).then(|| self.rows.get(usize::from(self.head)))?;
        row?.frame(self.at)
    }
    fn append(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        let begun = self.open;
        if !begun && !self.credit.available() {
            return Err(Refusal::Full);
        }
        let row = self.tail().ok_or(Refusal::Full)?;
        if !begun {
            row.len = 0;
        }
        row.append(bytes, more).ok_or(Refusal::TooLarge)?;
        self.open = more;
        if !more {
            self.count = self.count.wrapping_add(1);
            self.credit.on_commit(1);
        }
        Ok(())
    }
    fn finish_message(&mut self) {
        self.at = 0;
        self.head = self.head.wrapping_add(1).checked_rem(Self::ROWS).unwrap_or_default();
        self.count = self.count.saturating_sub(1);
        if let Some(total) = self.receipts.on_read(1) {
            self.credit.on_return(total);
        }
    }
}

impl<const H: usize, const M: usize, const K: usize> PipeWriter for Rows<H, M, K> {
    type Body = Bytes<M>;
    fn room(&mut self) -> u32 {
        if H == 0 { 0 } else { self.credit.room() }
    }
    fn hwm(&self) -> u32 {
        self.credit.hwm()
    }
    fn set_hwm(&mut self, hwm: u32) {
        let hwm = Self::clamp(hwm);
        self.credit.set_hwm(hwm);
        self.credit.on_return(self.receipts.set_hwm(hwm));
    }
    fn write(&mut self, frame: Frame<Bytes<M>>) -> Result<(), (Frame<Bytes<M>>, Refusal)> {
        self.append(&frame.body, frame.more).map_err(|refusal| (frame, refusal))
    }
    fn write_shared(&mut self, frame: &Frame<Bytes<M>>) -> Result<(), Refusal> {
        self.append(&frame.body, frame.more)
    }
    fn write_bytes(&mut self, bytes: &[u8], more: bool) -> Result<(), Refusal> {
        self.append(bytes, more)
    }
    fn rollback(&mut self) {
        self.open = false;
    }
    fn signal(&mut self, signal: Signal<&[u8]>) -> Result<(), Refusal> {
        if let Signal::Close(reason) = signal {
            self.close.get_or_insert(reason);
            return Ok(());
        }
        if self.signal.is_some() {
            return Err(Refusal::Full);
        }
        self.signal = Some(signal.try_map(Bytes::new).ok_or(Refusal::TooLarge)?);
        Ok(())
    }
}

impl<const H: usize, const M: usize, const K: usize> PipeReader for Rows<H, M, K> {
    type Body = Bytes<M>;
    type Key = Bytes<K>;
    fn front(&mut self) -> Option<Front> {
        Some(self.parse()?.0)
    }
    fn lend(&self, from: usize, sink: &mut impl Sink<Bytes<M>>) -> usize {
        self.parse().and_then(|(_, body)| body.get(from..)).map_or(0, |rest| sink.put(rest))
    }
    fn read(&mut self) -> Option<Frame<Bytes<M>>> {
        let (front, body) = self.parse()?;
        let frame = Frame { body: Bytes::new(body)?, more: front.more };
        self.skip();
        Some(frame)
    }
    fn skip(&mut self) {
        let Some((front, _)) = self.parse() else { return };
        if front.more {
            let taken = u16::try_from(front.len.saturating_add(HEAD)).unwrap_or(u16::MAX);
            self.at = self.at.saturating_add(taken);
        } else {
            self.finish_message();
        }
    }
    fn front_signal(&mut self) -> Option<Signal<&[u8]>> {
        self.signal.as_ref().map(Signal::as_ref).or(self.close.map(Signal::Close))
    }
    fn pop_signal(&mut self) -> Option<Signal<Bytes<K>>> {
        self.signal.take().or_else(|| self.close.take().map(Signal::Close))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lane = Rows<4, 16, 8>;

    #[test]
    fn the_mark_is_clamped_to_the_rows_and_exposed() {
        for (asked, in_force) in [(0, 4), (1, 1), (3, 3), (4, 4), (5, 4), (u32::MAX, 4)] {
            assert_eq!(Lane::new(asked).hwm(), in_force);
            let mut lane = Lane::new(2);
            lane.set_hwm(asked);
            assert_eq!((lane.hwm(), lane.room()), (in_force, in_force));
        }
    }

    #[test]
    fn a_message_may_fill_its_row_to_the_last_octet() {
        let mut lane = Lane::new(4);
        lane.write_bytes(b"12345", true).unwrap();
        lane.write_bytes(b"", true).unwrap();
        assert_eq!(lane.write_bytes(b"67890ab", false), Err(Refusal::TooLarge), "7 + 2 + 9 = 18 octets");
        lane.write_bytes(b"67890", false).unwrap();
        for (body, more) in [(&b"12345"[..], true), (b"", true), (b"67890", false)] {
            assert_eq!(lane.front(), Some(Front { len: body.len(), more }));
            let frame = lane.read().unwrap();
            assert_eq!((frame.body.as_ref(), frame.more), (body, more));
        }
        assert_eq!(lane.write_bytes(&[0; 15], false), Err(Refusal::TooLarge));
        assert_eq!(lane.write_bytes(&[0; 14], false), Ok(()));
    }

    #[test]
    fn close_finds_room_beside_a_waiting_signal_and_comes_after_it() {
        let mut lane = Lane::new(4);
        lane.signal(Signal::Subscribe(b"a")).unwrap();
        assert_eq!(lane.signal(Signal::Cancel(b"b")), Err(Refusal::Full));
        lane.signal(Signal::Close(CloseReason::Replaced)).unwrap();
        lane.signal(Signal::Close(CloseReason::EndOfStream)).unwrap();
        assert!(matches!(lane.pop_signal(), Some(Signal::Subscribe(_))));
        assert_eq!(lane.front_signal(), Some(Signal::Close(CloseReason::Replaced)));
        assert!(lane.pop_signal().is_some() && lane.pop_signal().is_none());
    }

    #[test]
    fn without_rows_only_signals_pass() {
        let mut lane = Rows::<0, 16, 8>::new(1000);
        assert!(!lane.writable());
        assert_eq!((lane.write_bytes(b"a", false), lane.front()), (Err(Refusal::Full), None));
        lane.signal(Signal::Subscribe(b"topic")).unwrap();
        assert!(matches!(lane.pop_signal(), Some(Signal::Subscribe(_))));
        assert!(size_of::<Rows<0, 16, 8>>() < size_of::<Lane>() - 4 * 16);
    }

    #[test]
    fn a_long_key_is_refused_for_good() {
        let mut lane = Lane::new(4);
        assert_eq!(lane.signal(Signal::Subscribe(&[0; 9])), Err(Refusal::TooLarge));
        assert_eq!(lane.signal(Signal::Subscribe(&[0; 8])), Ok(()));
    }
}
