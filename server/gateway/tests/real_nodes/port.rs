//! Ports of nodes that are stopped and started again.

use std::net::TcpListener;

/// Below those a system gives out by itself, so that no other test is given one while its node is away.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port nobody listens on; another process begins to look somewhere else.
pub fn free_port() -> u16 {
    let begin = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    (0..COUNT)
        .map(|step| FIRST + (begin + step * 7) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}
