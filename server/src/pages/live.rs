//! Live status of a checkout: the whole view, once as JSON and as a stream of events.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::view::checkout::CheckoutView;
use gateway::{Error, Gateway};

use super::checkout::PayQuery;
use super::errors::Refusal;
use super::feed::{self, Watched};
use super::hosted::Hosted;
use super::streams::Streams;
use crate::http::client::ClientAddress;
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// The view as JSON, for pages whose stream is down.
pub(super) async fn status(
    State(state): State<AppState>,
    hosted: Hosted,
    Query(query): Query<PayQuery>,
) -> Result<Response, Refusal> {
    let view = state
        .gateway
        .checkout_at(&hosted.base, &hosted.public_id, query.token())
        .await?;
    Ok(Json(view).into_response())
}

/// A `snapshot` at once and after every change: always the whole view, so a lost one costs nothing.
pub(super) async fn events(
    State(state): State<AppState>,
    Extension(shutdown): Extension<Shutdown>,
    Extension(streams): Extension<Streams>,
    client: ClientAddress,
    hosted: Hosted,
    Query(query): Query<PayQuery>,
) -> Result<Response, Refusal> {
    // The page polls when it gets no stream.
    let place = streams.take(client.0).ok_or(Refusal::Unavailable)?;
    let page = HostedPage {
        gateway: state.gateway,
        token: query.token().map(str::to_owned),
        hosted,
    };
    feed::stream(page, shutdown, place).await
}

/// The page of a charge.
struct HostedPage {
    gateway: Gateway,
    hosted: Hosted,
    token: Option<String>,
}

impl Watched for HostedPage {
    type View = CheckoutView;

    fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    fn topic(&self) -> &str {
        &self.hosted.public_id
    }

    async fn read(&self) -> Result<CheckoutView, Error> {
        let Hosted { public_id, base } = &self.hosted;
        self.gateway
            .checkout_at(base, public_id, self.token.as_deref())
            .await
    }

    /// The time at which a view was made changes always and is no news.
    fn is_news(sent: &CheckoutView, view: &CheckoutView) -> bool {
        let same_moment = CheckoutView {
            now: sent.now,
            ..view.clone()
        };
        same_moment != *sent
    }
}
