//! The patterns, each as a table of what goes in and what comes out, over both storages.
#![cfg(feature = "alloc")]

mod closing;
mod fair;
mod harness;
mod pair;
mod publish;
mod req_rep;
mod router;
mod subscribe;
mod too_large;
mod work;
mod xpub;
mod xsub;
