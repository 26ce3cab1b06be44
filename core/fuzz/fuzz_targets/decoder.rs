//! `decoder` under libFuzzer; the body is `omnimq_fuzz::decoder`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::decoder(data));
