//! Whatever stands at the URL: it becomes an error that says what is wrong, and never shows a key.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use gateway::chain::backend::ChainBackend;
use gateway::chain::evm::config::Network;
use gateway::chain::evm::rpc::{Call, Limits, Rpc, RpcError};
use gateway::chain::evm::{Asset, Evm, EvmConfig, NodeUrl};
use serde_json::json;
use tokio::net::TcpListener;

const KEY: &str = "d3adb33fd3adb33f";

fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        total: Duration::from_secs(20),
        bytes: 1_000,
    }
}

fn url(port: u16) -> NodeUrl {
    let text = format!("http://user:{KEY}@127.0.0.1:{port}/v3/{KEY}?token={KEY}");
    NodeUrl::parse(&text).unwrap()
}

/// A server that says the same to everybody; answers its URL.
async fn serve(status: u16, body: &str) -> NodeUrl {
    let body = body.to_owned();
    let answer = move || async move {
        Response::builder()
            .status(status)
            .header("location", "http://127.0.0.1:1/")
            .body(Body::from(body))
            .unwrap()
    };
    listen(Router::new().fallback(answer)).await
}

async fn listen(router: Router) -> NodeUrl {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url(port)
}

/// What a call says, and a whole chain behind the same URL.
async fn errors(url: NodeUrl, limits: Limits) -> [String; 2] {
    let rpc = Rpc::new(url.clone(), limits).unwrap();
    let call = rpc.call::<String>("eth_blockNumber", json!([])).await;
    let config = EvmConfig {
        url,
        network: Network::Local { chain_id: 31_337 },
        asset: Asset::Native,
        limits,
    };
    let chain = Evm::new(config).unwrap().tip().await;
    let errors = [
        call.unwrap_err().to_string(),
        chain.unwrap_err().to_string(),
    ];
    for error in &errors {
        assert!(!error.contains(KEY), "{error}");
        assert!(error.contains("127.0.0.1"), "{error}");
    }
    errors
}

#[tokio::test]
async fn answers_that_are_none_become_errors() {
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":"{}"}}"#,
        "a".repeat(1_000)
    );
    for (status, body, expected) in [
        (200, "", "no readable answer to eth_blockNumber"),
        (200, "<html>hello</html>", "no readable answer"),
        (
            200,
            r#"{"jsonrpc":"2.0","id":0}"#,
            "neither a result nor an error",
        ),
        (
            200,
            r#"{"jsonrpc":"2.0","id":0,"result":17}"#,
            "no readable answer",
        ),
        (
            200,
            r#"{"jsonrpc":"2.0","id":0,"result":null}"#,
            "no readable answer",
        ),
        (200, "[]", "no readable answer"),
        (200, long.as_str(), "more than 1000 bytes"),
        (302, "", "HTTP status 302"),
        (401, "who are you?", "HTTP status 401"),
        (
            502,
            r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#,
            "HTTP status 502",
        ),
        (
            429,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"too many"}}"#,
            "refuses eth_blockNumber: too many (code -32005)",
        ),
        (
            200,
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"no d3adb33fd3adb33f"}}"#,
            "refuses eth_blockNumber: no … (code -32000)",
        ),
    ] {
        let [error, _] = errors(serve(status, body).await, limits()).await;
        assert!(error.contains(expected), "{status} {body}: {error}");
    }
}

#[tokio::test]
async fn a_node_that_is_away_or_silent_becomes_an_error_in_time() {
    // Nobody is given this port; one that was free a moment ago may be somebody else's by now.
    let [error, _] = errors(url(1), limits()).await;
    assert!(
        error.contains("cannot be reached: connection refused"),
        "{error}"
    );

    let silent = listen(Router::new().fallback(std::future::pending::<String>)).await;
    let short = Limits {
        total: Duration::from_millis(200),
        ..limits()
    };
    let [error, _] = errors(silent, short).await;
    assert!(
        error.contains("cannot be reached: no answer in time"),
        "{error}"
    );
}

async fn batch(body: &str) -> Result<[String; 2], RpcError> {
    let rpc = Rpc::new(serve(200, body).await, limits()).unwrap();
    let calls = [
        Call::new("eth_chainId", json!([])),
        Call::new("eth_blockNumber", json!([])),
    ];
    let [first, second] = rpc.batch(calls).await?;
    Ok([first.read()?, second.read()?])
}

#[tokio::test]
async fn answers_of_a_batch_belong_to_calls_by_their_ids() {
    let turned = r#"[{"id":1,"result":"second"},{"id":0,"result":"first"}]"#;
    assert_eq!(batch(turned).await.unwrap(), ["first", "second"]);
    for (body, expected) in [
        (
            r#"[{"id":0,"result":"first"}]"#,
            "eth_blockNumber: the answer is missing",
        ),
        (
            r#"[{"id":0,"result":"first"},{"id":7,"result":"x"}]"#,
            "eth_blockNumber: the answer",
        ),
        (
            r#"[{"id":0,"result":"first"},{"id":1,"error":{"code":-32601,"message":"no"}}]"#,
            "refuses eth_blockNumber: no (code -32601)",
        ),
        (
            r#"{"id":null,"error":{"code":-32600,"message":"no batches"}}"#,
            "no batches",
        ),
        ("{}", "no readable answer to eth_chainId"),
    ] {
        let error = batch(body).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
}
