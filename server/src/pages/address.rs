use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::client;
use crate::state::AppState;

/// The address that limits count a visitor by.
pub(super) struct ClientAddress(pub(super) IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let proxies = &state.edge.trusted_proxies;
        Ok(Self(client::address(
            &parts.extensions,
            &parts.headers,
            proxies,
        )))
    }
}
