//! The Processing API, version 2 (`30-processing-api.md`, the published reference): deposits,
//! withdrawals, exchange, futures, invoices.
//!
//! Known quirks, kept because the contract shows them: every call but `ping` is a POST; errors name
//! one sentence a field with status 400; the signature covers the body alone, neither path nor time,
//! so what moves money is made once by its `foreign_id`.

mod accounts;
mod addresses;
mod auth;
mod call;
mod currencies;
mod error;
mod exchange;
mod futures;
mod invoices;
mod read;
mod transactions;
pub mod webhook;
mod withdrawals;

use axum::Router;
use axum::routing::{any, get, post};

pub use auth::{is_signed, sign};
pub use error::Error;

use crate::state::AppState;

/// All paths of the dialect.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v2/ping", get(accounts::ping))
        .route("/api/v2/currencies/list", post(currencies::list))
        .route("/api/v2/currencies/pairs", post(currencies::pairs))
        .route("/api/v2/currencies/rates", post(currencies::rates))
        .route("/api/v2/accounts/list", post(accounts::list))
        .route("/api/v2/addresses/take", post(addresses::take))
        .route("/api/v2/withdrawal/crypto", post(withdrawals::crypto))
        .route("/api/v2/exchange/calculate", post(exchange::calculate))
        .route("/api/v2/exchange/fixed", post(exchange::fixed))
        .route("/api/v2/exchange/now", post(exchange::now))
        .route("/api/v2/futures/rates", post(futures::rates))
        .route("/api/v2/futures/confirm", post(futures::confirm))
        .route("/api/v2/invoices/create", post(invoices::create))
        .route("/api/v2/invoices/get", post(invoices::get))
        .route("/api/v2/transactions/list", post(transactions::list))
        .route("/api/v2/transactions/get", post(transactions::get))
        .method_not_allowed_fallback(call::refuse_method)
        .route("/api/v2", any(call::refuse_path))
        .route("/api/v2/", any(call::refuse_path))
        .route("/api/v2/{*rest}", any(call::refuse_path))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_routes_do_not_overlap() {
        // Building a router with two routes for one path panics.
        let _router = super::router();
    }
}
