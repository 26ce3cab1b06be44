//! Greetings: what was recognised stays, what parses is emitted and parsed alike.

use omnimq_core::wire::{Framing, GREETING_LEN, Greeting, GreetingV2, Recognition, Version};

/// All octets are what a peer sends first.
pub fn greeting(data: &[u8]) {
    let recognition = recognise(data);
    if let Some(octets) = data.first_chunk::<GREETING_LEN>() {
        modern(octets, recognition);
    }
    for framing in [Framing::V1, Framing::V2] {
        old(framing, data);
    }
}

/// Octets only ever make it surer.
fn recognise(octets: &[u8]) -> Recognition {
    let rank = |recognition| match recognition {
        Recognition::Undecided => 0,
        Recognition::Signed => 1,
        Recognition::Modern => 2,
        Recognition::Is(_) => 3,
    };
    let mut last = Recognition::of(&[]);
    for end in 0..=octets.len() {
        let next = Recognition::of(&octets[..end]);
        assert!(rank(next) >= rank(last) && (rank(last) < 3 || next == last), "{last:?} became {next:?}");
        assert!(end < 12 || rank(next) == 3, "twelve octets decide");
        last = next;
    }
    last
}

fn modern(octets: &[u8; GREETING_LEN], recognition: Recognition) {
    let Ok(greeting) = Greeting::parse(octets) else { return };
    assert_eq!(recognition, Recognition::Is(greeting.version()));
    for identity_len in [0, 5, 255] {
        let emitted = greeting.emit(identity_len);
        assert_eq!(Greeting::parse(&emitted), Ok(greeting));
        assert_eq!(emitted[10..32], octets[10..32], "version and mechanism go out as they came");
    }
}

fn old(framing: Framing, octets: &[u8]) {
    let parsed = GreetingV2::parse(framing, octets);
    for end in 0..octets.len() {
        match GreetingV2::parse(framing, &octets[..end]) {
            Ok(None) => {}
            early => assert_eq!(early, parsed, "{end} octets said otherwise"),
        }
    }
    let Ok(Some((greeting, used))) = parsed else { return };
    assert!(used <= octets.len() && greeting.identity.len() <= 255);
    assert_ne!(Recognition::of(octets), Recognition::Is(Version::V1Unversioned));
    let (head, head_len) = greeting.head(framing).expect("an identity that came can go");
    let emitted = [&head[..head_len], greeting.identity].concat();
    assert_eq!(GreetingV2::parse(framing, &emitted), Ok(Some((greeting, emitted.len()))));
}
