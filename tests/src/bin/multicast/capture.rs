//! What passed over the wire, as tcpdump wrote it down: NAKs, and how long repairs took.

use omnimq_tests::multicast::{Host, Net, Tcpdump};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Octets kept of each packet: the longest NAK with its headers.
const KEPT: &str = "400";

/// tcpdump at work.
pub(crate) struct Capture {
    tcpdump: Tcpdump,
    file: PathBuf,
}

/// What a capture shows of one stream.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// NAK packets.
    pub(crate) naks: u64,
    /// Numbers in them, each counted once.
    asked: BTreeSet<u32>,
    /// When each number was sent first, in microseconds.
    sent: BTreeMap<u32, u64>,
    /// When it was repaired first.
    repaired: BTreeMap<u32, u64>,
}

impl Capture {
    /// Captures what passes over a host's wire.
    pub(crate) fn start(net: &Net, host: Host) -> Self {
        let file = std::env::temp_dir().join(format!("omnimq-multicast-{}.pcap", std::process::id()));
        let words = ["-U", "-B", "8192", "-s", KEPT, "udp or proto 113", "-w"].map(OsStr::new);
        let tcpdump = Tcpdump::start(net, host, words.into_iter().chain([file.as_os_str()]));
        Self { tcpdump, file }
    }
    /// Ends it and reads what it wrote.
    pub(crate) fn end(self) -> Seen {
        self.tcpdump.end();
        let octets = std::fs::read(&self.file).expect("tcpdump wrote a file");
        let _ = std::fs::remove_file(&self.file);
        Seen::read(&octets).expect("a whole capture")
    }
}

impl Seen {
    /// Reads a capture in the classic format, with microseconds, of this machine's order of octets.
    fn read(octets: &[u8]) -> Option<Self> {
        let mut seen = Self::default();
        let mut rest = octets.get(24..)?;
        while let Some((head, behind)) = rest.split_first_chunk::<16>() {
            let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (packet, next) = behind.split_at_checked(word(8) as usize)?;
            seen.on_packet(u64::from(word(0)) * 1_000_000 + u64::from(word(4)), packet);
            rest = next;
        }
        Some(seen)
    }
    /// A frame of Ethernet with IPv4: what else there is, is not ours.
    fn on_packet(&mut self, at: u64, frame: &[u8]) -> Option<()> {
        let ip = frame.get(14..).filter(|ip| ip.first().is_some_and(|first| first >> 4 == 4))?;
        let head = usize::from(ip[0] & 0x0f) * 4;
        let pgm = match ip.get(9)? {
            17 => ip.get(head + 8..)?,
            113 => ip.get(head..)?,
            _ => return None,
        };
        let sqn = |at: usize| Some(u32::from_be_bytes(pgm.get(at..at + 4)?.try_into().ok()?));
        match pgm.get(4)? {
            4 => drop(self.sent.entry(sqn(16)?).or_insert(at)),
            5 => drop(self.repaired.entry(sqn(16)?).or_insert(at)),
            8 => {
                self.naks += 1;
                self.asked.insert(sqn(16)?);
                // Behind the two addresses stand OPT_LENGTH and the head of OPT_NAK_LIST, of four octets each.
                let list = (44..).step_by(4).map_while(sqn);
                self.asked.extend(list.filter(|_| pgm.get(5).is_some_and(|flags| flags & 1 != 0)));
            }
            _ => {}
        }
        Some(())
    }
    /// How many packets were asked for.
    pub(crate) fn losses(&self) -> u64 {
        self.asked.len() as u64
    }
    /// Milliseconds from the packet to its repair: so many hundredths of all repairs took at most this.
    pub(crate) fn repair(&self, hundredths: usize) -> Option<f64> {
        let waits = self.repaired.iter().filter_map(|(sqn, at)| Some(at.saturating_sub(*self.sent.get(sqn)?)));
        let mut waits: Vec<u64> = waits.collect();
        waits.sort_unstable();
        let at = (waits.len() * hundredths / 100).min(waits.len().checked_sub(1)?);
        Some(waits[at] as f64 / 1000.0)
    }
}
