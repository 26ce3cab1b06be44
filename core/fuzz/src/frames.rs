//! The frames of a stream that comes in pieces, and its runs of whole messages, found the plain way.
//!
//! `core/tests/wire.rs` looks at generated streams through these functions too.

use omnimq_core::wire::{Decoder, FrameHeader, Framing, Run, WireError};

/// The headers found, with as much of each body as came, and how it ended.
#[derive(Debug, Default, PartialEq)]
pub struct Decoded {
    pub frames: Vec<(FrameHeader, Vec<u8>)>,
    pub error: Option<WireError>,
}

/// What a decoder finds; its answers repeat until they are taken, and it leaves nothing over.
pub fn decode<'a>(framing: Framing, max: u64, pieces: impl Iterator<Item = &'a [u8]>) -> Decoded {
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
                decoded.frames.push((header, Vec::new()));
            }
            let body = &mut decoded.frames.last_mut().expect("one was pushed").1;
            let missing = header.len - body.len() as u64;
            let taken = missing.min((piece.len() - at) as u64);
            body.extend_from_slice(&piece[at..at + taken as usize]);
            at += taken as usize;
            begun = taken < missing;
            if begun {
                break;
            }
            decoder.finish();
        }
    }
    decoded
}

/// What `Run::scan` is to find, counted frame by frame.
pub fn naive_run(octets: &[u8], max: u64, max_messages: usize) -> Run {
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
