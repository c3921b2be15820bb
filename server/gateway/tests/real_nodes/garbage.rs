//! Servers that are no node, or one in trouble: every answer is a typed error, none a panic, and
//! none shows the password. Needs no node.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use gateway::chain::address::Network;
use gateway::chain::backend::ChainBackend;
use gateway::chain::bitcoin_core::{
    BitcoinCore, Credentials, NodeError, NodeSettings, Password, Rpc, RpcError,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(10);

type Answer = (StatusCode, String);

/// A server on a port of its own; it ends with the test.
async fn server(
    answer: impl Fn(&HeaderMap, &str) -> Answer + Clone + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move |headers: HeaderMap, body: String| {
        let answer = answer(&headers, &body);
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn login() -> Credentials {
    Credentials::Password {
        user: "shop".into(),
        password: Password::new("geheim".into()),
    }
}

fn rpc(url: &str, limit: Duration) -> Rpc {
    Rpc::new(url.parse().unwrap(), login(), limit).unwrap()
}

/// What a call comes to when the server always answers this.
async fn error_of(status: StatusCode, body: &str) -> RpcError {
    let body = body.to_owned();
    let url = server(move |_, _| (status, body.clone())).await;
    let rpc = rpc(&url, LIMIT).with_answer_bytes_max(1_000);
    let error = rpc
        .call::<String>("getbestblockhash", json!([]))
        .await
        .unwrap_err();
    let text = format!("{error} {error:?} {rpc:?}");
    assert!(!text.contains("geheim"), "{text}");
    assert!(error.to_string().lines().count() == 1, "{error}");
    error
}

#[tokio::test]
async fn what_is_no_answer_cannot_be_read() {
    for (status, body) in [
        (StatusCode::OK, ""),
        (StatusCode::OK, "<html>Welcome</html>"),
        (StatusCode::OK, "\u{feff}{}"),
        (StatusCode::OK, "{"),
        (StatusCode::OK, "[]"),
        (StatusCode::OK, "null"),
        (StatusCode::OK, "{\"result\": null, \"error\": null}"),
        (
            StatusCode::OK,
            "{\"result\": 7, \"error\": null, \"id\": 0}",
        ),
        (
            StatusCode::OK,
            "{\"result\": \"a\", \"error\": \"b\", \"id\": 0}",
        ),
        (
            StatusCode::OK,
            "{\"result\": null, \"error\": {\"code\": \"x\"}, \"id\": 0}",
        ),
        (StatusCode::NOT_FOUND, "<html>No such page</html>"),
        (StatusCode::BAD_GATEWAY, "bad gateway\nsorry"),
        (StatusCode::FOUND, ""),
    ] {
        let error = error_of(status, body).await;
        assert!(
            matches!(
                error,
                RpcError::Unreadable {
                    method: "getbestblockhash",
                    ..
                }
            ),
            "{status} {body:?}: {error}"
        );
    }
}

#[tokio::test]
async fn trouble_has_a_name() {
    assert_eq!(
        error_of(StatusCode::UNAUTHORIZED, "").await,
        RpcError::Credentials
    );
    assert_eq!(
        error_of(StatusCode::FORBIDDEN, "").await,
        RpcError::Credentials
    );
    assert_eq!(
        error_of(StatusCode::SERVICE_UNAVAILABLE, "Work queue depth exceeded").await,
        RpcError::Busy
    );
    let loading = r#"{"result": null, "error": {"code": -28, "message": "Loading…"}, "id": 0}"#;
    assert_eq!(
        error_of(StatusCode::INTERNAL_SERVER_ERROR, loading).await,
        RpcError::WarmingUp("Loading…".into())
    );
    let refused = r#"{"result": null, "error": {"code": -8, "message": "out\nof range"}, "id": 0}"#;
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::OK] {
        assert_eq!(
            error_of(status, refused).await,
            RpcError::Refused {
                method: "getbestblockhash",
                code: -8,
                message: "out of range".into(),
            }
        );
    }
    let version_2 = r#"{"jsonrpc": "2.0", "error": {"code": -5, "message": "no"}, "id": 0}"#;
    assert_eq!(error_of(StatusCode::OK, version_2).await.code(), Some(-5));
    let long = "7".repeat(2_000);
    assert_eq!(
        error_of(StatusCode::OK, &long).await,
        RpcError::TooLarge {
            method: "getbestblockhash",
            bytes_max: 1_000,
        }
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    // It takes connections and leaves them waiting.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let limit = Duration::from_millis(200);
    let error = rpc(&url, limit)
        .call::<String>("getbestblockhash", json!([]))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        RpcError::TimedOut {
            method: "getbestblockhash",
            limit,
        }
    );
    drop(listener);
}

/// Password and call are for the node of the settings, wherever it points to.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let elsewhere = server(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = r#"{"result": 7, "error": null, "id": 0}"#;
        (StatusCode::OK, answer.to_owned())
    })
    .await;
    for status in [
        StatusCode::FOUND,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let location = elsewhere.clone();
        let router = Router::new().fallback(move || {
            let answer = (status, [(header::LOCATION, location.clone())]);
            async move { answer }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let answer = rpc(&url, LIMIT).call::<u64>("uptime", json!([])).await;
        assert!(
            matches!(answer, Err(RpcError::Unreadable { .. })),
            "{status}: {answer:?}"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn answers_to_many_calls_are_put_in_their_order() {
    let url = server(|_, body| {
        let calls: Vec<Value> = serde_json::from_str(body).unwrap();
        let mut answers: Vec<Value> = calls
            .iter()
            .map(|call| match call["params"][0].as_u64() {
                Some(2) => json!({"result": null, "error": {"code": -5, "message": "no"}, "id": call["id"]}),
                number => json!({"result": number, "error": null, "id": call["id"]}),
            })
            .collect();
        answers.reverse();
        if calls.len() == 4 {
            answers.pop();
        }
        (StatusCode::OK, Value::Array(answers).to_string())
    })
    .await;
    let rpc = rpc(&url, LIMIT);
    let numbers = |count: u64| {
        (1..=count)
            .map(|number| json!([number]))
            .collect::<Vec<_>>()
    };
    let answers = rpc.call_each::<u64>("echo", &numbers(3)).await.unwrap();
    assert_eq!(answers[0], Ok(1));
    assert_eq!(answers[1].as_ref().unwrap_err().code, -5);
    assert_eq!(answers[2], Ok(3));
    assert!(rpc.call_each::<u64>("echo", &[]).await.unwrap().is_empty());
    let error = rpc.call_each::<u64>("echo", &numbers(4)).await.unwrap_err();
    assert!(matches!(error, RpcError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_refused_cookie_is_read_again_once() {
    let url = server(|headers, _| {
        // `__cookie__:second`
        let is_second = headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value == "Basic X19jb29raWVfXzpzZWNvbmQ=");
        if is_second {
            (
                StatusCode::OK,
                r#"{"result": 7, "error": null, "id": 0}"#.into(),
            )
        } else {
            (StatusCode::UNAUTHORIZED, String::new())
        }
    })
    .await;
    let path = std::env::temp_dir().join(format!("exchequer-cookie-{}", std::process::id()));
    fs::write(&path, "__cookie__:first\n").unwrap();
    let rpc = Rpc::new(
        url.parse().unwrap(),
        Credentials::Cookie(path.clone()),
        LIMIT,
    )
    .unwrap();
    let refused = rpc.call::<u64>("uptime", json!([])).await.unwrap_err();
    assert_eq!(refused, RpcError::Credentials);
    fs::write(&path, "__cookie__:second\n").unwrap();
    assert_eq!(rpc.call::<u64>("uptime", json!([])).await, Ok(7));
    // A file without a cookie says so, and not what is in it.
    fs::write(&path, "geheim").unwrap();
    let other = Rpc::new(
        url.parse().unwrap(),
        Credentials::Cookie(path.clone()),
        LIMIT,
    )
    .unwrap();
    let error = other.call::<u64>("uptime", json!([])).await.unwrap_err();
    assert!(matches!(error, RpcError::Cookie { .. }), "{error}");
    assert!(!error.to_string().contains("geheim"), "{error}");
    fs::remove_file(&path).unwrap();
}

/// A server that says it is the right node, and then nothing that fits.
#[tokio::test]
async fn a_node_that_lies_is_not_believed() {
    let url = server(|_, body| {
        let call: Value = serde_json::from_str(body).unwrap();
        let genesis = bitcoin::blockdata::constants::genesis_block(bitcoin::Network::Regtest);
        let result = match call["method"].as_str().unwrap_or_default() {
            "getblockchaininfo" => json!({
                "chain": "regtest", "blocks": 3, "headers": 3, "bestblockhash": "b",
            }),
            "getblockhash" => json!(genesis.block_hash().to_string()),
            "getnetworkinfo" => json!({"version": 300_000}),
            "getblockheader" => json!({"height": 3, "previousblockhash": "a"}),
            "getblock" => json!(bitcoin::consensus::encode::serialize_hex(&genesis)),
            "getrawtransaction" => json!({"hex": "00"}),
            "getrawmempool" => json!({"a": 1}),
            _ => Value::Null,
        };
        let answer = json!({"result": result, "error": null, "id": 0});
        (StatusCode::OK, answer.to_string())
    })
    .await;
    let settings = NodeSettings {
        kind: Some("bitcoin-core".into()),
        url: Some(url),
        user: Some("shop".into()),
        password: Some(Password::new("geheim".into())),
        network: Some(Network::Regtest.name().into()),
        ..NodeSettings::default()
    };
    let config = settings.judge("BTC").unwrap().unwrap();
    let node = BitcoinCore::open(config).await.unwrap();
    for error in [
        node.block(&"7".repeat(64)).await.unwrap_err(),
        node.tx(&"7".repeat(64)).await.unwrap_err(),
        node.mempool().await.unwrap_err(),
        node.broadcast(&[0; 60]).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("cannot be read"), "{text}");
    }
    let error = node.txs(&["7".repeat(64)]).await.unwrap_err();
    assert!(
        matches!(error, NodeError::Rpc(RpcError::Unreadable { .. })),
        "{error}"
    );
}
