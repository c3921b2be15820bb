//! Live status of a checkout: the whole view, once as JSON and as a stream of events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::view::checkout::CheckoutView;
use futures::stream::{self, Stream};
use gateway::{Error, Gateway};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};

use super::checkout::PayQuery;
use super::errors::Refusal;
use super::hosted::Hosted;
use super::streams::{Place, Streams};
use crate::http::client::ClientAddress;
use crate::shutdown::Shutdown;
use crate::state::AppState;

/// A comment goes out this often, so that proxies keep the connection and browsers notice its end.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The view is read again this often even when nothing was announced: announcements can be lost
/// with the connection they came on, and time passes without any.
const LOOK_EVERY: Duration = Duration::from_secs(10);

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
    // Before the first look: a change between the two is announced then.
    let changes = state.gateway.subscribe();
    let first = state
        .gateway
        .checkout_at(&hosted.base, &hosted.public_id, query.token())
        .await?;
    let feed = Feed {
        gateway: state.gateway,
        hosted,
        _place: place,
        token: query.token().map(str::to_owned),
        changes,
        shutdown,
        waiting: Some(first),
        sent: None,
        look_at: Instant::now() + LOOK_EVERY,
    };
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    Ok(Sse::new(feed.into_stream())
        .keep_alive(heartbeat)
        .into_response())
}

/// What one open page is told from.
struct Feed {
    gateway: Gateway,
    hosted: Hosted,
    /// Given back when the stream ends.
    _place: Place,
    token: Option<String>,
    changes: Receiver<String>,
    shutdown: Shutdown,
    /// Read, not sent yet.
    waiting: Option<CheckoutView>,
    sent: Option<CheckoutView>,
    look_at: Instant,
}

/// Why a feed goes on.
enum Wake {
    Look,
    End,
}

impl Feed {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut feed| async move {
            let event = feed.next().await?;
            Some((Ok(event), feed))
        })
    }

    /// The next snapshot that differs from the one before; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(view) = self.waiting.take()
                && self.is_news(&view)
            {
                let event = Event::default().event("snapshot").json_data(&view).ok()?;
                self.sent = Some(view);
                return Some(event);
            }
            match self.wake().await {
                Wake::End => return None,
                Wake::Look => self.look().await?,
            }
        }
    }

    /// The time at which a view was made changes always and is no news.
    fn is_news(&self, view: &CheckoutView) -> bool {
        self.sent.as_ref().is_none_or(|sent| {
            let same_moment = CheckoutView {
                now: sent.now,
                ..view.clone()
            };
            same_moment != *sent
        })
    }

    async fn wake(&mut self) -> Wake {
        loop {
            tokio::select! {
                () = self.shutdown.requested() => return Wake::End,
                () = sleep_until(self.look_at) => return Wake::Look,
                change = self.changes.recv() => match change {
                    Ok(id) if id == self.hosted.public_id => return Wake::Look,
                    Ok(_) => {}
                    // Too far behind to know what changed.
                    Err(RecvError::Lagged(_)) => return Wake::Look,
                    Err(RecvError::Closed) => return Wake::End,
                },
            }
        }
    }

    /// Reads the view; `None` when the page is gone.
    async fn look(&mut self) -> Option<()> {
        self.look_at = Instant::now() + LOOK_EVERY;
        let Hosted { public_id, base } = &self.hosted;
        let token = self.token.as_deref();
        match self.gateway.checkout_at(base, public_id, token).await {
            Ok(view) => self.waiting = Some(view),
            Err(Error::NotFound) => return None,
            Err(error) => tracing::warn!(%error, "a live page could not be read, will try again"),
        }
        Some(())
    }
}
