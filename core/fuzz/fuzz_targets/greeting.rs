//! `greeting` under libFuzzer; the body is `omnimq_fuzz::greeting`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::greeting(data));
