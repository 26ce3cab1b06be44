//! Local stream sockets: files, Linux's abstract names, and files in a directory of their own.
//!
//! A file that a dead process has left is in nobody's way: whoever binds there removes it. Whether somebody lives there is
//! asked with a datagram socket, which a stream's owner refuses in another way than nobody does, and hears nothing of.
//! Other files are never removed.

use super::{Kind, Listener, Stream, StreamOptions};
use omnimq_core::endpoint::Ipc;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::DirBuilder;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};

/// Where a directory of our own may be made: the first of these variables that is set, as in libzmq.
const PLACES: [&str; 3] = ["TMPDIR", "TEMPDIR", "TMP"];

/// Where to listen, or whom to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// In a directory of our own; only to listen.
    Any,
    Abstract(String),
    Path(PathBuf),
}

impl Address {
    /// # Errors
    /// `Unsupported`: abstract names are Linux's.
    pub(crate) fn new(ipc: Ipc<'_>) -> io::Result<Self> {
        Ok(match ipc {
            Ipc::Any => Self::Any,
            Ipc::Path(path) => Self::Path(path.into()),
            Ipc::Abstract(name) if cfg!(target_os = "linux") => Self::Abstract(name.into()),
            Ipc::Abstract(_) => return Err(io::ErrorKind::Unsupported.into()),
        })
    }
    fn system(&self) -> io::Result<SockAddr> {
        match self {
            Self::Any => Err(io::ErrorKind::InvalidInput.into()),
            Self::Abstract(name) => SockAddr::unix(format!("\0{name}")),
            Self::Path(path) => address(path),
        }
    }
}

fn address(path: &Path) -> io::Result<SockAddr> {
    // The only thing that can be wrong here: the system's limit is less than Linux's.
    SockAddr::unix(path).map_err(|_| io::ErrorKind::InvalidFilename.into())
}

fn socket(options: &StreamOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    options.apply(&socket)?;
    Ok(socket)
}

/// A listener at `address`, and its endpoint.
pub(crate) fn listen(address: &Address, options: &StreamOptions) -> io::Result<(Listener, String)> {
    let socket = socket(options)?;
    let (directory, endpoint) = match address {
        Address::Any => {
            let directory = Directory::new()?;
            let path = directory.socket();
            socket.bind(&self::address(&path)?)?;
            (Some(directory), format!("ipc://{}", path.display()))
        }
        Address::Abstract(name) => {
            socket.bind(&address.system()?)?;
            (None, format!("ipc://@{name}"))
        }
        Address::Path(path) => {
            bind(&socket, path)?;
            (None, format!("ipc://{}", path.display()))
        }
    };
    socket.listen(options.backlog)?;
    Ok((Listener::new(socket, Kind::Ipc, directory), endpoint))
}

/// Binds to a file, in place of one that nobody listens at.
fn bind(socket: &Socket, path: &Path) -> io::Result<()> {
    let address = address(path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_stale(path, &address) => {
            std::fs::remove_file(path)?;
            socket.bind(&address)
        }
        done => done,
    }
}

/// Whether the file is a socket and no process has it.
fn is_stale(path: &Path, address: &SockAddr) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let refused =
        |probe: Socket| probe.connect(address).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    is_socket && Socket::new(Domain::UNIX, Type::DGRAM, None).is_ok_and(refused)
}

/// Connects to `address`: such a stream is connected at once, or not at all.
pub(crate) fn connect(address: &Address, options: &StreamOptions) -> io::Result<Stream> {
    let socket = socket(options)?;
    socket.connect(&address.system()?)?;
    Ok(super::stream(socket, Kind::Ipc))
}

/// A directory of our own with a socket in it. Both go when this is dropped.
pub(crate) struct Directory(PathBuf);

/// Whoever has removed a file already has done no harm.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

impl Directory {
    fn new() -> io::Result<Self> {
        let place = PLACES.iter().find_map(std::env::var_os).map_or_else(std::env::temp_dir, PathBuf::from);
        loop {
            let path = place.join(format!("omnimq-{:012x}", RandomState::new().hash_one(()) >> 16));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => return done.map(|()| Self(path)),
            }
        }
    }
    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
    /// Removes both.
    ///
    /// # Errors
    /// Something is in the way.
    pub(super) fn remove(self) -> io::Result<()> {
        self.try_remove()
    }
    fn try_remove(&self) -> io::Result<()> {
        gone(std::fs::remove_file(self.socket())).and(gone(std::fs::remove_dir(&self.0)))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What can be said of it has been said by who closed it.
        let _ = self.try_remove();
    }
}
