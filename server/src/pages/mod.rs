//! Pages: one file each. A handler loads a view through the gateway and renders the component of
//! `app` that shows it; forms answer 303 (`60-pages.md`).
//!
//! Invariant: nothing a visitor sent comes back through a URL as text. What a form has to say is a
//! code from a closed list ([`notices`]).

mod address;
mod addresses;
mod brand;
mod callbacks;
mod charge;
mod charges;
mod checkout;
mod claim;
mod coins;
mod csv;
mod deliveries;
mod document;
mod errors;
mod exchange;
mod faucet;
mod feed;
mod forms;
mod futures;
mod home;
mod hosted;
mod inbox;
mod intake;
mod invoices;
mod keys;
mod landing;
mod live;
mod local_path;
mod mailbox;
mod notices;
mod operate;
mod operations;
mod own_forms;
mod query;
mod rates;
mod receipt;
mod session;
mod settings;
mod sign_in;
mod streams;
mod terminal;
mod terminal_settings;
#[cfg(test)]
mod tests;
mod visitor;
mod wallets;
mod withdraw;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use domain::view::operations::OperationList;

use crate::http::{panics, rate_limit};
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// All pages, with what they go through: forms from other sites are refused, and every error
/// becomes a page.
pub fn router(state: &AppState, shutdown: Shutdown) -> Router<AppState> {
    // A customer needs no account, so these are counted by address.
    let public = Router::new()
        .route("/", get(landing::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/pay/{id}", get(checkout::show).post(checkout::submit))
        .route("/pay/{id}/status", get(live::status))
        .route("/pay/{id}/events", get(live::events))
        .route("/pay/{id}/receipt", get(receipt::show))
        .route(
            "/invoice/{code}",
            get(checkout::show).post(checkout::submit),
        )
        .route("/invoice/{code}/status", get(live::status))
        .route("/invoice/{code}/events", get(live::events))
        .route("/invoice/{code}/receipt", get(receipt::show))
        .route("/terminal", get(terminal::show))
        .route("/terminal/status", get(terminal::status))
        .route("/terminal/events", get(terminal::events))
        .merge(brand::routes())
        .merge(coins::routes())
        .merge(claim::routes())
        .layer(Extension(shutdown))
        .layer(Extension(streams::Streams::default()))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            rate_limit::by_address,
        ));
    let dashboard = Router::new()
        .route("/app", get(home::show))
        .route("/app/charges", get(charges::show))
        .route("/app/charges.csv", get(charges::export))
        .route("/app/charges/export.csv", get(charges::export))
        .route("/app/charges/{id}", get(charge::show))
        .route("/app/charges/{id}/accept", post(charge::accept))
        .route("/app/charges/{id}/refund", post(charge::refund))
        .route("/app/charges/{id}/cancel", post(charge::cancel))
        .route("/app/wallets", get(wallets::list))
        .route("/app/wallets/{id}", get(wallets::statement))
        .route("/app/wallets/{id}/statement.csv", get(wallets::export))
        .route("/app/inbox", get(inbox::show))
        .route("/app/inbox/export.csv", get(inbox::export))
        .route("/app/faucet", get(faucet::show).post(faucet::submit))
        .route("/app/mailbox", get(mailbox::show))
        .merge(money())
        .merge(invoices::routes())
        .merge(futures::routes())
        .merge(keys::routes())
        .merge(callbacks::routes())
        .merge(deliveries::routes())
        .merge(rates::routes())
        .merge(operate::routes())
        .merge(settings::routes())
        .merge(terminal_settings::routes());
    public
        .merge(dashboard)
        .layer(middleware::from_fn(intake::check))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            own_forms::guard,
        ))
        .layer(middleware::from_fn(panics::catch))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            errors::as_pages,
        ))
}

/// Addresses, deposits, withdrawals, exchange. The three lists of operations share their handlers.
fn money() -> Router<AppState> {
    let deposits = Router::new()
        .route("/app/deposits", get(operations::list))
        .route("/app/deposits.csv", get(operations::export))
        .route("/app/deposits/{id}", get(operations::detail))
        .layer(Extension(OperationList::Deposits));
    let withdrawals = Router::new()
        .route("/app/withdrawals", get(operations::list))
        .route("/app/withdrawals.csv", get(operations::export))
        .route("/app/withdrawals/{id}", get(operations::detail))
        .layer(Extension(OperationList::Withdrawals));
    let exchanges = Router::new()
        .route("/app/exchanges", get(operations::list))
        .route("/app/exchanges.csv", get(operations::export))
        .route("/app/exchanges/{id}", get(operations::detail))
        .layer(Extension(OperationList::Exchanges));
    Router::new()
        .route("/app/addresses", get(addresses::list).post(addresses::take))
        .route("/app/addresses.csv", get(addresses::export))
        .route("/app/addresses/{id}", get(addresses::detail))
        .route("/app/addresses/{id}/label", post(addresses::label))
        .merge(deposits)
        .merge(withdrawals)
        .merge(exchanges)
        .route(
            "/app/withdrawals/new",
            get(withdraw::show).post(withdraw::submit),
        )
        .route("/app/withdrawals/{id}/approve", post(operations::approve))
        .route("/app/withdrawals/{id}/decline", post(operations::decline))
        .route(
            "/app/exchange",
            get(exchange::show).post(exchange::calculate),
        )
        .route("/app/exchange/{id}", get(exchange::offer))
        .route("/app/exchange/{id}/confirm", post(exchange::confirm))
}

/// The page of an address that leads nowhere.
pub fn not_found(state: &AppState, request: &Request) -> Response {
    errors::Refusal::NotFound.page(state, request.extensions())
}
