//! Commands and metadata: what parses is emitted and parsed alike, to the octet where nothing is passed over.

use omnimq_core::wire::{Command, Metadata, Property, WireError};

/// All octets are the body of a command frame, and a list of properties.
pub fn command_metadata(data: &[u8]) {
    if let Ok(command) = Command::parse(data) {
        comes_back(command, data);
    }
    walk(Metadata(data));
}

fn comes_back(command: Command<'_>, body: &[u8]) {
    let pieces = command.pieces();
    let emitted = pieces.slices().concat();
    assert_eq!(emitted.len(), pieces.len());
    assert_eq!(Command::parse(&emitted), Ok(command));
    match command {
        // What follows a reason, and what is too long in a context, is passed over.
        Command::Error(_) | Command::Ping { .. } | Command::Pong(_) => assert!(body.starts_with(&emitted)),
        _ => assert_eq!(emitted, body),
    }
    let mut out = vec![0; emitted.len()];
    assert_eq!(command.emit(&mut out), Some(emitted.len()));
    assert_eq!(out, emitted);
    assert_eq!(command.emit(&mut out[1..]), None, "it does not fit into one octet less");
    if let Command::Ready(metadata) = command {
        walk(metadata);
    }
}

fn walk(metadata: Metadata<'_>) {
    let (mut emitted, mut failed) = (Vec::new(), false);
    for property in metadata.iter() {
        assert!(!failed, "nothing follows an error");
        match property {
            Ok(property) => emitted.extend_from_slice(&property.pieces().expect("it came").slices().concat()),
            Err(error) => failed = error == WireError::BadMetadata,
        }
    }
    assert!(metadata.0.starts_with(&emitted));
    assert_eq!(failed, emitted.len() < metadata.0.len(), "the lengths are exact");
    for name in [Property::SOCKET_TYPE, Property::IDENTITY, b"x"] {
        let first = metadata.iter().flatten().find(|property| property.is(name)).map(|property| property.value);
        assert_eq!(metadata.find(name), if failed { Err(WireError::BadMetadata) } else { Ok(first) });
        if let (Some(value), Ok(upper)) = (first, metadata.find(&name.to_ascii_uppercase())) {
            assert_eq!(upper, Some(value), "names have no case");
        }
    }
}
