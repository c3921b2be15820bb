//! One server with what the matrix is about.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use domain::money::Money;
use gateway::charges::Collection;
use gateway::invoices::{InvoiceKey, NewInvoice};
use serde_json::json;
use server::testing::TestApp;
use sqlx::PgPool;
use tower::ServiceExt;

use crate::matrix::{Matrix, Row};
use crate::money::MoneyThings;
use crate::principals::{Principal, principals};
use crate::shop::{ORDER, Shop};

pub const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What a refused call must leave as it is. Last uses of keys and sessions are not part of it.
const STATE: &str = "SELECT concat_ws(' ',
    (SELECT count(*) || '/' || sum(version) FROM charges),
    (SELECT count(*) FROM charge_timeline),
    (SELECT count(*) || '/' || max(created_at) FROM refund_claims),
    (SELECT count(*) || '/' || max(next_attempt_at) FROM deliveries),
    (SELECT count(*) || '/' || sum(version) FROM accounts),
    (SELECT count(*) FROM chain_addresses),
    (SELECT count(*) FROM quotes),
    (SELECT count(*) || '/' || max(updated_at) FROM operations),
    (SELECT count(*) || '/' || string_agg(label, ',') FROM deposit_addresses),
    (SELECT count(*) || '/' || count(revoked_at) || '/' || string_agg(array_to_string(permissions, ' '), ',' ORDER BY id) FROM key_pairs),
    (SELECT string_agg(coalesce(callback_url, '-'), ',' ORDER BY id) FROM merchants),
    (SELECT count(*) || '/' || (SELECT count(*) FROM mails) FROM invoices),
    (SELECT string_agg(concat_ws(' ', name, support_email, accent), ',' ORDER BY id) FROM merchants),
    (SELECT count(*) FROM merchant_logos),
    (SELECT count(*) || '/' || count(ended_at) FROM futures),
    (SELECT count(*) FROM audit_log),
    (SELECT sum(version) FROM currency_terms),
    (SELECT string_agg(coalesce(floor::text, '-'), ',' ORDER BY id) FROM accounts),
    (SELECT count(*) FROM sessions),
    (SELECT count(*) FROM rate_observations),
    (SELECT count(*) || '/' || count(paused_at) FROM treasuries),
    (SELECT count(*) || '/' || count(downloaded_at) || '/' || count(raw) FROM treasury_txs),
    (SELECT count(*) FROM sim.blocks),
    (SELECT count(*) FROM sim.txs),
    (SELECT string_agg(concat_ws(' ', tolerance, late_policy, expiry_minutes, fee_basis_points,
        withdrawal_limit, withdrawal_daily_limit), ',' ORDER BY id) FROM merchants),
    (SELECT count(*) FILTER (WHERE enabled) FROM currencies),
    (SELECT clock_offset_seconds FROM instance))";

/// An invoice nobody has picked a coin for.
async fn invoice(app: &TestApp, merchant_id: i64, reference: &str) -> Thing {
    let gateway = app.gateway();
    let euro = gateway.currencies().by_code("EUR").unwrap();
    let new = NewInvoice {
        merchant_id,
        timer: false,
        title: "Consulting".to_owned(),
        description: String::new(),
        amount: Money::parse("106.75", euro).unwrap(),
        sender_currency: None,
        foreign_id: reference.to_owned(),
        foreign_json: json!(reference),
        url_success: None,
        url_failed: None,
        email: None,
        collection: Collection::FillOrKill,
        details: None,
        created_by: "test".to_owned(),
    };
    gateway
        .create_invoice(new, None, |_| (201, Vec::new()))
        .await
        .unwrap();
    let view = gateway
        .find_invoice(merchant_id, InvoiceKey::ForeignId(reference))
        .await
        .unwrap();
    Thing {
        id: view.code,
        token: gateway.page_token(&view.charge.public_id),
    }
}

/// What a call is about.
#[derive(Debug, Clone, Default)]
pub struct Thing {
    pub id: String,
    /// Of a charge's page.
    pub token: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Empty for a stream of events, which does not end.
    pub body: Vec<u8>,
}

pub struct Instance {
    app: TestApp,
    pub principals: Vec<Principal>,
    paid: Thing,
    underpaid: Vec<Thing>,
    open: Vec<Thing>,
    wallet: Thing,
    delivery: Thing,
    pair: Thing,
    invoice: Thing,
    voidable: Vec<Thing>,
    money: MoneyThings,
    merchant: Thing,
}

