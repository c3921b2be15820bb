//! How long after a payment its callback arrives: one deposit after the other, from `/sandbox/pay` to
//! a receiver on this machine.
//!
//! Invariant: the merchant has a callback address during these measurements only, so that no other
//! one has callbacks to send.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Site;
use super::connection::{Call, Connection};
use super::processing::{pay, take_address};
use super::report::Report;
use super::subject::{Subject, Unit};

/// Payments of a round.
const PAYMENTS: usize = 50;

const AMOUNT: &str = "0.001";

/// Longest wait for one callback; a failed attempt is made again after a minute.
const CALLBACK_WAIT_MAX: Duration = Duration::from_secs(90);

/// Since the payment was answered. The callback is on its way by then, so this can be nothing at all.
const ANSWERED: [(usize, Subject); 2] = [
    (
        50,
        row(
            "callback_answered_p50",
            "callback, from payment answered, p50",
        ),
    ),
    (
        95,
        row(
            "callback_answered_p95",
            "callback, from payment answered, p95",
        ),
    ),
];

/// Since the payment was sent.
const SENT: [(usize, Subject); 2] = [
    (
        50,
        row("callback_sent_p50", "callback, from payment sent, p50"),
    ),
    (
        95,
        row("callback_sent_p95", "callback, from payment sent, p95"),
    ),
];

const fn row(key: &'static str, label: &'static str) -> Subject {
    Subject {
        key,
        label,
        unit: Unit::Milliseconds,
    }
}

/// Body of a callback and when it was here.
type Received = (Instant, Value);

/// The receiver, and what it takes to have it called.
pub(super) struct Callbacks {
    received: mpsc::UnboundedReceiver<Received>,
    /// Stops with us.
    _receiver: JoinSet<()>,
    url: String,
    address: String,
    /// Value of `Cookie`.
    session: String,
}

impl Callbacks {
    /// Opens the receiver, signs the merchant in and takes a deposit address.
    pub(super) async fn start(site: &Site) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/callback", listener.local_addr()?);
        let (seen, received) = mpsc::unbounded_channel();
        let router = Router::new().fallback(receive).with_state(seen);
        let mut receiver = JoinSet::new();
        receiver.spawn(async move {
            // It ends with the bench; a receiver that broke is missed by the first callback.
            let _ended = axum::serve(listener, router).await;
        });
        let mut connection = Connection::open(site.address).await?;
        Ok(Self {
            received,
            _receiver: receiver,
            url,
            address: take_address(site, &mut connection, "bench callbacks").await?,
            session: sign_in(site, &mut connection).await?,
        })
    }

    /// One round.
    pub(super) async fn measure(&mut self, site: &Site, report: &mut Report) -> anyhow::Result<()> {
        let mut connection = Connection::open(site.address).await?;
        self.set_url(&mut connection, &self.url).await?;
        let (mut answered, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..PAYMENTS {
            let sent_at = Instant::now();
            let txid = pay(&mut connection, &self.address, AMOUNT).await?;
            let answered_at = Instant::now();
            let received_at = self.wait_for(&txid).await?;
            answered.push(received_at.saturating_duration_since(answered_at));
            sent.push(received_at.saturating_duration_since(sent_at));
        }
        self.set_url(&mut connection, "").await?;
        let mine = Call::json("/sandbox/mine", json!({ "currency": "BTC" }).to_string());
        connection.send(mine).await?.expect(200)?;
        answered.sort_unstable();
        sent.sort_unstable();
        report.add_percentiles(&ANSWERED, &answered)?;
        report.add_percentiles(&SENT, &sent)
    }

    async fn wait_for(&mut self, txid: &str) -> anyhow::Result<Instant> {
        let found = async {
            while let Some((at, body)) = self.received.recv().await {
                if is_about(&body, txid) {
                    return Some(at);
                }
            }
            None
        };
        timeout(CALLBACK_WAIT_MAX, found)
            .await
            .ok()
            .flatten()
            .with_context(|| format!("no callback told of the payment {txid}"))
    }

    /// The form of the dashboard; an empty address removes the one before.
    async fn set_url(&self, connection: &mut Connection, url: &str) -> anyhow::Result<()> {
        let save =
            Call::form("/app/callbacks", &[("url", url)]).with(header::COOKIE, &self.session);
        connection.send(save).await?.expect(303)?;
        Ok(())
    }
}

async fn receive(State(seen): State<mpsc::UnboundedSender<Received>>, body: Bytes) {
    let at = Instant::now();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    // Nobody waits any more when a round was called off.
    let _ = seen.send((at, body));
}

/// Whether a callback tells of a transaction for the first time.
fn is_about(callback: &Value, txid: &str) -> bool {
    let parts = callback["transactions"].as_array();
    let of_it = |part: &Value| part["txid"] == txid;
    callback["status"] == "not_confirmed" && parts.is_some_and(|parts| parts.iter().any(of_it))
}

/// Signs the demo merchant in; answers its cookie.
async fn sign_in(site: &Site, connection: &mut Connection) -> anyhow::Result<String> {
    let merchant = &site.demo.merchant;
    let fields = [
        ("email", merchant.email.as_str()),
        ("password", merchant.password.as_str()),
    ];
    let answer = connection.send(Call::form("/sign-in", &fields)).await?;
    let answer = answer.expect(303)?;
    let set = answer.headers.get(header::SET_COOKIE);
    let set = set.and_then(|set| set.to_str().ok()).unwrap_or_default();
    let cookie = set.split(';').next().unwrap_or_default();
    ensure!(!cookie.is_empty(), "signing in gave no session");
    Ok(cookie.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_word_about_a_transaction_counts() {
        let told = |status: &str, txid: &str| json!({ "type": "deposit", "status": status, "transactions": [{ "txid": txid }] });
        assert!(is_about(&told("not_confirmed", "ab"), "ab"));
        assert!(!is_about(&told("not_confirmed", "cd"), "ab"));
        assert!(!is_about(&told("confirmed", "ab"), "ab"));
        assert!(!is_about(&json!({ "status": "not_confirmed" }), "ab"));
        assert!(!is_about(&Value::Null, "ab"));
    }
}
