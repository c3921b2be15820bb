//! What every handler may ask for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRef;
use gateway::Gateway;
use time::OffsetDateTime;

use crate::http::rate_limit::RateLimits;
use crate::metrics::requests::Requests;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub gateway: Gateway,
    pub limits: Arc<RateLimits>,
    pub edge: Arc<Edge>,
    /// What this process has answered.
    pub requests: Arc<Requests>,
    /// When it began, system clock.
    pub started_at: OffsetDateTime,
}

/// What only the edge has to know about its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    /// Peers other than this machine may use `/sandbox` (`EXCHEQUER_SANDBOX_PUBLIC`).
    pub sandbox_public: bool,
    /// Proxies of the operator; only theirs is an `X-Forwarded-*` that is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl AppState {
    /// Starts with fresh limits, as wide as the gateway's settings say.
    pub fn new(gateway: Gateway, edge: Edge) -> Self {
        let limits = RateLimits::new(gateway.settings().rate_limit_per_minute);
        Self {
            gateway,
            limits: Arc::new(limits),
            edge: Arc::new(edge),
            requests: Arc::default(),
            started_at: OffsetDateTime::now_utc(),
        }
    }
}

impl FromRef<AppState> for Gateway {
    fn from_ref(state: &AppState) -> Self {
        state.gateway.clone()
    }
}
