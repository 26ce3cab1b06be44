//! The address of a pgm or epgm endpoint: `[interface,…];group,…[;send group]:port`.

use super::EndpointError;
use super::host::{Host, parse_port};
use core::fmt;

/// Interfaces, groups and the port of a multicast session. Bind and connect mean the same.
///
/// ```
/// use omnimq_core::endpoint::{Endpoint, Host};
///
/// let Ok(Endpoint::Epgm(multicast)) = Endpoint::parse("epgm://eth0;239.192.1.1,239.192.1.2;239.192.1.3:5555") else {
///     panic!()
/// };
/// assert_eq!(multicast.interfaces.iter().next(), Some(Host::Name("eth0")));
/// assert_eq!((multicast.receive.iter().count(), multicast.port), (2, 5555));
/// assert_eq!(multicast.send.to_string(), "239.192.1.3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Multicast<'a> {
    /// The interfaces to use; none leaves it to the routing table.
    pub interfaces: HostList<'a>,
    /// The groups to receive from, at least one.
    pub receive: HostList<'a>,
    /// The group to send to. If the text has none, it is the first to receive from.
    pub send: Host<'a>,
    /// The PGM destination port and, in UDP, the port: never 0.
    pub port: u16,
}

impl<'a> Multicast<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, EndpointError> {
        let (network, port) = text.rsplit_once(':').filter(|_| !text.ends_with(']')).ok_or(EndpointError::Port)?;
        let port = parse_port(port)?;
        if port == 0 {
            return Err(EndpointError::Port);
        }
        let mut parts = network.split(';');
        let interfaces = HostList(parts.next().unwrap_or_default());
        if !interfaces.0.is_empty() && !interfaces.0.split(',').all(|text| interface(text).is_ok()) {
            return Err(EndpointError::Interface);
        }
        let receive = HostList(parts.next().ok_or(EndpointError::Group)?);
        let send = group(parts.next().unwrap_or(receive.0.split(',').next().unwrap_or_default()))?;
        let one_family = |text| group(text).is_ok_and(|group| matches!(group, Host::V4(_)) == matches!(send, Host::V4(_)));
        if !receive.0.split(',').all(one_family) || parts.next().is_some() {
            return Err(EndpointError::Group);
        }
        Ok(Self { interfaces, receive, send, port })
    }
}

impl fmt::Display for Multicast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.interfaces, self.receive)?;
        if self.receive.iter().next() != Some(self.send) {
            write!(f, ";{}", self.send)?;
        }
        write!(f, ":{}", self.port)
    }
}

/// Hosts separated by commas, still text.
#[derive(Clone, Copy)]
pub struct HostList<'a>(&'a str);

impl<'a> HostList<'a> {
    /// The hosts in their order.
    pub fn iter(self) -> impl Iterator<Item = Host<'a>> + Clone {
        self.0.split(',').filter_map(|text| bare(text).ok())
    }
}

impl PartialEq for HostList<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for HostList<'_> {}

impl core::hash::Hash for HostList<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.iter().for_each(|host| host.hash(state));
    }
}

impl fmt::Debug for HostList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for HostList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, host) in self.iter().enumerate() {
            write!(f, "{}{host}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A host; here IPv6 addresses may do without brackets, as OpenPGM's lists have them.
fn bare(text: &str) -> Result<Host<'_>, EndpointError> {
    match Host::parse_v6(text) {
        Ok(host) => Ok(host),
        Err(_) if text.is_empty() => Err(EndpointError::Host),
        Err(_) => Host::parse(text),
    }
}

fn interface(text: &str) -> Result<Host<'_>, EndpointError> {
    match bare(text) {
        Ok(host) if !matches!(host, Host::Any) && !host.is_multicast() => Ok(host),
        _ => Err(EndpointError::Interface),
    }
}

fn group(text: &str) -> Result<Host<'_>, EndpointError> {
    match bare(text) {
        Ok(host @ (Host::V4(_) | Host::V6(_, None))) if host.is_multicast() => Ok(host),
        _ => Err(EndpointError::Group),
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::super::{Endpoint, EndpointError as E};
    use alloc::string::ToString;

    #[test]
    fn canonical_table() {
        let table = [
            ("eth0;239.192.1.1:5555", "eth0;239.192.1.1:5555"),
            (";239.192.1.1:5555", ";239.192.1.1:5555"),
            ("10.0.0.1,eth1;239.192.1.1,239.192.1.2:1", "10.0.0.1,eth1;239.192.1.1,239.192.1.2:1"),
            ("eth0;239.192.1.1;239.192.1.2:1", "eth0;239.192.1.1;239.192.1.2:1"),
            ("eth0;239.192.1.1;239.192.1.1:1", "eth0;239.192.1.1:1"),
            ("eth0;ff15::7077:1:5555", "eth0;[ff15::7077:1]:5555"),
            ("fe80::1%eth0;[ff15::7077:1]:5555", "[fe80::1%eth0];[ff15::7077:1]:5555"),
        ];
        for (text, canonical) in table {
            for scheme in ["pgm", "epgm"] {
                let (text, canonical) = (alloc::format!("{scheme}://{text}"), alloc::format!("{scheme}://{canonical}"));
                let endpoint = Endpoint::parse(&text).unwrap();
                assert_eq!(endpoint.to_string(), canonical);
                assert_eq!(Endpoint::parse(&canonical), Ok(endpoint));
            }
        }
    }

    #[test]
    fn refusals_name_the_part() {
        let table = [
            ("eth0;239.192.1.1", E::Port),
            ("eth0;239.192.1.1:0", E::Port),
            ("eth0;239.192.1.1:*", E::Port),
            ("eth0;239.192.1.1:65536", E::Port),
            ("eth0;[ff15::1]", E::Port),
            ("239.192.1.1:5555", E::Interface),
            ("eth0:5555", E::Group),
            ("eth0;:5555", E::Group),
            ("eth0;name:5555", E::Group),
            ("eth0;10.0.0.1:5555", E::Group),
            ("eth0;239.192.1.1,:5555", E::Group),
            ("eth0;239.192.1.1;:5555", E::Group),
            ("eth0;239.192.1.1;239.192.1.2;239.192.1.3:5555", E::Group),
            ("eth0;239.192.1.1,ff15::1:5555", E::Group),
            ("eth0;ff15::1%eth0:5555", E::Group),
            ("eth0,;239.192.1.1:5555", E::Interface),
            ("*;239.192.1.1:5555", E::Interface),
            ("239.192.1.1;239.192.1.1:5555", E::Interface),
        ];
        for (text, error) in table {
            assert_eq!(Endpoint::parse(&alloc::format!("epgm://{text}")), Err(error), "{text}");
        }
    }
}
