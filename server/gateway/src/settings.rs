use std::fmt;

use time::Duration;

use crate::chain::ChainSettings;
use crate::outbox::Timeouts;

/// What the operator decides; read once at start.
#[derive(Clone)]
pub struct Settings {
    /// Simulated chains, movable clock, mailbox instead of mail.
    pub test_mode: bool,
    /// Base of every link, without a trailing slash.
    pub public_url: String,
    /// Deliver webhooks to private and loopback addresses too.
    pub webhook_allow_private: bool,
    /// Bearer token of administrative Orders calls; `None` = off.
    pub static_key: Option<String>,
    /// Requests per minute and key.
    pub rate_limit_per_minute: u32,
    /// Observations older than this do not make a rate.
    pub rate_stale_after: Duration,
    /// Our margin on quotes, basis points.
    pub spread_basis_points: u32,
    /// How long one webhook attempt, and what the database does for it, may take (`50-webhooks.md`).
    pub webhook_timeouts: Timeouts,
    /// Most connections to the database.
    pub database_connections: u32,
    /// Coins with a node; the others are simulated in test mode.
    pub chains: ChainSettings,
}

impl Settings {
    /// Test mode as it runs with nothing configured.
    pub fn test(public_url: &str) -> Self {
        Self {
            test_mode: true,
            public_url: public_url.trim_end_matches('/').to_owned(),
            webhook_allow_private: true,
            static_key: None,
            rate_limit_per_minute: 6_000,
            rate_stale_after: Duration::minutes(10),
            spread_basis_points: 0,
            webhook_timeouts: Timeouts::default(),
            database_connections: 40,
            chains: ChainSettings::default(),
        }
    }
}

/// The static key is left out, and what nobody has to see in a log.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("test_mode", &self.test_mode)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_static_key_is_not_shown() {
        let settings = Settings {
            static_key: Some("geheim".to_owned()),
            ..Settings::test("http://127.0.0.1:3000")
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("test_mode: true"), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }
}
