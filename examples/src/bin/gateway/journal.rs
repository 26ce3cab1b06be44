//! A server's journal: what it received, in a file that survives its death.
//!
//! One record of sixteen octets per message: its number, and the microseconds since the server's call of `connect`.
//! Each is one `write` to a file opened for appending, without a buffer of ours, made before the next message is asked
//! for: when the process is killed, the kernel has every message that the socket had handed out, but perhaps the last.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Octets of a record; pages are a multiple of it, so that none is ever half written.
const RECORD: usize = 16;

/// A received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number.
    pub(crate) number: u64,
    /// Microseconds since `connect`.
    pub(crate) micros: u64,
}

impl Entry {
    fn emit(self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&self.number.to_le_bytes());
        record[8..].copy_from_slice(&self.micros.to_le_bytes());
        record
    }
}

/// A journal being written.
pub(crate) struct Journal(File);

impl Journal {
    /// A new file; one that exists already belongs to somebody else.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        OpenOptions::new().append(true).create_new(true).open(path).map(Self)
    }

    /// Appends a record.
    pub(crate) fn note(&mut self, entry: Entry) -> io::Result<()> {
        self.0.write_all(&entry.emit())
    }
}

/// How many records there are at present; none when there is no file yet.
pub(crate) fn len(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len() / RECORD as u64)
}

/// Reads a journal.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>> {
    let octets = std::fs::read(path).with_context(|| path.display().to_string())?;
    parse(&octets).with_context(|| path.display().to_string())
}

fn parse(octets: &[u8]) -> Result<Vec<Entry>> {
    let (records, rest) = octets.as_chunks::<RECORD>();
    if !rest.is_empty() {
        bail!("the last record has {} octets, not {RECORD}", rest.len());
    }
    let entries = records.iter().map(|record| {
        let record = u128::from_le_bytes(*record);
        Entry { number: record as u64, micros: (record >> 64) as u64 }
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back_and_a_torn_record_is_told() {
        let folder = std::env::temp_dir().join(format!("omnimq-journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("journal");
        assert_eq!(len(&path), 0);
        let entries =
            [Entry { number: 1, micros: 900 }, Entry { number: u64::MAX, micros: 0 }, Entry { number: 0, micros: 7 }];
        let mut journal = Journal::create(&path).unwrap();
        for (n, entry) in entries.into_iter().enumerate() {
            assert_eq!(len(&path), n as u64);
            journal.note(entry).unwrap();
        }
        assert_eq!(read(&path).unwrap(), entries);
        assert!(Journal::create(&path).is_err(), "a journal is never continued by somebody else");
        journal.0.write_all(&[1, 2, 3]).unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("the last record has 3 octets"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
