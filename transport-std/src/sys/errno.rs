//! The system's numbers of errors.

use crate::errno::Errno;

/// What the system's number `number` is called, as far as no portable kind of error says so.
#[cfg(target_os = "linux")]
pub(crate) fn named(number: i32) -> Errno {
    match rustix::io::Errno::from_raw_os_error(number) {
        rustix::io::Errno::MFILE => Errno::MFile,
        rustix::io::Errno::NFILE => Errno::NFile,
        rustix::io::Errno::NOBUFS => Errno::NoBufs,
        rustix::io::Errno::NODEV => Errno::NoDev,
        _ => Errno::Other(number),
    }
}

/// What the system's number `number` is called: its number.
#[cfg(not(target_os = "linux"))]
pub(crate) fn named(number: i32) -> Errno {
    Errno::Other(number)
}
