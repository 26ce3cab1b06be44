//! A socket that keeps its context from ending, by what an application can recognise it by.

use omnimq_core::SocketType;
use std::fmt;

/// A socket that has not ended when its context was to: see [`Context::term_timeout`](crate::Context::term_timeout).
///
/// ```
/// use omnimq::{Context, Error, Pull};
/// # use std::time::Duration;
/// let context = Context::new()?;
/// let mut forgotten = Pull::new(&context)?;
/// forgotten.bind("inproc://work")?;
/// if let Err(Error::StillOpen(sockets)) = context.term_timeout(Duration::ZERO) {
///     for socket in sockets {
///         assert!(!socket.lingers && socket.bound == ["inproc://work"]); // somebody holds it
///     }
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenSocket {
    /// Its type.
    pub socket_type: SocketType,
    /// The endpoints at which it accepts connections, with their real ports and paths.
    pub bound: Vec<String>,
    /// The endpoints it is connected to, or tries to be, as they were given.
    pub connected: Vec<String>,
    /// The application has dropped it, and what it sent has not left; else somebody holds it still.
    pub lingers: bool,
}

impl fmt::Display for OpenSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.socket_type)?;
        for (way, endpoints) in [("bound to", &self.bound), ("connected to", &self.connected)] {
            if !endpoints.is_empty() {
                write!(f, " {way} {}", endpoints.join(", "))?;
            }
        }
        f.write_str(if self.lingers { " (lingers)" } else { " (not dropped)" })
    }
}
