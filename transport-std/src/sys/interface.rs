//! Network interfaces, by their names.

use std::io;
use std::net::{SocketAddr, SocketAddrV6};

/// The addresses of the interface called `name`, with this port; none when there is no such interface.
///
/// # Errors
/// The system's.
pub(crate) fn addresses(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let all = getifaddrs::getifaddrs()?.filter(|interface| interface.name == name);
    let address = |interface: getifaddrs::Interface| {
        let address = SocketAddr::new(interface.address.ip_addr()?, port);
        Some(match address {
            // An address of one link alone is none without that link's number.
            SocketAddr::V6(address) if address.ip().is_unicast_link_local() => {
                SocketAddrV6::new(*address.ip(), port, 0, interface.index.unwrap_or(0)).into()
            }
            address => address,
        })
    };
    Ok(all.filter_map(address).collect())
}

/// The number of the interface called `name`.
///
/// # Errors
/// ENODEV and the like: there is none.
pub(crate) fn index(name: &str) -> io::Result<u32> {
    getifaddrs::if_nametoindex(name)
}

/// What to answer when there is no such interface: ENODEV.
pub(crate) fn missing() -> io::Error {
    #[cfg(target_os = "linux")]
    return rustix::io::Errno::NODEV.into();
    #[cfg(not(target_os = "linux"))]
    return io::Error::new(io::ErrorKind::NotFound, "no such interface or host");
}
