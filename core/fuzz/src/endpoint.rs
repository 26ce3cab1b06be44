//! The endpoint grammar: any text is refused, or its canonical form is the same endpoint.

use omnimq_core::endpoint::{Endpoint, EndpointError, Host};

/// All octets are text; what is not UTF-8 is passed over.
pub fn endpoint(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let parsed = match Endpoint::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let canonical = parsed.to_string();
    assert_eq!(Endpoint::parse(&canonical), Ok(parsed), "{canonical} from {text}");
    assert_eq!(canonical, Endpoint::parse(&canonical).map(|endpoint| endpoint.to_string()).unwrap_or_default());
    assert_eq!(canonical.split_once("://").map(|(scheme, _)| scheme), Some(parsed.scheme()));
    uses(parsed);
}

/// Bind and connect refuse what only the other one understands, and nothing both.
fn uses(endpoint: Endpoint<'_>) {
    let (bind, connect) = (endpoint.for_bind(), endpoint.for_connect());
    assert!(bind.is_ok() || connect.is_ok() || matches!(endpoint, Endpoint::Tcp { source: Some(_), .. }));
    for error in [bind, connect].into_iter().filter_map(Result::err) {
        assert!(matches!(error, EndpointError::BindOnly | EndpointError::ConnectOnly | EndpointError::Host));
    }
    match endpoint {
        Endpoint::Tcp { address, .. } if connect.is_ok() => assert!(address.port != 0 && address.host != Host::Any),
        Endpoint::Inproc(name) => assert!((1..=256).contains(&name.len())),
        Endpoint::Pgm(multicast) | Endpoint::Epgm(multicast) => {
            assert!(multicast.port != 0 && multicast.send.is_multicast());
            assert!(multicast.receive.iter().count() > 0 && multicast.receive.iter().all(|group| group.is_multicast()));
            assert!(!multicast.interfaces.iter().any(|interface| interface.is_multicast()));
        }
        _ => {}
    }
}
