//! `connection` under libFuzzer; the body is `omnimq_fuzz::connection`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::connection(data));
