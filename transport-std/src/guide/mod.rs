//! Guides, to be read in this order or by need. Every program in them is compiled and run with the tests.
//!
//! - [`getting_started`]: contexts, sockets, endpoints, messages, errors.
//! - [`patterns`]: what each socket type is for, and what it does when nobody is there or nobody has room.
//! - [`options`]: every option with its unit, its default and libzmq's name for it.
//! - [`async`](mod@async): tasks, on any executor.
//! - [`threads`]: who may use what from where, and how a program ends.
//! - [`tuning`]: what costs what.
//! - [`coming_from_rust_zmq`], [`coming_from_zmq_rs`]: calls side by side.

#[doc = include_str!("getting_started.md")]
pub mod getting_started {}

#[doc = include_str!("patterns.md")]
pub mod patterns {}

#[doc = include_str!("options.md")]
pub mod options {}

#[doc = include_str!("async.md")]
pub mod r#async {}

#[doc = include_str!("threads.md")]
pub mod threads {}

#[doc = include_str!("tuning.md")]
pub mod tuning {}

#[doc = include_str!("coming_from_rust_zmq.md")]
pub mod coming_from_rust_zmq {}

#[doc = include_str!("coming_from_zmq_rs.md")]
pub mod coming_from_zmq_rs {}