impl Instance {
    /// With so many underpaid and open charges of `merchant`, at least one of each, beside a paid
    /// one.
    pub async fn start(pool: &PgPool, underpaid: usize, open: usize) -> Self {
        let app = TestApp::start(pool).await;
        let demo = app.demo().await;
        let shop = Shop {
            app: &app,
            key: format!("Bearer {}", demo.merchant.ex_pk),
        };
        let rate = json!({ "from": "BTC", "to": "USD", "rate": "50000" });
        app.sandbox("rates", rate).await;
        let underpaid = shop.underpaid(underpaid).await;
        let mut opened = Vec::new();
        for _ in 0..open {
            opened.push(shop.order(ORDER).await);
        }
        let paid = shop.paid().await;
        let wallet = shop.wallet().await;
        let mut voidable = Vec::new();
        for number in 0..Matrix::read().charges_needed("voidable") {
            let reference = format!("voidable {number}");
            voidable.push(invoice(&app, demo.merchant.id, &reference).await);
        }
        let invoice = invoice(&app, demo.merchant.id, "1").await;
        let withdrawals = Matrix::read().charges_needed("withdrawal");
        let suspended = Matrix::read().charges_needed("suspended");
        let money = MoneyThings::make(&app, demo.merchant.id, withdrawals, suspended).await;
        let delivery: i64 = sqlx::query_scalar("SELECT id FROM deliveries")
            .fetch_one(pool)
            .await
            .unwrap();
        let pair: i64 = sqlx::query_scalar(
            "SELECT id FROM key_pairs WHERE merchant_id = $1 AND label = 'limited'",
        )
        .bind(demo.merchant.id)
        .fetch_one(pool)
        .await
        .unwrap();
        // Last, because moving the clock ends sessions.
        let principals = principals(&app, &demo).await;
        Self {
            principals,
            paid,
            underpaid,
            open: opened,
            wallet,
            invoice,
            voidable,
            money,
            merchant: Thing {
                id: demo.merchant.id.to_string(),
                ..Thing::default()
            },
            pair: Thing {
                id: pair.to_string(),
                ..Thing::default()
            },
            delivery: Thing {
                id: delivery.to_string(),
                ..Thing::default()
            },
            app,
        }
    }

    /// What the row's `{id}` stands for.
    pub fn thing(&self, row: &Row) -> Thing {
        match row.on {
            "-" => Thing::default(),
            "paid" => self.paid.clone(),
            "underpaid" => self.underpaid.last().unwrap().clone(),
            "open" => self.open.last().unwrap().clone(),
            "wallet" => self.wallet.clone(),
            "delivery" => self.delivery.clone(),
            "invoice" => self.invoice.clone(),
            "voidable" => self.voidable.last().unwrap().clone(),
            "pair" => self.pair.clone(),
            "merchant" => self.merchant.clone(),
            "address" => self.money.address.clone(),
            "deposit" => self.money.deposit.clone(),
            "futures" => self.money.futures.clone(),
            "exchange" => self.money.exchange.clone(),
            "quote" => self.money.quote.clone(),
            "withdrawal" => self.money.withdrawals.last().unwrap().clone(),
            "suspended" => self.money.suspended.last().unwrap().clone(),
            "coin" => Thing {
                id: "BTC".to_owned(),
                ..Thing::default()
            },
            other => panic!("{other} stands for nothing"),
        }
    }

    /// The same, and nobody else gets it if it is one of several.
    pub fn take(&mut self, row: &Row) -> Thing {
        match row.on {
            "underpaid" => self.underpaid.pop().unwrap(),
            "open" => self.open.pop().unwrap(),
            "voidable" => self.voidable.pop().unwrap(),
            "withdrawal" => self.money.withdrawals.pop().unwrap(),
            "suspended" => self.money.suspended.pop().unwrap(),
            _ => self.thing(row),
        }
    }

    /// One call of `row`, with `extra` headers.
    pub async fn ask(
        &self,
        who: &Principal,
        method: &str,
        row: &Row,
        thing: &Thing,
        extra: &[(&str, &str)],
    ) -> Answer {
        let path = row
            .path
            .replace("{id}", &thing.id)
            .replace("{code}", &thing.id)
            .replace("{*rest}", "a/b");
        let query = who.query.replace("{token}", &thing.token);
        let uri = if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        };
        let mut request = Request::builder().method(method).uri(uri);
        if let Some((name, value)) = &who.header {
            request = request.header(*name, value.as_str());
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let body = if method == "GET" {
            Body::empty()
        } else {
            let (content_type, body) = body_of(row, who);
            request = request.header("content-type", content_type);
            Body::from(body)
        };
        let mut request = request.body(body).unwrap();
        let peer = SocketAddr::from(([127, 0, 1, who.number], 50_000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.app.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let content_type = parts.headers.get("content-type");
        let body = if content_type.is_some_and(|kind| kind == "text/event-stream") {
            Vec::new()
        } else {
            to_bytes(body, usize::MAX).await.unwrap().to_vec()
        };
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// Everything a call can change, as one line.
    pub async fn state(&self) -> String {
        let pool = self.app.gateway().pool();
        sqlx::query_scalar(STATE).fetch_one(pool).await.unwrap()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A body that whoever is let in gets through with.
fn body_of(row: &Row, who: &Principal) -> (&'static str, String) {
    match row.path {
        "/api/wallets" => {
            let user_id = 1_000 + u32::from(who.number);
            let body = json!({ "user_id": user_id, "currency": "USD" });
            (JSON, body.to_string())
        }
        "/api/orders" => (JSON, ORDER.to_owned()),
        "/pay/{id}" | "/invoice/{code}" => (FORM, "method=BTC".to_owned()),
        "/app/addresses" => (FORM, "currency=BTC&foreign_id=made".to_owned()),
        "/app/exchange" => (FORM, "from=BTC&to=EUR&give=0.001".to_owned()),
        "/app/exchange/{id}/confirm" => {
            let body = format!("pricing=now&key=matrix-{}", who.number);
            (FORM, body)
        }
        "/app/keys" => (FORM, format!("name=Matrix+{}", who.number)),
        "/app/settings" => {
            let body = format!("name=Shop+{}&support_email=help%40shop.example", who.number);
            (FORM, body)
        }
        "/app/operate/suspense/{id}/refund" => {
            let body = "address=bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";
            (FORM, body.to_owned())
        }
        "/app/faucet" => (FORM, "action=mine&currency=BTC&blocks=1".to_owned()),
        _ if row.is_below("/api") || row.is_below("/sandbox") => (JSON, "{}".to_owned()),
        _ => (FORM, String::new()),
    }
}
