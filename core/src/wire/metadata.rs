//! Metadata: the properties that READY and INITIATE carry (RFC 37 section 3.6).
//!
//! ```text
//! name length (1 octet), name, value length (4 octets, big-endian), value
//! ```
//! Names are compared without regard to case. Lengths are exact: octets left over are an error.

use super::WireError;

/// A list of properties, as it lies in a command. Checked while it is walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metadata<'a>(pub &'a [u8]);

impl<'a> Metadata<'a> {
    /// The properties in their order.
    ///
    /// ```
    /// use omnimq_core::wire::Metadata;
    ///
    /// let metadata = Metadata(b"\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\0");
    /// let names: Vec<_> = metadata.iter().map(|property| property.unwrap().name).collect();
    /// assert_eq!(names, [&b"Socket-Type"[..], b"Identity"]);
    /// ```
    pub const fn iter(self) -> Properties<'a> {
        Properties { rest: self.0 }
    }

    /// The value of the first property of that name, after a check of all of them; `None` when it is not there.
    ///
    /// # Errors
    /// [`WireError::BadMetadata`] when any property is malformed, before or after the one asked for.
    pub fn find(self, name: &[u8]) -> Result<Option<&'a [u8]>, WireError> {
        self.iter().try_fold(None, |found: Option<&'a [u8]>, property| {
            let property = property?;
            Ok(found.or_else(|| property.is(name).then_some(property.value)))
        })
    }
}

impl<'a> IntoIterator for Metadata<'a> {
    type Item = Result<Property<'a>, WireError>;
    type IntoIter = Properties<'a>;
    fn into_iter(self) -> Properties<'a> {
        self.iter()
    }
}

/// Walks [`Metadata`]. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Properties<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Properties<'a> {
    type Item = Result<Property<'a>, WireError>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match property(&mut self.rest) {
            Some((name, value)) if !name.is_empty() => Some(Ok(Property { name, value })),
            _ => {
                self.rest = &[];
                Some(Err(WireError::BadMetadata))
            }
        }
    }
}

impl core::iter::FusedIterator for Properties<'_> {}

/// One property: a name of 1 to 255 octets and a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Property<'a> {
    /// `Socket-Type`, `Identity`, `Resource` or an application's `X-…`.
    pub name: &'a [u8],
    /// What it is set to.
    pub value: &'a [u8],
}

impl<'a> Property<'a> {
    /// The socket's type, which every peer announces.
    pub const SOCKET_TYPE: &'static [u8] = b"Socket-Type";
    /// The routing id that a REQ, DEALER or ROUTER announces.
    pub const IDENTITY: &'static [u8] = b"Identity";

    /// Whether `name` is its name, in any case.
    pub const fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// What it is on the wire. `None` when the name has no or more than 255 octets, or the value 2^32 or more.
    pub fn pieces(&self) -> Option<PropertyPieces<'a>> {
        let name_len = u8::try_from(self.name.len()).ok().filter(|&len| len > 0)?;
        let value_len = u32::try_from(self.value.len()).ok()?;
        Some(PropertyPieces { name_len: [name_len], value_len: value_len.to_be_bytes(), property: *self })
    }

    /// Writes it to the front of `out`; returns the octets used, `None` when `out` is too short or it has no form.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        put(&self.pieces()?.slices(), out)
    }
}

/// A property's octets in four pieces.
#[derive(Clone, Copy, Debug)]
pub struct PropertyPieces<'a> {
    name_len: [u8; 1],
    value_len: [u8; 4],
    property: Property<'a>,
}

impl PropertyPieces<'_> {
    /// The pieces in their order.
    pub const fn slices(&self) -> [&[u8]; 4] {
        [&self.name_len, self.property.name, &self.value_len, self.property.value]
    }

    /// Octets of all pieces.
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> usize {
        self.property.name.len().saturating_add(self.property.value.len()).saturating_add(5)
    }
}

/// Takes the first property off `rest`; `None` when it is cut short.
fn property<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (&name_len, tail) = rest.split_first()?;
    let (name, tail) = tail.split_at_checked(usize::from(name_len))?;
    let (value_len, tail) = tail.split_first_chunk()?;
    let (value, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*value_len)).ok()?)?;
    *rest = tail;
    Some((name, value))
}

/// Copies `pieces` one after another to the front of `out`; returns their length, `None` when they do not fit.
pub(super) fn put(pieces: &[&[u8]], out: &mut [u8]) -> Option<usize> {
    let mut used = 0usize;
    for piece in pieces {
        let end = used.checked_add(piece.len())?;
        out.get_mut(used..end)?.copy_from_slice(piece);
        used = end;
    }
    Some(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parsed = &'static [Result<(&'static [u8], &'static [u8]), WireError>];

    #[test]
    fn parse_table() {
        const BAD: Result<(&[u8], &[u8]), WireError> = Err(WireError::BadMetadata);
        let table: &[(&[u8], Parsed)] = &[
            (b"", &[]),
            (b"\x01a\0\0\0\0", &[Ok((b"a", b""))]),
            (b"\x01a\0\0\0\x01b\x02cd\0\0\0\x02ef", &[Ok((b"a", b"b")), Ok((b"cd", b"ef"))]),
            (b"\x01a\0\0\0\0z", &[Ok((b"a", b"")), BAD]),
            (b"\x01a\0\0\0", &[BAD]),
            (b"\x01a\0\0\0\x02b", &[BAD]),
            (b"\x01a\xff\xff\xff\xffb", &[BAD]),
            (b"\0\0\0\0\0", &[BAD]),
            (b"\xff", &[BAD]),
        ];
        for (octets, expected) in table {
            let mut properties = Metadata(octets).iter();
            for one in *expected {
                let property = properties.next().map(|property| property.map(|found| (found.name, found.value)));
                assert_eq!(property.as_ref(), Some(one), "{octets:02x?}");
            }
            assert_eq!((properties.next(), properties.next()), (None, None), "{octets:02x?}");
        }
    }

    #[test]
    fn find_ignores_case_and_checks_everything() {
        let metadata = Metadata(b"\x0bsocket-TYPE\0\0\0\x03REQ\x08Identity\0\0\0\x01i");
        assert_eq!(metadata.find(Property::SOCKET_TYPE), Ok(Some(&b"REQ"[..])));
        assert_eq!(metadata.find(b"IDENTITY"), Ok(Some(&b"i"[..])));
        assert_eq!(metadata.find(b"Resource"), Ok(None));
        let garbage = Metadata(b"\x01a\0\0\0\x01b!");
        assert_eq!(garbage.find(b"a"), Err(WireError::BadMetadata));
    }

    #[test]
    fn emit_table() {
        let mut out = [0; 16];
        let property = Property { name: b"X-a", value: b"12" };
        assert_eq!(property.emit(&mut out), Some(10));
        assert_eq!(&out[..10], b"\x03X-a\0\0\0\x0212");
        assert_eq!(property.pieces().unwrap().len(), 10);
        assert_eq!(property.emit(&mut out[..9]), None);
        assert_eq!(Property { name: b"", value: b"1" }.emit(&mut out), None);
        assert_eq!(Property { name: &[b'n'; 256], value: b"" }.emit(&mut [0; 300]), None);
    }
}
