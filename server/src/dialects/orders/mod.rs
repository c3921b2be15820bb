//! The Orders API (`10-orders-api.md`, the published example): wallets, orders, their checkout and receipts.
//!
//! Known quirks, kept because the contract shows them: `refunded` is a status here and a resolution
//! everywhere else; `order.paid` signs id and amount without a separator; a `pending` order has a
//! receipt, which says that it is none.

mod auth;
mod call;
mod convert;
mod dto;
mod error;
mod handlers;
mod read;
mod receipt;
pub mod webhook;

use axum::Router;
use axum::routing::{any, get, post};

pub use error::Error;

use crate::state::AppState;

/// All paths of the dialect. Whoever has no key learns nothing else about them.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/wallets", post(handlers::create_wallet))
        .route(
            "/api/orders",
            post(handlers::create_order).get(handlers::list_orders),
        )
        .route("/api/orders/{id}", get(handlers::get_order))
        .route("/api/orders/{id}/timeline", get(handlers::get_timeline))
        .route("/api/orders/{id}/cancel", post(handlers::cancel_order))
        .route("/api/orders/{id}/accept", post(handlers::accept_order))
        .route("/api/orders/{id}/refund", post(handlers::refund_order))
        .route("/api/orders/{id}/receipt", get(receipt::get_receipt))
        .method_not_allowed_fallback(handlers::refuse_method)
        .route("/api/wallets/", any(handlers::refuse_path))
        .route("/api/wallets/{*rest}", any(handlers::refuse_path))
        .route("/api/orders/", any(handlers::refuse_path))
        .route("/api/orders/{id}/", any(handlers::refuse_path))
        .route("/api/orders/{id}/{*rest}", any(handlers::refuse_path))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_routes_do_not_overlap() {
        // Building a router with two routes for one path panics.
        let _router = super::router();
    }
}
