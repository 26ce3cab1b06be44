//! OmniMQ and libzmq 4.3.5 over tcp and ipc.

mod conflate;
mod either;
mod floods;
mod immediate;
mod ours;
mod pairs;
mod restart;
mod topics;
