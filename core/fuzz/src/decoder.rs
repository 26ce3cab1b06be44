//! `Decoder` and `Run`: how a stream is cut changes nothing, and a run is what the decoder would take.

use super::frames::{decode, naive_run};
use omnimq_core::wire::{Decoder, FrameHeader, Framing, MAX_HEADER, Run};
use omnimq_seeds::{Decisions, pieces};

/// First octet: framing and frame limit; then the cuts; the rest is the stream.
pub fn decoder(data: &[u8]) {
    let mut source = Decisions(data);
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

/// A header comes back from its shortest form.
fn canonical(framing: Framing, header: FrameHeader) {
    let mut out = [0; MAX_HEADER];
    let used = header.emit(framing, &mut out);
    assert_eq!(FrameHeader::parse(framing, &out[..used]), Ok(Some((header, used))));
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
