//! `node_pair` under libFuzzer; the body is `omnimq_fuzz::node_pair`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::node_pair(data));
