//! `endpoint` under libFuzzer; the body is `omnimq_fuzz::endpoint`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::endpoint(data));
