//! A gateway in test mode on a database of its own, and the steps every story is made of.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use domain::money::Money;
use gateway::charges::{ChargeView, Collection, Customer, NewCharge, Origin};
use gateway::outbox::{EventRecord, Format, MerchantKeys, Render, RenderedBody};
use gateway::{Gateway, Settings};
use sqlx::PgPool;

/// Writes every event as its canonical JSON, for every format but the orders one, which knows only
/// payment.
struct PlainRenderer;

impl Render for PlainRenderer {
    fn render(
        &self,
        format: Format,
        event: &EventRecord,
        _: &MerchantKeys,
    ) -> Option<RenderedBody> {
        (format != Format::Orders || event.kind == "charge.paid").then(|| RenderedBody {
            content_type: "application/json",
            headers: Vec::new(),
            body: serde_json::json!({
                "type": event.kind, "object": event.object, "sequence": event.sequence,
                "data": event.payload,
            })
            .to_string()
            .into_bytes(),
        })
    }
}

pub mod backends;
pub mod drawn;
pub mod entries;
pub mod operations;
pub mod rivals;
pub mod seed;
#[cfg(unix)]
pub mod signer_place;

pub struct World {
    pub gateway: Gateway,
    pub merchant: i64,
}

impl World {
    pub async fn new(pool: &PgPool) -> Self {
        let settings = Settings::test("http://127.0.0.1:3000");
        Self::with(pool, settings).await
    }

    pub async fn open(pool: &PgPool, settings: Settings) -> Result<Gateway, gateway::Error> {
        Gateway::open_with_pool(pool.clone(), settings, Arc::new(PlainRenderer)).await
    }

    pub async fn with(pool: &PgPool, settings: Settings) -> Self {
        let gateway = Self::open(pool, settings).await.unwrap();
        gateway.demo().await.unwrap();
        let merchant = sqlx::query_scalar(
            "SELECT merchant_id FROM users WHERE role = 'merchant' ORDER BY id LIMIT 1",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        Self { gateway, merchant }
    }

    pub fn money(&self, text: &str, code: &str) -> Money {
        Money::parse(text, self.gateway.currencies().by_code(code).unwrap()).unwrap()
    }

    pub fn new_charge(&self, amount: &str, code: &str, webhook_url: Option<&str>) -> NewCharge {
        NewCharge {
            merchant_id: self.merchant,
            origin: Origin::Order,
            amount: self.money(amount, code),
            wallet_user_id: 0,
            customer: Customer {
                name: "Inga".into(),
                surname: "Berzina".into(),
                email: "inga@inbox.lv".into(),
                phone: "+3712000000".into(),
                ..Customer::default()
            },
            items: Vec::new(),
            metadata: serde_json::Map::new(),
            redirect_url: Some("https://shop.example/ok".into()),
            failed_url: None,
            webhook_url: webhook_url.map(str::to_owned),
            timer: false,
            collection: Collection::FillOrKill,
        }
    }

    /// Public id of a new charge.
    pub async fn charge(&self, amount: &str, code: &str) -> String {
        self.charge_with(self.new_charge(amount, code, None)).await
    }

    pub async fn charge_with(&self, new: NewCharge) -> String {
        let answer = self
            .gateway
            .create_charge(new, None, |view| (201, view.public_id.clone().into_bytes()))
            .await
            .unwrap();
        String::from_utf8(answer.body).unwrap()
    }

    /// A charge whose coin is picked.
    pub async fn picked(&self, amount: &str, code: &str, coin: &str) -> String {
        let id = self.charge(amount, code).await;
        self.gateway.choose_method(&id, coin).await.unwrap();
        id
    }

    pub async fn view(&self, id: &str) -> ChargeView {
        self.gateway.find_charge(self.merchant, id).await.unwrap()
    }

    /// Sends `amount` of the charge's coin to its address; returns the txid.
    pub async fn pay(&self, id: &str, amount: &str) -> String {
        let payment = self.view(id).await.payment.unwrap();
        let coin = payment.coin.code.to_string();
        self.gateway
            .sandbox_pay(&payment.address, amount, Some(&coin), None)
            .await
            .unwrap()
    }

    /// Pays what is still due.
    pub async fn pay_due(&self, id: &str) -> String {
        let left = self.view(id).await.payment.unwrap().left.shortest();
        self.pay(id, &left).await
    }

    pub async fn mine(&self, coin: &str, blocks: u32) {
        self.gateway
            .sandbox_mine(Some(coin), Some(blocks))
            .await
            .unwrap();
    }

    /// `status flag… [inbox]`.
    pub async fn state(&self, id: &str) -> String {
        let view = self.view(id).await;
        let mut words = vec![view.status.word().to_owned()];
        words.extend(view.flags.words());
        words.extend(view.needs_attention.then(|| "inbox".to_owned()));
        words.join(" ")
    }

    #[track_caller]
    pub fn expect(&self, found: &str, expected: &str) {
        assert_eq!(found, expected);
    }

    /// Available balance of the merchant's primary wallet.
    pub async fn balance(&self, code: &str) -> String {
        let wallets = self.gateway.list_wallets(self.merchant).await.unwrap();
        let wallet = wallets
            .iter()
            .find(|wallet| wallet.user_id.is_none() && wallet.currency.code.as_str() == code)
            .unwrap();
        wallet.available.exact()
    }

    pub async fn set_rate(&self, from: &str, to: &str, rate: &str) {
        self.gateway.set_rate(from, to, rate).await.unwrap();
    }

    /// Every invariant of the books holds.
    pub async fn audit(&self) {
        let report = self.gateway.audit().await.unwrap();
        let broken: Vec<_> = report
            .checks
            .iter()
            .filter(|check| !check.violations.is_empty())
            .collect();
        assert!(report.is_clean(), "{broken:?}");
        let deadlocks: i64 = sqlx::query_scalar(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(self.gateway.pool())
        .await
        .unwrap();
        assert_eq!(deadlocks, 0);
    }
}
