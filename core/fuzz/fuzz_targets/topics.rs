//! `topics` under libFuzzer; the body is `omnimq_fuzz::topics`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::topics(data));
