//! The cable that the other tests are played over does each harm that they are to withstand, by its seed.
#![cfg(all(feature = "ip", feature = "ipv6"))]

#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
#[path = "support/pipe.rs"]
mod pipe;

use pipe::{Cable, End, Weather};
use smoltcp::phy::{Device, Medium, RxToken, TxToken};
use smoltcp::time::{Duration, Instant};
use std::collections::BTreeSet;

const FRAMES: u32 = 1000;

/// Frames with their numbers, one each millisecond: when each arrived, and what it was.
fn heard(seed: u64) -> Vec<(Instant, Vec<u8>)> {
    let cable = Cable::new(Medium::Ip, Weather::BAD, seed);
    let [mut near, mut far] = [0, 1].map(|at| End { cable: cable.clone(), at });
    let mut heard = Vec::new();
    for at in 0..FRAMES + 10 {
        let now = Instant::from_millis(at);
        if at < FRAMES {
            let octets = [at.to_be_bytes(), (!at).to_be_bytes()].concat();
            near.transmit(now).unwrap().consume(octets.len(), |frame| frame.copy_from_slice(&octets));
        }
        while let Some((frame, _)) = far.receive(now) {
            heard.push((now, frame.consume(<[u8]>::to_vec)));
        }
    }
    heard
}

#[test]
fn a_bad_cable_does_each_harm_and_the_same_by_the_same_seed() {
    let frames = heard(7);
    assert!(frames == heard(7) && frames != heard(8));
    let number = |octets: &[u8]| u32::from_be_bytes(octets.try_into().unwrap());
    let whole = |(_, octets): &&(Instant, Vec<u8>)| number(&octets[..4]) == !number(&octets[4..]);
    let sound: Vec<(Instant, u32)> = frames.iter().filter(whole).map(|(at, octets)| (*at, number(&octets[..4]))).collect();
    let distinct: BTreeSet<u32> = sound.iter().map(|(_, number)| *number).collect();
    let corrupted = frames.len() - sound.len();
    let lost = FRAMES as usize - distinct.len();
    assert!(corrupted > 10, "{corrupted} corrupted");
    assert!(lost > 30 + corrupted, "{lost} lost or corrupted");
    assert!(sound.len() > 10 + distinct.len(), "{} of {} twice", sound.len() - distinct.len(), sound.len());
    let late = |(at, number): &&(Instant, u32)| *at - Instant::from_millis(*number) > Duration::from_millis(2);
    assert!(sound.iter().filter(late).count() > 100, "delayed");
    assert!(sound.windows(2).filter(|pair| pair[0].1 > pair[1].1).count() > 100, "overtaken");
}
