//! Network interfaces, by name or address, without DNS.

use super::LinkError;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use getifaddrs::{getifaddrs, if_nametoindex};
use omnimq_core::endpoint::Host;
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::string::{String, ToString};
use std::vec::Vec;

/// An interface, with the address that packets are sent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number; 0 leaves the choice to the routing table.
    pub index: u32,
    /// Its address of the group's family.
    pub address: IpAddr,
}

impl Interface {
    /// The interface that `host` names, with an address of the family of `group`.
    ///
    /// # Errors
    /// `NoInterface` (ENODEV), `NoAddress` (EADDRNOTAVAIL).
    pub fn find(host: Host<'_>, group: IpAddr) -> Result<Self, LinkError> {
        let text = host.to_string();
        let wanted: Option<IpAddr> = match host {
            Host::V4(octets) => Some(IpAddr::from(octets)),
            Host::V6(octets, _) => Some(IpAddr::from(octets)),
            _ => None,
        };
        let mut named = false;
        let mut best: Option<(String, IpAddr)> = None;
        for (name, address) in addresses()? {
            let meant = wanted.map_or(name == text, |wanted| address == wanted);
            named |= meant;
            if !meant || address.is_ipv4() != group.is_ipv4() {
                continue;
            }
            // Of several addresses a routable one is better than a link-local one.
            if best.as_ref().is_none_or(|(_, old)| is_link_local(*old) && !is_link_local(address)) {
                best = Some((name, address));
            }
        }
        let Some((name, address)) = best else {
            let exists = named || (wanted.is_none() && if_nametoindex(&text).is_ok());
            return Err(if exists { LinkError::NoAddress(text) } else { LinkError::NoInterface(text) });
        };
        let index = if_nametoindex(&name).map_err(|_| LinkError::NoInterface(text))?;
        Ok(Self { index, address })
    }
    /// None in particular: the routing table chooses for each packet.
    pub(super) fn any(group: IpAddr) -> Self {
        let address = match group {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Self { index: 0, address }
    }
    /// What the routing table chooses for `group`.
    ///
    /// # Errors
    /// `System` (ENETUNREACH): there is no route.
    pub fn routed(group: IpAddr, port: u16) -> Result<Self, LinkError> {
        let local = UdpSocket::bind((Self::any(group).address, 0)).and_then(|socket| {
            socket.connect((group, port))?;
            socket.local_addr()
        });
        let address = local.map_err(LinkError::system("choosing an interface for the group"))?.ip();
        let name = addresses()?.into_iter().find(|(_, own)| *own == address).map(|(name, _)| name);
        let index = name.and_then(|name| if_nametoindex(&name).ok()).unwrap_or(0);
        Ok(Self { index, address })
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// All addresses of all interfaces.
fn addresses() -> Result<Vec<(String, IpAddr)>, LinkError> {
    let all = getifaddrs().map_err(LinkError::system("listing the interfaces"))?;
    Ok(all.filter_map(|entry| Some((entry.name, entry.address.ip_addr()?))).collect())
}

/// The scope that a link-local address needs to be bound or sent to.
pub(super) fn scoped(address: IpAddr, port: u16, index: u32) -> SocketAddr {
    match address {
        IpAddr::V4(address) => SocketAddr::from((address, port)),
        IpAddr::V6(address) => {
            let local = address.is_unicast_link_local() || address.is_multicast();
            std::net::SocketAddrV6::new(address, port, 0, if local { index } else { 0 }).into()
        }
    }
}

/// By which interfaces link-local addresses were heard, where a session has several: nothing else tells where they are.
#[derive(Debug, Default)]
pub(super) struct Scopes(VecDeque<(Ipv6Addr, u32)>);

impl Scopes {
    /// As many as a receiver has sources by default; of more the first is forgotten.
    const MOST: usize = 64;

    /// A packet came from there.
    pub(super) fn learn(&mut self, from: SocketAddr) {
        let SocketAddr::V6(from) = from else { return };
        if !from.ip().is_unicast_link_local() || self.0.iter().any(|&known| known == (*from.ip(), from.scope_id())) {
            return;
        }
        self.0.retain(|(address, _)| address != from.ip());
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back((*from.ip(), from.scope_id()));
    }
    /// The number of the interface that leads there; 0 when that is the routing table's to know.
    pub(super) fn of(&self, address: IpAddr) -> u32 {
        self.0.iter().find(|(known, _)| *known == address).map_or(0, |(_, index)| *index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 192, 1, 1));

    #[test]
    fn loopback_is_found_by_name_and_by_address() {
        let by_name = Interface::find(Host::Name("lo"), GROUP).unwrap();
        let by_address = Interface::find(Host::V4(Ipv4Addr::LOCALHOST), GROUP).unwrap();
        assert_eq!(by_name, by_address);
        assert_eq!(by_name.address, IpAddr::from(Ipv4Addr::LOCALHOST));
        assert!(by_name.index > 0);
    }

    #[test]
    fn link_local_addresses_are_where_they_were_heard_last() {
        let mut scopes = Scopes::default();
        for from in ["[fe80::1%3]:9", "[fe80::2%4]:9", "[fe80::1%5]:9", "[fd00::1]:9", "192.0.2.1:9"] {
            scopes.learn(from.parse().unwrap());
        }
        let of = |scopes: &Scopes, text: &str| scopes.of(text.parse().unwrap());
        assert_eq!(["fe80::1", "fe80::2", "fd00::1", "192.0.2.1"].map(|text| of(&scopes, text)), [5, 4, 0, 0]);
        (0..Scopes::MOST).for_each(|n| scopes.learn(format!("[fe80::1:{n:x}%6]:9").parse().unwrap()));
        assert_eq!((scopes.0.len(), of(&scopes, "fe80::1"), of(&scopes, "fe80::1:0")), (Scopes::MOST, 0, 6));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = Interface::find(Host::Name("nosuch0"), GROUP).unwrap_err();
        assert_eq!(error.to_string(), "there is no interface `nosuch0`");
        assert!(matches!(Interface::find(Host::V4(Ipv4Addr::new(192, 0, 2, 99)), GROUP), Err(LinkError::NoInterface(_))));
    }
}
