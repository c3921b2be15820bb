//! What the APIs, the sandbox and the pages say when the database has no room, or gives a statement up.
#![allow(clippy::unwrap_used)]

mod processing_support;

use processing_support::{Program, Reply, sign};
use serde_json::Value;
use server::testing::TestResponse;
use sqlx::PgPool;

/// Any valid address of the coin will do; this one is from BIP 173.
const ADDRESS: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";

const ORDER: &str = r#"{"amount":"10.00","currency":"EUR","redirect_url":"https://shop.example/ok",
    "customer_details":{"name":"A","surname":"B","email":"a@shop.example","phone":"+3712000000"}}"#;

/// What requests write to first, each in another way: batch, group, unit alone, control of a chain.
const REFUSING: [&str; 4] = ["charges", "operations", "deposit_addresses", "sim.txs"];

/// What must have no row more after a request that was refused.
const ALL: [&str; 10] = [
    "charges",
    "operations",
    "deposit_addresses",
    "sim.txs",
    "chain_addresses",
    "chain_txs",
    "journal_entries",
    "events",
    "idempotency_keys",
    "first_answers",
];

async fn run(pool: &PgPool, statements: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(pool)
        .await
        .unwrap();
}

/// From now on Postgres refuses new rows with this code.
async fn refuse(pool: &PgPool, code: &str) {
    let mut install = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{code}';
         END $$;"
    );
    for table in REFUSING {
        let trigger = format!(
            "CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse();"
        );
        install.push_str(&trigger);
    }
    run(pool, install).await;
}

async fn take_again(pool: &PgPool) {
    run(pool, "DROP FUNCTION refuse() CASCADE".to_owned()).await;
}

async fn rows(pool: &PgPool) -> Vec<(&'static str, i64)> {
    let mut rows = Vec::new();
    for table in ALL {
        let query = format!("SELECT count(*) FROM {table}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(pool)
            .await
            .unwrap();
        rows.push((table, count));
    }
    rows
}

/// Whoever asks for one thing of each kind, always under the same names.
struct Caller<'p> {
    program: &'p Program,
    bearer: String,
    cookie: String,
    name: String,
}

impl Caller<'_> {
    async fn order(&self) -> Reply {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", self.name.as_str()),
        ];
        let program = self.program;
        program.send("POST", "/api/orders", &headers, ORDER).await
    }

    async fn signed(&self, path: &str, body: &str) -> Reply {
        let pair = &self.program.pair;
        let signature = sign(&pair.private, body);
        let headers = [
            ("x-processing-key", pair.public.as_str()),
            ("x-processing-signature", signature.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", self.name.as_str()),
        ];
        let path = format!("/api/v2/{path}");
        self.program.send("POST", &path, &headers, body).await
    }

    async fn exchange(&self) -> Reply {
        let body = format!(
            r#"{{"sender_currency":"BTC","receiver_currency":"EUR","sender_amount":"0.01","foreign_id":"{}"}}"#,
            self.name
        );
        self.signed("exchange/now", &body).await
    }

    async fn address(&self) -> Reply {
        let body = format!(r#"{{"currency":"BTC","foreign_id":"{}"}}"#, self.name);
        self.signed("addresses/take", &body).await
    }

    async fn payment(&self) -> Reply {
        let body = format!(r#"{{"address":"{ADDRESS}","amount":"0.5","currency":"BTC"}}"#);
        let headers = [("content-type", "application/json")];
        let program = self.program;
        program.send("POST", "/sandbox/pay", &headers, &body).await
    }

    async fn page(&self) -> TestResponse {
        let session = [("cookie", self.cookie.as_str())];
        let foreign_id = format!("{} on the page", self.name);
        let form = [("currency", "BTC"), ("foreign_id", foreign_id.as_str())];
        let app = &self.program.app;
        app.post_form("/app/addresses", &session, &form).await
    }
}

/// The body of an answer that says when to come back.
#[track_caller]
fn later(answer: Reply) -> Value {
    let answer = answer.expect(503);
    let wait = answer.headers["retry-after"].to_str().unwrap();
    assert!(wait.parse::<u64>().unwrap() >= 1, "{wait}");
    answer.json()
}

/// Fails when one of them is answered 500, without `Retry-After` or in another shape, when anything is left of
/// what was refused, or when the same request is refused once there is room, or done twice.
#[sqlx::test(migrations = "../migrations")]
async fn whoever_finds_no_room_is_told_when_to_come_back(pool: PgPool) {
    let program = Program::start(&pool).await;
    let merchant = program.app.demo().await.merchant;
    let cookie = program
        .app
        .sign_in(&merchant.email, &merchant.password)
        .await;
    let bearer = format!("Bearer {}", merchant.ex_pk);
    for code in ["53100", "53200", "53300", "57014"] {
        let caller = Caller {
            program: &program,
            bearer: bearer.clone(),
            cookie: cookie.clone(),
            name: format!("without room {code}"),
        };
        let before = rows(&pool).await;
        refuse(&pool, code).await;
        let order = later(caller.order().await);
        assert!(order["message"].is_string(), "{code}: {order}");
        for answer in [caller.exchange().await, caller.address().await] {
            let answer = later(answer);
            assert_eq!(answer["code"], "overloaded", "{code}: {answer}");
        }
        let payment = later(caller.payment().await);
        assert!(payment["message"].is_string(), "{code}: {payment}");
        let page = caller.page().await;
        assert_eq!(page.status, 503, "{code}: {}", page.text());
        assert!(page.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(page.header("content-type").starts_with("text/html"));
        assert_eq!(rows(&pool).await, before, "{code}");

        take_again(&pool).await;
        let order = caller.order().await.expect(201);
        assert_eq!(caller.order().await.expect(201).body, order.body);
        let exchange = caller.exchange().await.expect(201);
        assert_eq!(caller.exchange().await.expect(201).body, exchange.body);
        // Made now and not before: an address that was there is a 200.
        let address = caller.address().await.expect(201);
        assert_eq!(caller.address().await.expect(201).body, address.body);
        caller.payment().await.expect(200);
        let page = caller.page().await;
        assert_eq!(page.status, 303, "{code}: {}", page.text());
    }
    program.audit().await;
}
