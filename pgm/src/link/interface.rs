//! Network interfaces, by name or address, without DNS.

use super::LinkError;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use getifaddrs::{getifaddrs, if_nametoindex};
use omnimq_core::endpoint::Host;
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_not_there_is_named() {
        let error = Interface::find(Host::Name("nosuch0"), GROUP).unwrap_err();
        assert_eq!(error.to_string(), "there is no interface `nosuch0`");
        assert!(matches!(Interface::find(Host::V4(Ipv4Addr::new(192, 0, 2, 99)), GROUP), Err(LinkError::NoInterface(_))));
    }
}
