//! `records` of bodies.rs on whatever the fuzzer comes up with.
#![no_main]

#[allow(dead_code, reason = "each target has use for one of them")]
#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::records(data));
