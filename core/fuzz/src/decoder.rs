//! `Decoder` and `Run`: how a stream is cut changes nothing, and a run is what the decoder would take.

use super::source::{Source, pieces};
use omnimq_core::wire::{Decoder, FrameHeader, Framing, MAX_HEADER, Run, WireError};

/// First octet: framing and frame limit; then the cuts; the rest is the stream.
pub fn decoder(data: &[u8]) {
    let mut source = Source(data);
    let framing = source.pick(&[Framing::V3, Framing::V2, Framing::V1, Framing::V3]);
    let max = source.pick(&[u64::MAX, 0, 5, 255, 256, 1 << 20]);
    let cuts = source.cuts();
    let stream = source.0;
    let whole = decode(framing, max, [stream].into_iter());
    assert_eq!(decode(framing, max, pieces(stream, &cuts)), whole);
    assert_eq!(decode(framing, max, stream.chunks(1)), whole);
    for (header, _) in &whole.frames {
        canonical(framing, *header);
    }
    for max_messages in [usize::MAX, cuts[0]] {
        assert_eq!(Run::scan(stream, max, max_messages, u32::MAX), naive_run(stream, max, max_messages));
    }
    raw(&cuts, stream);
}

/// The headers found, with the octets of each body that came, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    frames: Vec<(FrameHeader, u64)>,
    error: Option<WireError>,
}

fn decode<'a>(framing: Framing, max: u64, pieces: impl Iterator<Item = &'a [u8]>) -> Decoded {
    let (mut decoder, mut decoded, mut begun) = (Decoder::new(framing, max), Decoded::default(), false);
    for piece in pieces {
        let mut at = 0;
        loop {
            let header = match decoder.header(piece, &mut at) {
                Ok(Some(header)) => header,
                Ok(None) => break assert_eq!(at, piece.len(), "octets were left over"),
                Err(error) => {
                    assert_eq!(decoder.header(piece, &mut at), Err(error), "an error was forgotten");
                    decoded.error = Some(error);
                    return decoded;
                }
            };
            assert_eq!(decoder.header(piece, &mut at), Ok(Some(header)), "the answer did not repeat");
            assert!(header.len <= max && !(header.more && header.command));
            if !begun {
                decoded.frames.push((header, 0));
            }
            let come = &mut decoded.frames.last_mut().expect("one was pushed").1;
            let taken = (header.len - *come).min((piece.len() - at) as u64);
            *come += taken;
            at += taken as usize;
            begun = *come < header.len;
            if begun {
                break;
            }
            decoder.finish();
        }
    }
    decoded
}

/// A header comes back from its shortest form.
fn canonical(framing: Framing, header: FrameHeader) {
    let mut out = [0; MAX_HEADER];
    let used = header.emit(framing, &mut out);
    assert_eq!(FrameHeader::parse(framing, &out[..used]), Ok(Some((header, used))));
}

fn naive_run(octets: &[u8], max: u64, max_messages: usize) -> Run {
    let (mut run, mut at) = (Run::default(), 0);
    while run.messages < max_messages {
        let Ok(Some((header, used))) = FrameHeader::parse(Framing::V3, &octets[at..]) else { break };
        let left = octets.len() - at - used;
        if header.command || header.len > max || header.len > left as u64 {
            break;
        }
        at += used + header.len as usize;
        if !header.more {
            run = Run { len: at, messages: run.messages + 1 };
        }
    }
    run
}

/// Without framing every octet comes through, in chunks of at most `max`.
fn raw(cuts: &[usize], stream: &[u8]) {
    let max = cuts[0] as u64;
    let (mut decoder, mut total) = (Decoder::new(Framing::Raw, max), 0);
    for piece in pieces(stream, cuts) {
        let mut at = 0;
        while let Some(header) = decoder.header(piece, &mut at).expect("raw octets are never wrong") {
            assert!(header.len > 0 && header.len <= max && !header.more && !header.command);
            at += header.len as usize;
            total += header.len as usize;
            decoder.finish();
        }
        assert_eq!(at, piece.len());
    }
    assert_eq!(total, stream.len());
}
