//! Who is at the other end of a request.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::connect_info::MockConnectInfo;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use crate::state::AppState;

/// Headers by which a proxy shows that it passed a request on.
const FORWARDING: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];

/// The address the connection came from; `None` when the listener does not say.
pub fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let connected = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0);
    let mocked = || {
        extensions
            .get::<MockConnectInfo<SocketAddr>>()
            .map(|info| info.0)
    };
    connected
        .or_else(mocked)
        .map(|address| address.ip().to_canonical())
}

/// The address that limits count against.
///
/// `X-Forwarded-For` is believed only from the operator's own proxies, and only as far as they
/// wrote it: the last entry that is not one of them. Anyone else's is a claim about itself.
pub fn address(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let peer = peer(extensions).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    if !proxies.contains(&peer) {
        return peer;
    }
    let mut address = peer;
    for hop in forwarded_for(headers).into_iter().rev() {
        let Some(hop) = hop else { break };
        address = hop;
        if !proxies.contains(&hop) {
            break;
        }
    }
    address
}

/// [`address`] as an argument of a handler.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let proxies = &state.edge.trusted_proxies;
        Ok(Self(address(&parts.extensions, &parts.headers, proxies)))
    }
}

/// A proxy of ours says that the request reached it in plain text.
pub fn is_plain_http(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpAddr]) -> bool {
    let trusted = peer(extensions).is_some_and(|peer| proxies.contains(&peer));
    let proto = headers
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok());
    trusted && proto.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("http"))
}

/// The request comes straight from this machine: a loopback peer that is not a proxy passing on
/// somebody else's request.
pub fn is_local(extensions: &Extensions, headers: &HeaderMap) -> bool {
    let passed_on = FORWARDING.iter().any(|name| headers.contains_key(*name));
    !passed_on && peer(extensions).is_some_and(|peer| peer.is_loopback())
}

/// Entries of all `X-Forwarded-For` headers in order; `None` for one that is no address.
fn forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|entry| {
            entry
                .trim()
                .parse()
                .ok()
                .map(|ip: IpAddr| ip.to_canonical())
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn from(peer: &str) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 50_000)));
        extensions
    }

    fn headers(forwarded_for: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        headers
    }

    #[track_caller]
    fn check(peer: &str, forwarded_for: &[&str], expected: &str) {
        let proxies: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let found = address(&from(peer), &headers(forwarded_for), &proxies);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn forwarded_addresses_count_only_from_our_proxies() {
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1");
        check(
            "10.0.0.1",
            &["6.6.6.6", "198.51.100.1, 10.0.0.2"],
            "198.51.100.1",
        );
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["6.6.6.6, <script>"], "10.0.0.1");
    }

    #[test]
    fn only_a_direct_loopback_peer_is_local() {
        assert!(is_local(&from("127.0.0.1"), &HeaderMap::new()));
        assert!(is_local(&from("::1"), &HeaderMap::new()));
        assert!(is_local(&from("::ffff:127.0.0.1"), &HeaderMap::new()));
        assert!(!is_local(&from("192.0.2.1"), &HeaderMap::new()));
        assert!(!is_local(&from("127.0.0.1"), &headers(&["192.0.2.1"])));
        assert!(!is_local(&Extensions::new(), &HeaderMap::new()));
    }

    #[test]
    fn plain_http_is_a_trusted_proxys_word() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", "HTTP".parse().unwrap());
        let proxies: [IpAddr; 1] = ["10.0.0.1".parse().unwrap()];
        assert!(is_plain_http(&from("10.0.0.1"), &headers, &proxies));
        assert!(!is_plain_http(&from("10.0.0.9"), &headers, &proxies));
        assert!(!is_plain_http(
            &from("10.0.0.1"),
            &HeaderMap::new(),
            &proxies
        ));
    }
}
