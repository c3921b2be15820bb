//! An instance whose payments people sign, with a rich merchant, and an operator in a browser.

use gateway::Settings;
use gateway::chain::{ChainSettings, follower};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use server::dialects::processing::sign;
use server::testing::{PUBLIC_URL, TestApp, TestResponse};
use sha2::Sha512;
use signing::ScriptKind;
use signing::evm::{Account, KEYS, Transaction};
use signing::key::SigningKey;
use sqlx::PgPool;

use crate::DEEP;
use crate::net::{CHAIN_ID, ETHER};
use crate::network::Network;

const BOUNDARY: &str = "----5c1d90ab";

/// What the operator puts the signed transaction into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    File,
    Text,
}

pub struct Desk {
    app: TestApp,
    pool: PgPool,
    pub network: Network,
    /// The account that pays.
    pub payer: String,
    cookie: String,
    pair: (String, String),
}

impl Desk {
    /// The merchant has 9 ether, the account that pays 5.
    pub async fn open(pool: &PgPool, network: Network) -> Self {
        let url = format!("http://127.0.0.1:{}", network.port());
        let find = |variable: &str| match variable {
            "EXCHEQUER_CHAIN_ETH" => Some("evm".to_owned()),
            "EXCHEQUER_CHAIN_ETH_URL" => Some(url.clone()),
            "EXCHEQUER_CHAIN_ETH_NETWORK" => Some(CHAIN_ID.to_string()),
            "EXCHEQUER_CHAIN_ETH_BIRTHDAY" => Some("0".to_owned()),
            "EXCHEQUER_PAYOUT_ETH_SIGNER" => Some("by-hand".to_owned()),
            _ => None,
        };
        let settings = Settings {
            chains: ChainSettings::read(find, true).unwrap(),
            ..Settings::test(PUBLIC_URL)
        };
        let app = TestApp::start_with(pool, settings).await;
        let demo = app.demo().await;
        let cookie = app.sign_in(&demo.admin.email, &demo.admin.password).await;
        let demo = serde_json::to_value(&demo).unwrap();
        let key = |part: &str| {
            let text = demo["merchant"]["key_pair"][part].as_str();
            text.unwrap().to_owned()
        };
        let payer: String = sqlx::query_scalar(
            "SELECT address FROM chain_addresses WHERE chain = 'ETH' AND branch = 1",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        network.listen_to(&payer);
        let desk = Self {
            pair: (key("public"), key("private")),
            app,
            pool: pool.clone(),
            network,
            payer,
            cookie,
        };
        let take = json!({ "foreign_id": "rich", "currency": "ETH" });
        let taken = desk.call("addresses/take", take).await;
        let deposit = taken["data"]["address"].as_str().unwrap().to_owned();
        desk.network.pay(&deposit, 9 * ETHER).await;
        desk.network.pay(&desk.payer, 5 * ETHER).await;
        desk.mine(DEEP).await;
        desk
    }

    /// Blocks, and the follower has read them.
    pub async fn mine(&self, blocks: u32) {
        self.network.mine(blocks).await;
        let gateway = self.app.gateway();
        let coin = gateway.currencies().by_code("ETH").unwrap();
        follower::sync(gateway, coin).await.unwrap();
    }

    /// Lets the workers do what is due.
    pub async fn work(&self) {
        self.app.sandbox("advance", json!({ "seconds": 0 })).await;
    }

    /// The merchant's program asks for a withdrawal, and it is planned.
    pub async fn withdraw(&self, amount: &str, address: &str) {
        let asked = json!({
            "currency": "ETH", "amount": amount, "address": address, "foreign_id": "1",
        });
        self.call("withdrawal/crypto", asked).await;
        self.work().await;
        assert_eq!(self.txs().await, ["drafted"]);
    }

    pub async fn only_payment(&self) -> i64 {
        sqlx::query_scalar("SELECT id FROM treasury_payments")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// The operator's page has to show this.
    pub async fn see(&self, path: &str, text: &str) {
        let headers = [("cookie", self.cookie.as_str())];
        let page = self.app.call("GET", path, &headers, "").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains(text), "no {text:?} in {}", page.text());
    }

    /// The file of the unsigned transaction, read as a wallet does.
    pub async fn download(&self, payment: i64) -> Transaction {
        let path = format!("/app/operate/treasury/{payment}/unsigned");
        let headers = [("cookie", self.cookie.as_str())];
        let answer = self.app.post_form(&path, &headers, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment")
        );
        let file = answer.json();
        let number = |field: &str| file[field].as_str().unwrap().parse::<u128>().unwrap();
        let data = file["data"].as_str().unwrap().strip_prefix("0x").unwrap();
        let plan = Transaction {
            chain_id: file["chainId"].as_u64().unwrap(),
            nonce: file["nonce"].as_u64().unwrap(),
            gas_limit: file["gasLimit"].as_u64().unwrap(),
            max_fee_per_gas: number("maxFeePerGas"),
            max_priority_fee_per_gas: number("maxPriorityFeePerGas"),
            to: file["to"].as_str().unwrap().parse().unwrap(),
            value: number("value"),
            data: hex::decode(data).unwrap(),
        };
        let unsigned = format!("0x{}", hex::encode(plan.unsigned()));
        assert_eq!(file["unsigned"], unsigned);
        plan
    }

    /// The page's form as a browser sends it: both fields, one of them empty.
    pub async fn upload(&self, payment: i64, way: Upload, content: &str) -> TestResponse {
        let (name, file, text) = match way {
            Upload::File => ("signed.txt", content, ""),
            Upload::Text => ("", "", content),
        };
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{file}\r\n\
             --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"signed\"\r\n\r\n{text}\r\n\
             --{BOUNDARY}--\r\n"
        );
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", kind.as_str()),
        ];
        let path = format!("/app/operate/treasury/{payment}/signed");
        self.app.call("POST", &path, &headers, body).await
    }

    /// The key of the account that pays: in test mode it is below the instance's seed.
    pub async fn key(&self) -> SigningKey {
        let seed: Vec<u8> = sqlx::query_scalar("SELECT seed FROM instance")
            .fetch_one(&self.pool)
            .await
            .unwrap();
        let mut mac = Hmac::<Sha512>::new_from_slice(&seed).unwrap();
        mac.update(b"deposit addresses");
        let seed = hex::encode(mac.finalize().into_bytes());
        let key = SigningKey::parse(&seed, &KEYS, ScriptKind::P2pkh, 0).unwrap();
        let payer: Account = self.payer.parse().unwrap();
        assert_eq!(signing::evm::treasury(&key).unwrap(), payer);
        key
    }

    /// States of the transactions with numbers.
    pub async fn txs(&self) -> Vec<String> {
        self.texts("SELECT state FROM treasury_txs ORDER BY id")
            .await
    }

    /// States of the withdrawals, and what merchants are told.
    pub async fn withdrawals(&self) -> Vec<String> {
        self.texts(
            "SELECT w.state || ' ' || o.status FROM withdrawals w
             JOIN operations o ON o.id = w.operation_id ORDER BY o.id",
        )
        .await
    }

    /// All that an upload could change.
    pub async fn state(&self) -> Vec<String> {
        let mut lines = self.withdrawals().await;
        for query in [
            "SELECT format('tx %s %s %s', state, txid, encode(raw, 'hex'))
             FROM treasury_txs ORDER BY id",
            "SELECT format('payer %s %s', next_nonce, paused_at) FROM treasuries ORDER BY address",
            "SELECT format('account %s %s', id, posted) FROM accounts ORDER BY id",
            "SELECT format('log %s %s', id, action) FROM audit_log ORDER BY id",
            "SELECT format('event %s', id) FROM events ORDER BY id",
        ] {
            lines.extend(self.texts(query).await);
        }
        lines
    }

    pub async fn audit(&self) {
        let report = self.app.gateway().audit().await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    async fn texts(&self, query: &'static str) -> Vec<String> {
        sqlx::query_scalar(query)
            .fetch_all(&self.pool)
            .await
            .unwrap()
    }

    /// A call of the Processing API that has to succeed.
    async fn call(&self, path: &str, body: Value) -> Value {
        let (public, private) = &self.pair;
        let body = body.to_string();
        let signature = sign(private, body.as_bytes()).unwrap();
        let headers = [
            ("x-processing-key", public.as_str()),
            ("x-processing-signature", signature.as_str()),
            ("content-type", "application/json"),
        ];
        let path = format!("/api/v2/{path}");
        let answer = self.app.call("POST", &path, &headers, body).await;
        assert!((200..300).contains(&answer.status), "{}", answer.text());
        answer.json()
    }
}
