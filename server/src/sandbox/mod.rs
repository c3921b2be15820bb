//! Test mode's controls (`70-sandbox.md`): payments, blocks, rates, the clock, the mailbox.
//!
//! There is no key, so nobody but this machine may use them unless the operator says otherwise;
//! outside test mode, and for everybody else, none of these paths exists.

mod call;
mod chain;
mod error;
mod merchant;
mod rails;
mod world;

use axum::Router;
use axum::routing::{any, get, post};

use crate::state::AppState;

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/sandbox/pay", post(chain::pay))
        .route("/sandbox/mine", post(chain::mine))
        .route("/sandbox/replace", post(chain::replace))
        .route("/sandbox/reorg", post(chain::reorg))
        .route("/sandbox/bank", post(rails::bank))
        .route("/sandbox/payout", post(rails::payout))
        .route("/sandbox/rates", post(world::set_rate))
        .route("/sandbox/advance", post(world::advance))
        .route("/sandbox/state", get(world::state))
        .route("/sandbox/mail", get(world::mail))
        .route("/sandbox/merchant", post(merchant::change))
        .method_not_allowed_fallback(call::refuse_method)
        .route("/sandbox", any(call::refuse_path))
        .route("/sandbox/", any(call::refuse_path))
        .route("/sandbox/{*rest}", any(call::refuse_path))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_routes_do_not_overlap() {
        // Building a router with two routes for one path panics.
        let _router = super::router();
    }
}
