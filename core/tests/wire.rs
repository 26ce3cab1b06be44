//! Properties of the wire: what is emitted is parsed back, and how a stream is cut changes nothing.

#[expect(unreachable_pub, reason = "public where the fuzz targets are a library")]
#[path = "../fuzz/src/frames.rs"]
mod frames;

use frames::{Decoded, decode, naive_run};
use omnimq_core::wire::{
    Command, FrameHeader, Framing, GREETING_LEN, Greeting, GreetingV2, MAX_FRAME_LEN, MAX_HEADER, Mechanism, Metadata,
    PingContext, Property, Recognition, Run, WireError,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases on every run, unless `PROPTEST_RNG_SEED` names others.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(37),
        fixed => fixed,
    };
    ProptestConfig { rng_seed, failure_persistence: None, ..default }
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![Just(Framing::V1), Just(Framing::V2), Just(Framing::V3)]
}

fn length() -> impl Strategy<Value = u64> {
    prop_oneof![0..600u64, Just(MAX_FRAME_LEN - 1), 0..MAX_FRAME_LEN]
}

/// Frames as (more, command, body); commands only where the framing has them, and never with more to follow.
fn frames() -> impl Strategy<Value = (Framing, Vec<(bool, bool, Vec<u8>)>)> {
    let body = prop_oneof![vec(any::<u8>(), 0..8), vec(any::<u8>(), 250..260)];
    let frame = (any::<bool>(), prop::bool::weighted(0.1), body);
    (framing(), vec(frame, 0..12)).prop_map(|(framing, frames)| {
        let legal = |(more, command, body)| {
            let command = command && framing == Framing::V3;
            (more && !command, command, body)
        };
        (framing, frames.into_iter().map(legal).collect())
    })
}

fn stream(framing: Framing, frames: &[(bool, bool, Vec<u8>)]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (more, command, body) in frames {
        let mut head = [0; MAX_HEADER];
        let used = FrameHeader { more: *more, command: *command, len: body.len() as u64 }.emit(framing, &mut head);
        stream.extend_from_slice(&head[..used]);
        stream.extend_from_slice(body);
    }
    stream
}

/// The same in pieces that end at `cuts`.
fn decode_cut(framing: Framing, max: u64, stream: &[u8], cuts: &[usize]) -> Decoded {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).chain([0, stream.len()]).collect();
    cuts.sort_unstable();
    decode(framing, max, cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]))
}

fn mechanism() -> impl Strategy<Value = Mechanism> {
    vec(0x21..0x7fu8, 1..=20).prop_map(|name| {
        let mut field = [0; 20];
        field[..name.len()].copy_from_slice(&name);
        Mechanism::parse(&field).unwrap()
    })
}

/// What every name carries: any octets.
type Carrier = for<'a> fn(&'a [u8]) -> Command<'a>;

const CARRIERS: [Carrier; 9] = [
    |data| Command::Ready(Metadata(data)),
    |data| Command::Subscribe(data),
    |data| Command::Cancel(data),
    |data| Command::Join(data),
    |data| Command::Leave(data),
    |data| Command::Hello(data),
    |data| Command::Welcome(data),
    |data| Command::Initiate(data),
    |data| Command::Message(data),
];

