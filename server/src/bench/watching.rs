//! A hosted page as a browser follows it: its stream of events.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::http::header;
use domain::view::checkout::{CheckoutState, CheckoutView};
use tokio::time::{Instant as Deadline, timeout_at};

use super::connection::{Call, Connection, Flow};

/// Longest wait for a state of the page.
const STATE_WAIT_MAX: Duration = Duration::from_secs(60);

/// Between two events.
const BLANK_LINE: &[u8] = b"\n\n";

/// A page that is open.
pub(super) struct OpenPage {
    flow: Flow,
    unread: Vec<u8>,
    /// When the last piece was here.
    heard_at: Instant,
}

/// What the page shows, and since when.
pub(super) struct Shown {
    /// When the last byte of it was here.
    pub(super) at: Instant,
    pub(super) view: CheckoutView,
}

impl OpenPage {
    /// Follows the page with this path and query.
    ///
    /// # Errors
    /// There is no stream.
    pub(super) async fn follow(address: SocketAddr, page: &str) -> anyhow::Result<Self> {
        let call = Call::get(&events_of(page)).with(header::ACCEPT, "text/event-stream");
        let flow = Connection::open(address).await?.stream(call).await?;
        Ok(Self {
            flow,
            unread: Vec::new(),
            heard_at: Instant::now(),
        })
    }

    /// Waits for an event that shows such a state.
    ///
    /// # Errors
    /// The stream ends, or there was none within a minute; the state before is told.
    pub(super) async fn until(
        &mut self,
        is_it: impl Fn(CheckoutState) -> bool,
    ) -> anyhow::Result<Shown> {
        let deadline = Deadline::now() + STATE_WAIT_MAX;
        let mut last = None;
        loop {
            while let Some(event) = take_event(&mut self.unread) {
                let Some(data) = snapshot(&event) else {
                    continue;
                };
                let view: CheckoutView =
                    serde_json::from_str(&data).context("an event that is no view of a page")?;
                if is_it(view.state) {
                    let at = self.heard_at;
                    return Ok(Shown { at, view });
                }
                last = Some(view.state);
            }
            let Ok(piece) = timeout_at(deadline, self.flow.next()).await else {
                bail!(
                    "a page did not change within {} s: it shows {last:?}",
                    STATE_WAIT_MAX.as_secs()
                );
            };
            let Some(piece) = piece? else {
                bail!("the stream of a page ended: it shows {last:?}");
            };
            self.heard_at = Instant::now();
            self.unread.extend_from_slice(&piece);
        }
    }
}

/// Path and query of a page's stream.
fn events_of(page: &str) -> String {
    match page.split_once('?') {
        Some((path, query)) => format!("{path}/events?{query}"),
        None => format!("{page}/events"),
    }
}

/// The first whole event, without the blank line at its end.
fn take_event(unread: &mut Vec<u8>) -> Option<String> {
    let end = unread
        .windows(BLANK_LINE.len())
        .position(|bytes| bytes == BLANK_LINE)?;
    let event = String::from_utf8_lossy(unread.get(..end)?).into_owned();
    unread.drain(..end + BLANK_LINE.len());
    Some(event)
}

/// What a snapshot holds; `None` for comments and for other events.
fn snapshot(event: &str) -> Option<String> {
    let fields = |name: &str| -> Vec<String> {
        let lines = event.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(field, _)| *field == name)
            .map(|(_, value)| value.strip_prefix(' ').unwrap_or(value).to_owned())
            .collect()
    };
    if fields("event") != ["snapshot"] {
        return None;
    }
    Some(fields("data").join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_stream_beside_it() {
        assert_eq!(events_of("/pay/EX-1?t=a"), "/pay/EX-1/events?t=a");
        assert_eq!(events_of("/pay/EX-1"), "/pay/EX-1/events");
    }

    #[test]
    fn events_come_in_pieces_and_comments_are_none() {
        let mut unread =
            b": still here\n\nevent: snapshot\ndata: {\"a\":1}\n\nevent: snap".to_vec();
        let first = take_event(&mut unread);
        assert_eq!(first.as_deref(), Some(": still here"));
        assert_eq!(first.and_then(|event| snapshot(&event)), None);
        let second = take_event(&mut unread);
        let data = second.and_then(|event| snapshot(&event));
        assert_eq!(data.as_deref(), Some("{\"a\":1}"));
        assert_eq!(take_event(&mut unread), None);
        unread.extend_from_slice(b"shot\ndata:2\n\n");
        let third = take_event(&mut unread).and_then(|event| snapshot(&event));
        assert_eq!(third.as_deref(), Some("2"));
        assert!(unread.is_empty());
    }
}
