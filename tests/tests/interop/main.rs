//! OmniMQ and libzmq 4.3.5 over tcp.

mod ours;
mod pairs;
mod restart;
mod topics;
