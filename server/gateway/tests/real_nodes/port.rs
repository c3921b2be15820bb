//! Ports of nodes that are stopped and started again.

use std::net::TcpListener;

/// Below those a system gives out by itself, so that no other test is given one while its node is away.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;
/// For what a node listens on beside its RPC.
const FIRST_BESIDE: u16 = 30_000;
const COUNT_BESIDE: u16 = 2_500;

/// A port nobody listens on; another process begins to look somewhere else.
pub fn free_port() -> u16 {
    find(FIRST, COUNT)
}

/// The same for the same node: as nobody listens on the first one yet, that would be found again.
#[allow(dead_code, reason = "not every suite has nodes with two")]
pub fn free_port_beside() -> u16 {
    find(FIRST_BESIDE, COUNT_BESIDE)
}

fn find(first: u16, count: u16) -> u16 {
    let begin = std::process::id() % u32::from(count);
    (0..u32::from(count))
        .map(|step| first + u16::try_from((begin + step * 7) % u32::from(count)).unwrap())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}
