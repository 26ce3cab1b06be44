//! All sizes in one type, and the memory of the TCP streams.

use crate::stream::Stream;
use omnimq_core::storage::fixed::{Bits, Bytes, Fifo, Keys, Rows, Slots};
use omnimq_core::{NodeStorage, Storage};
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;

/// Every capacity of a socket.
///
/// * `PEERS`: 1 to 32 peers, connected and being connected to.
/// * `SEND`, `RECV`: messages queued towards and from each peer. 0 where the pattern sends nothing (SUB, PULL) or
///   receives nothing (PUB, PUSH), and costs nothing there.
/// * `MSG`: octets of the longest message of all its frames, and 2 for each frame. At least 64: a peer's handshake has to
///   fit.
/// * `TOPICS`: distinct topics of a SUB, or of all the peers of a PUB together.
/// * `KEY`: octets of the longest topic or routing id.
/// * `RX`, `TX`: octets of the TCP buffers of each peer.
///
/// ```
/// use omnimq_smoltcp::{Capacity, Socket, core::{Options, Pub}};
/// /// Four peers, eight messages of 64 octets for each, nothing to receive, sixteen topics of 16 octets.
/// type Telemetry = Socket<Pub, Capacity<4, 8, 0, 66, 16, 16, 256, 1024>>;
/// # let _ = size_of::<Telemetry>();
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Capacity<
    const PEERS: usize,
    const SEND: usize,
    const RECV: usize,
    const MSG: usize,
    const TOPICS: usize = 8,
    const KEY: usize = 32,
    const RX: usize = 1024,
    const TX: usize = 1024,
>;

impl<
    const PEERS: usize,
    const SEND: usize,
    const RECV: usize,
    const MSG: usize,
    const TOPICS: usize,
    const KEY: usize,
    const RX: usize,
    const TX: usize,
> Storage for Capacity<PEERS, SEND, RECV, MSG, TOPICS, KEY, RX, TX>
{
    type Body = Bytes<MSG>;
    type Tx = Rows<SEND, MSG, KEY>;
    type Rx = Rows<RECV, MSG, KEY>;
    type Key = Bytes<KEY>;
    type Table<T> = Slots<T, PEERS>;
    type Names<V> = Keys<V, PEERS, KEY>;
    type Topics<V> = Keys<V, TOPICS, KEY>;
    type Queue<T> = Fifo<T, TOPICS>;
    type Set = Bits;
    fn key(bytes: &[u8]) -> Option<Bytes<KEY>> {
        Bytes::new(bytes)
    }
}

impl<
    const PEERS: usize,
    const SEND: usize,
    const RECV: usize,
    const MSG: usize,
    const TOPICS: usize,
    const KEY: usize,
    const RX: usize,
    const TX: usize,
> NodeStorage for Capacity<PEERS, SEND, RECV, MSG, TOPICS, KEY, RX, TX>
{
    fn outbound(hwm: u32) -> Self::Tx {
        Rows::new(hwm)
    }
    fn inbound(hwm: u32) -> Self::Rx {
        Rows::new(hwm)
    }
}

/// What a [`Socket`](crate::Socket) wants of its capacity; [`Capacity`] has it.
pub trait Capacities: NodeStorage {
    /// The TCP buffers of all peers.
    type Memory;
    /// One stream for each peer.
    #[doc(hidden)]
    type Streams: AsRef<[Stream]> + AsMut<[Stream]>;
    /// Gives TCP sockets with these buffers to `sockets`: one for each peer, and one that refuses peers beyond.
    #[doc(hidden)]
    fn open<'a>(memory: &'a mut Self::Memory, sockets: &mut SocketSet<'a>) -> (Self::Streams, SocketHandle);
}

impl<
    const PEERS: usize,
    const SEND: usize,
    const RECV: usize,
    const MSG: usize,
    const TOPICS: usize,
    const KEY: usize,
    const RX: usize,
    const TX: usize,
> Capacities for Capacity<PEERS, SEND, RECV, MSG, TOPICS, KEY, RX, TX>
{
    type Memory = Memory<PEERS, RX, TX>;
    type Streams = [Stream; PEERS];
    // Once for all patterns of these sizes.
    #[inline(never)]
    fn open<'a>(memory: &'a mut Self::Memory, sockets: &mut SocketSet<'a>) -> ([Stream; PEERS], SocketHandle) {
        let streams = memory.peers.each_mut().map(|(rx, tx)| Stream::new(add(sockets, rx, tx)));
        let (rx, tx) = memory.door.split_at_mut(1);
        (streams, add(sockets, rx, tx))
    }
}

fn add<'a>(sockets: &mut SocketSet<'a>, rx: &'a mut [u8], tx: &'a mut [u8]) -> SocketHandle {
    let mut socket = tcp::Socket::new(tcp::SocketBuffer::new(rx), tcp::SocketBuffer::new(tx));
    // Messages are whole when they are handed over: waiting for more to come only delays them.
    socket.set_nagle_enabled(false);
    sockets.add(socket)
}

/// The TCP buffers of `PEERS` streams of `RX` and `TX` octets: to be put where they stay, such as a `static`.
#[derive(Debug)]
pub struct Memory<const PEERS: usize, const RX: usize, const TX: usize> {
    peers: [([u8; RX], [u8; TX]); PEERS],
    /// For the stream that refuses: TCP wants buffers, but nothing is ever put there.
    door: [u8; 2],
}

impl<const PEERS: usize, const RX: usize, const TX: usize> Memory<PEERS, RX, TX> {
    /// All zeros.
    pub const fn new() -> Self {
        Self { peers: [([0; RX], [0; TX]); PEERS], door: [0; 2] }
    }
}

impl<const PEERS: usize, const RX: usize, const TX: usize> Default for Memory<PEERS, RX, TX> {
    fn default() -> Self {
        Self::new()
    }
}
