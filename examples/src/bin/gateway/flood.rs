//! The speed run: one PUSH process, one PULL process, a million messages of 1 KB, each of them checked.

use std::time::Instant;

use anyhow::{Result, bail};
use omnimq::{Context, Pull, Push};

use crate::fleet::Member;
use crate::{plan, say};

/// Plays both processes; returns messages a second, measured where they arrive.
pub(crate) fn play() -> Result<f64> {
    let sink = Member::spawn("sink", &["sink"])?;
    let endpoint = sink.expect("pull")?;
    let source = Member::spawn("source", &["source", &endpoint])?;
    let [micros] = sink.expect_numbers("micros")?;
    source.finish()?;
    sink.finish()?;
    Ok((plan::FLOOD - 1) as f64 * 1e6 / micros.max(1) as f64)
}

/// Message `number`: its number at the beginning and at the end, and the same octet between.
fn fill(body: &mut [u8], number: u64) {
    let number = number.to_le_bytes();
    if let Some((first, rest)) = body.split_first_chunk_mut::<8>() {
        *first = number;
        if let Some(last) = rest.last_chunk_mut::<8>() {
            *last = number;
        }
    }
}

/// The receiving process: says `pull ENDPOINT`, then `micros N` from the first message to the last.
pub(crate) fn sink() -> Result<()> {
    let context = Context::new()?;
    let mut pull = Pull::with(&context, plan::options())?;
    say(&format!("pull {}", pull.bind("tcp://127.0.0.1:*")?))?;
    let mut expected = [b'x'; plan::FLOOD_OCTETS];
    let mut first = None;
    for number in 0..plan::FLOOD {
        let message = pull.recv()?;
        fill(&mut expected, number);
        if message.len() != 1 || message.bytes() != expected {
            bail!("message {number} of the flood is not what was sent");
        }
        first.get_or_insert_with(Instant::now);
    }
    let micros = first.map_or(0, |first| first.elapsed().as_micros());
    say(&format!("micros {micros}"))
}

/// The sending process.
pub(crate) fn source(endpoint: &str) -> Result<()> {
    let context = Context::new()?;
    let mut options = plan::options();
    options.linger = Some(plan::PATIENCE);
    let mut push = Push::with(&context, options)?;
    push.connect(endpoint)?;
    let mut body = [b'x'; plan::FLOOD_OCTETS];
    for number in 0..plan::FLOOD {
        fill(&mut body, number);
        push.send(&body)?;
    }
    drop(push);
    Ok(context.term_timeout(plan::PATIENCE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_number_at_both_ends() {
        let mut body = [b'x'; plan::FLOOD_OCTETS];
        fill(&mut body, 0x0102_0304_0506_0708);
        assert_eq!(body[..9], [8, 7, 6, 5, 4, 3, 2, 1, b'x']);
        assert_eq!(body[plan::FLOOD_OCTETS - 9..], [b'x', 8, 7, 6, 5, 4, 3, 2, 1]);
    }
}