fn comes_back(command: Command<'_>) {
    let mut out = vec![0xaa; 1200];
    let used = command.emit(&mut out).unwrap();
    assert_eq!(used, command.pieces().len());
    assert_eq!(Command::parse(&out[..used]), Ok(command));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn frame_headers_come_back(framing in framing(), more: bool, command: bool, len in length()) {
        let command = command && framing == Framing::V3 && !more;
        let header = FrameHeader { more, command, len };
        let mut out = [0; MAX_HEADER];
        let used = header.emit(framing, &mut out);
        for cut in 0..used {
            prop_assert_eq!(FrameHeader::parse(framing, &out[..cut]), Ok(None));
        }
        prop_assert_eq!(FrameHeader::parse(framing, &out[..used]), Ok(Some((header, used))));
    }

    #[test]
    fn any_chunking_gives_the_same_frames((framing, frames) in frames(), cuts in vec(any::<usize>(), 0..40)) {
        let stream = stream(framing, &frames);
        let whole = decode_cut(framing, u64::MAX, &stream, &[]);
        prop_assert_eq!(whole.frames.len(), frames.len());
        for ((header, found), (more, command, body)) in whole.frames.iter().zip(&frames) {
            prop_assert_eq!((header.more, header.command, found), (*more, *command, body));
        }
        prop_assert_eq!(whole.error, None);
        prop_assert_eq!(decode_cut(framing, u64::MAX, &stream, &cuts), whole);
        let every_octet: Vec<usize> = (0..stream.len()).collect();
        prop_assert_eq!(decode_cut(framing, 255, &stream, &every_octet), decode_cut(framing, 255, &stream, &[]));
    }

    #[test]
    fn any_chunking_of_garbage_ends_alike(
        framing in framing(), octets in vec(any::<u8>(), 0..300), cuts in vec(any::<usize>(), 0..40), max in 0..300u64,
    ) {
        prop_assert_eq!(decode_cut(framing, max, &octets, &cuts), decode_cut(framing, max, &octets, &[]));
    }

    #[test]
    fn a_run_is_what_the_decoder_would_take(
        (_, frames) in frames(), tail in vec(any::<u8>(), 0..12), max in 0..300u64, max_messages in 0..14usize, cut: usize,
    ) {
        let mut octets = stream(Framing::V3, &frames.into_iter().map(|(m, c, b)| (m && !c, c, b)).collect::<Vec<_>>());
        octets.extend_from_slice(&tail);
        octets.truncate(cut % (octets.len() + 1));
        for (max, max_messages) in [(max, max_messages), (u64::MAX, usize::MAX)] {
            prop_assert_eq!(Run::scan(&octets, max, max_messages, u32::MAX), naive_run(&octets, max, max_messages));
        }
    }

    #[test]
    fn commands_come_back(
        data in vec(any::<u8>(), 0..600), name in vec(any::<u8>(), 1..=255), reason in vec(any::<u8>(), 0..=255),
        ttl: u16, context in vec(any::<u8>(), 0..=16),
    ) {
        CARRIERS.iter().for_each(|carrier| comes_back(carrier(&data)));
        comes_back(Command::Error(&reason));
        comes_back(Command::Ping { ttl, context: PingContext::new(&context) });
        comes_back(Command::Pong(PingContext::new(&context)));
        comes_back(Command::Unknown { name: &name, data: &data });
    }

    #[test]
    fn what_parses_as_a_command_is_emitted_and_parsed_alike(name in "(READY|ERROR|PING|PONG|HELLO|X)", data in vec(any::<u8>(), 0..40)) {
        let mut body = vec![name.len() as u8];
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(&data);
        if let Ok(command) = Command::parse(&body) {
            comes_back(command);
        }
    }

    #[test]
    fn metadata_comes_back(
        properties in vec((vec(any::<u8>(), 1..=255), vec(any::<u8>(), 0..300)), 0..6), junk in vec(any::<u8>(), 1..5),
    ) {
        let mut octets = Vec::new();
        for (name, value) in &properties {
            let property = Property { name, value };
            let mut out = vec![0; property.pieces().unwrap().len()];
            prop_assert_eq!(property.emit(&mut out), Some(out.len()));
            octets.extend_from_slice(&out);
        }
        let parsed: Result<Vec<_>, _> = Metadata(&octets).iter().collect();
        let expected: Vec<_> = properties.iter().map(|(name, value)| Property { name, value }).collect();
        prop_assert_eq!(parsed, Ok(expected));
        // Fewer than five octets are no property: they are an error wherever they stand.
        octets.extend_from_slice(&junk);
        prop_assert_eq!(Metadata(&octets).find(b"?"), Err(WireError::BadMetadata));
    }

    #[test]
    fn greetings_come_back(minor: u8, mechanism in mechanism(), as_server: bool, identity_len: u8) {
        let greeting = Greeting { minor, ..Greeting::new(mechanism, as_server) };
        let octets = greeting.emit(identity_len);
        prop_assert_eq!(Greeting::parse(&octets), Ok(greeting));
        prop_assert_eq!(Recognition::of(&octets), Recognition::Is(greeting.version()));
    }

    #[test]
    fn old_greetings_come_back(
        framing in prop_oneof![Just(Framing::V1), Just(Framing::V2)], revision: u8, socket_type: u8,
        identity in vec(any::<u8>(), 0..=255), rest in vec(any::<u8>(), 0..9),
    ) {
        let greeting = GreetingV2 { revision, socket_type, identity: &identity };
        let (head, used) = greeting.head(framing).unwrap();
        let mut octets = head[..used].to_vec();
        octets.extend_from_slice(&identity);
        for cut in 0..octets.len() {
            prop_assert_eq!(GreetingV2::parse(framing, &octets[..cut]), Ok(None));
        }
        let used = octets.len();
        octets.extend_from_slice(&rest);
        prop_assert_eq!(GreetingV2::parse(framing, &octets), Ok(Some((greeting, used))));
    }

    #[test]
    fn a_recognised_version_stays(octets in vec(prop_oneof![Just(0xff), Just(0x7f), 0..5u8, any::<u8>()], 0..GREETING_LEN)) {
        let mut decided = None;
        for cut in 0..=octets.len() {
            let recognition = Recognition::of(&octets[..cut]);
            match decided {
                None if cut > 12 => prop_assert!(matches!(recognition, Recognition::Is(_)), "twelve octets decide"),
                Some(version) => prop_assert_eq!(recognition, version),
                None => {}
            }
            if let Recognition::Is(_) = recognition {
                decided = Some(recognition);
            }
        }
    }
}
