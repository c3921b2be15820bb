//! A page's stream of events: its whole view at once and after every change.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use gateway::{Error, Gateway};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, sleep_until};

use super::errors::Refusal;
use super::streams::Place;
use crate::shutdown::Shutdown;

/// A comment goes out this often, so that proxies keep the connection and browsers notice its end.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The view is read again this often even when nothing was announced: announcements can be lost
/// with the connection they came on, and time passes without any.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What an open page follows.
pub(super) trait Watched: Send + Sync + 'static {
    type View: Serialize + Send + Sync;

    fn gateway(&self) -> &Gateway;

    /// The name under which its changes are announced.
    fn topic(&self) -> &str;

    fn read(&self) -> impl Future<Output = Result<Self::View, Error>> + Send;

    /// Whether a view tells more than the one that was sent.
    fn is_news(sent: &Self::View, view: &Self::View) -> bool;
}

/// A `snapshot` at once and after every change: always the whole view, so a lost one costs nothing.
pub(super) async fn stream<W: Watched>(
    page: W,
    shutdown: Shutdown,
    place: Place,
) -> Result<Response, Refusal> {
    // Before the first look: a change between the two is announced then.
    let changes = page.gateway().subscribe();
    let first = page.read().await?;
    let feed = Feed {
        page,
        _place: place,
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
struct Feed<W: Watched> {
    page: W,
    /// Given back when the stream ends.
    _place: Place,
    changes: Receiver<String>,
    shutdown: Shutdown,
    /// Read, not sent yet.
    waiting: Option<W::View>,
    sent: Option<W::View>,
    look_at: Instant,
}

/// Why a feed goes on.
enum Wake {
    Look,
    End,
}

impl<W: Watched> Feed<W> {
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

    fn is_news(&self, view: &W::View) -> bool {
        self.sent.as_ref().is_none_or(|sent| W::is_news(sent, view))
    }

    async fn wake(&mut self) -> Wake {
        loop {
            tokio::select! {
                () = self.shutdown.requested() => return Wake::End,
                () = sleep_until(self.look_at) => return Wake::Look,
                change = self.changes.recv() => match change {
                    Ok(topic) if topic == self.page.topic() => return Wake::Look,
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
        match self.page.read().await {
            Ok(view) => self.waiting = Some(view),
            Err(Error::NotFound) => return None,
            Err(error) => tracing::warn!(%error, "a live page could not be read, will try again"),
        }
        Some(())
    }
}
