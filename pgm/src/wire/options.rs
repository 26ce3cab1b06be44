//! Options (RFC 3208 section 9): a list of type, length and value that begins with its own length.
//!
//! ```text
//! OPT_LENGTH   0x00, 4, total length (2 octets, this option included)
//! others       type (0x80: the last one), length, two octets of flags, value
//! ```

use super::WireError;
use super::cursor::Reader;
use crate::sqn::Sqn;
use core::fmt;

/// Most numbers that one NAK_LIST holds, beside the one before the options.
pub const MAX_LISTED: usize = 62;

const LENGTH: u8 = 0x00;
const LENGTH_LEN: usize = 4;
const HEAD_LEN: usize = 4;
const LAST: u8 = 0x80;

/// Which option it is: the number on the wire without the mark of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionKind(pub u8);

impl OptionKind {
    /// Part of a larger unit: first number, offset, length.
    pub const FRAGMENT: Self = Self(0x01);
    /// More numbers that are missing.
    pub const NAK_LIST: Self = Self(0x02);
    /// Where a late joiner may begin.
    pub const JOIN: Self = Self(0x03);
    /// Back-off of NAKs: the interval.
    pub const NAK_BO_IVL: Self = Self(0x04);
    /// Back-off of NAKs: its range.
    pub const NAK_BO_RNG: Self = Self(0x05);
    /// Repairs come from elsewhere.
    pub const REDIRECT: Self = Self(0x07);
    /// Parameters of parity.
    pub const PARITY_PRM: Self = Self(0x08);
    /// Group of a parity packet.
    pub const PARITY_GRP: Self = Self(0x09);
    /// Size of the current transmission group.
    pub const CURR_TGSIZE: Self = Self(0x0a);
    /// A neighbour cannot be reached.
    pub const NBR_UNREACH: Self = Self(0x0b);
    /// Address of the last network element.
    pub const PATH_NLA: Self = Self(0x0c);
    /// The stream begins.
    pub const SYN: Self = Self(0x0d);
    /// The stream ends.
    pub const FIN: Self = Self(0x0e);
    /// The stream is broken off.
    pub const RST: Self = Self(0x0f);
    /// Congestion report.
    pub const CR: Self = Self(0x10);
    /// Congestion report requested.
    pub const CRQST: Self = Self(0x11);
    /// PGMCC: time stamp and acker.
    pub const PGMCC_DATA: Self = Self(0x12);
    /// PGMCC: feedback.
    pub const PGMCC_FEEDBACK: Self = Self(0x13);
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt<'a> {
    /// Which.
    pub kind: OptionKind,
    /// Its flags: how network elements treat it, and what else it keeps there.
    pub flags: [u8; 2],
    /// Its value, up to 251 octets.
    pub value: &'a [u8],
}

/// The value of FRAGMENT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Number of the packet that holds the first fragment.
    pub first: Sqn,
    /// Where in the unit this fragment begins, in octets.
    pub offset: u32,
    /// Octets of the whole unit.
    pub len: u32,
}

