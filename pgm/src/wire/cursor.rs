//! Reading and writing big-endian fields one after the other, and network-layer addresses among them.

use super::WireError;
use crate::sqn::Sqn;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Address family numbers of network-layer addresses (RFC 3208 section 8, IANA).
const AFI_V4: u16 = 1;
const AFI_V6: u16 = 2;

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }
    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }
    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }
    pub(super) fn sqn(&mut self) -> Result<Sqn, WireError> {
        self.u32().map(Sqn)
    }
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }
    /// A family, two reserved octets and an address.
    pub(super) fn address(&mut self) -> Result<IpAddr, WireError> {
        let family = self.u16()?;
        self.u16()?;
        match family {
            AFI_V4 => self.array().map(|octets: [u8; 4]| Ipv4Addr::from(octets).into()),
            AFI_V6 => self.array().map(|octets: [u8; 16]| Ipv6Addr::from(octets).into()),
            _ => Err(WireError::AddressFamily),
        }
    }
}

/// What is left to write to. Every call answers `None` when there is too little of it.
pub(super) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }
    pub(super) const fn len(&self) -> usize {
        self.at
    }
    pub(super) fn put(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at.checked_add(octets.len())?;
        self.out.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }
    pub(super) fn u16(&mut self, value: u16) -> Option<()> {
        self.put(&value.to_be_bytes())
    }
    pub(super) fn u32(&mut self, value: u32) -> Option<()> {
        self.put(&value.to_be_bytes())
    }
    pub(super) fn sqn(&mut self, sqn: Sqn) -> Option<()> {
        self.u32(sqn.0)
    }
    pub(super) fn address(&mut self, address: IpAddr) -> Option<()> {
        match address {
            IpAddr::V4(address) => {
                self.u16(AFI_V4)?;
                self.u16(0)?;
                self.put(&address.octets())
            }
            IpAddr::V6(address) => {
                self.u16(AFI_V6)?;
                self.u16(0)?;
                self.put(&address.octets())
            }
        }
    }
}
