//! `command_metadata` under libFuzzer; the body is `omnimq_fuzz::command_metadata`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| omnimq_fuzz::command_metadata(data));