/// All options of a packet, known to be well formed. Empty when there are none.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// No options.
    pub const NONE: Self = Self(&[]);

    pub(super) fn parse(reader: &mut Reader<'a>, present: bool) -> Result<Self, WireError> {
        if !present {
            return Ok(Self::NONE);
        }
        let [kind, len, total @ ..] = *reader.0.first_chunk::<LENGTH_LEN>().ok_or(WireError::Truncated)?;
        if (kind, usize::from(len)) != (LENGTH, LENGTH_LEN) {
            return Err(WireError::Options);
        }
        let octets = reader.take(usize::from(u16::from_be_bytes(total)))?;
        let mut rest = octets.get(LENGTH_LEN..).ok_or(WireError::Options)?;
        loop {
            let (_, last, after) = split(rest).ok_or(WireError::Options)?;
            rest = after;
            if last {
                break;
            }
        }
        if rest.is_empty() { Ok(Self(octets)) } else { Err(WireError::Options) }
    }
    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
    /// The options as on the wire.
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }
    /// The options in their order.
    pub fn iter(self) -> impl Iterator<Item = Opt<'a>> + use<'a> {
        let mut rest = self.0.get(LENGTH_LEN..).unwrap_or_default();
        core::iter::from_fn(move || {
            let (option, _, after) = split(rest)?;
            rest = after;
            Some(option)
        })
    }
    /// The first option of this kind.
    pub fn find(self, kind: OptionKind) -> Option<Opt<'a>> {
        self.iter().find(|option| option.kind == kind)
    }
    /// The numbers of a NAK_LIST; those beyond [`MAX_LISTED`] are left out.
    pub fn nak_list(self) -> Option<Sqns<'a>> {
        let (numbers, _) = self.find(OptionKind::NAK_LIST)?.value.as_chunks();
        Some(Sqns(numbers.get(..MAX_LISTED).unwrap_or(numbers)))
    }
    /// The value of a FRAGMENT.
    pub fn fragment(self) -> Option<Fragment> {
        let mut reader = Reader(self.find(OptionKind::FRAGMENT)?.value);
        let (first, offset, len) = (reader.sqn().ok()?, reader.u32().ok()?, reader.u32().ok()?);
        Some(Fragment { first, offset, len })
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The option at the front, whether it is the last one, and what follows it.
fn split(octets: &[u8]) -> Option<(Opt<'_>, bool, &[u8])> {
    let [kind, len, flags @ ..] = *octets.first_chunk::<HEAD_LEN>()?;
    if kind & !LAST == LENGTH {
        return None;
    }
    let (option, rest) = octets.split_at_checked(usize::from(len))?;
    let value = option.get(HEAD_LEN..)?;
    Some((Opt { kind: OptionKind(kind & !LAST), flags, value }, kind & LAST != 0, rest))
}

/// Sequence numbers as on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Sqns<'a>(&'a [[u8; 4]]);

impl Sqns<'_> {
    /// No numbers.
    pub const NONE: Self = Self(&[]);
}

impl Iterator for Sqns<'_> {
    type Item = Sqn;
    fn next(&mut self) -> Option<Sqn> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(Sqn(u32::from_be_bytes(*first)))
    }
}

/// Room for the options that a machine sends.
#[derive(Clone, Debug)]
pub struct OptionBuffer {
    octets: [u8; Self::ROOM],
    len: usize,
    /// Where the last option begins.
    last: usize,
}

impl OptionBuffer {
    const ROOM: usize = LENGTH_LEN + HEAD_LEN + 4 * MAX_LISTED;

    /// Without options.
    pub const fn new() -> Self {
        Self { octets: [0; Self::ROOM], len: 0, last: 0 }
    }
    /// Appends an option; `None` when there is no room for it, or it cannot be said on the wire.
    pub fn push(&mut self, option: Opt<'_>) -> Option<()> {
        let start = self.len.max(LENGTH_LEN);
        let len = HEAD_LEN.checked_add(option.value.len())?;
        let end = start.checked_add(len)?;
        let kind = option.kind.0;
        if kind == LENGTH || kind & LAST != 0 {
            return None;
        }
        let (head, value) = self.octets.get_mut(start..end)?.split_first_chunk_mut::<HEAD_LEN>()?;
        *head = [kind | LAST, u8::try_from(len).ok()?, option.flags[0], option.flags[1]];
        value.copy_from_slice(option.value);
        if let Some(before) = self.octets.get_mut(self.last).filter(|_| self.len > 0) {
            *before &= !LAST;
        }
        (self.last, self.len) = (start, end);
        let [high, low] = u16::try_from(end).ok()?.to_be_bytes();
        *self.octets.first_chunk_mut()? = [LENGTH, LENGTH_LEN as u8, high, low];
        Some(())
    }
    /// Appends a NAK_LIST; `None` when it is empty, too long, or there is no room for it.
    pub fn push_list(&mut self, sqns: &[Sqn]) -> Option<()> {
        let mut value = [0; 4 * MAX_LISTED];
        let (places, _) = value.as_chunks_mut();
        if sqns.is_empty() || sqns.len() > places.len() {
            return None;
        }
        places.iter_mut().zip(sqns).for_each(|(to, sqn)| *to = sqn.0.to_be_bytes());
        let used = sqns.len().checked_mul(4)?;
        self.push(Opt { kind: OptionKind::NAK_LIST, flags: [0; 2], value: value.get(..used)? })
    }
    /// The options in it.
    pub fn options(&self) -> Options<'_> {
        Options(self.octets.get(..self.len).unwrap_or_default())
    }
}

impl Default for OptionBuffer {
    fn default() -> Self {
        Self::new()
    }
}
