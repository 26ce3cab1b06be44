//! `receiver` under libFuzzer; the body is `omnimq_pgm_fuzz::receiver`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_pgm_fuzz::receiver(data));
