#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| telltale_fuzz::quic::quic_datagrams(data));
