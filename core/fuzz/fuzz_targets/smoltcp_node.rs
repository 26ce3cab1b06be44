//! `smoltcp_node` under libFuzzer. Its body is not part of the library, which the core's tests share: the core knows no
//! driver.
#![no_main]

#[allow(dead_code, reason = "shared with tests")]
#[path = "../../../transport-smoltcp/tests/support/pipe.rs"]
mod pipe;
#[path = "../src/smoltcp_node.rs"]
mod smoltcp_node;

libfuzzer_sys::fuzz_target!(|data: &[u8]| smoltcp_node::smoltcp_node(data));
