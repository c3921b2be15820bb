//! Nodes that answer well and badly, asked with what opens them.

use std::fs;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::chain::bitcoin_core::{Credentials, Password, Rpc as CoreRpc};
use gateway::chain::evm::NodeUrl;
use gateway::chain::evm::rpc::{Limits, Rpc as EvmRpc};
use serde_json::json;
use tokio::net::TcpListener;

/// Somewhere in what is logged of the calls.
pub const MARKER: &str = "the call of the test";

/// Key of a service for EVM chains, wherever in the URL such services want it.
const KEY: &str = "3f9d1c7be05a48f2";
const PASSWORD: &str = "password-of-the-coin-node";
const COOKIE: &str = "cookie-of-the-coin-node";

/// Asks nodes of both kinds; answers what must not be in any line about it.
pub async fn ask_badly() -> Vec<String> {
    let good = r#"{"jsonrpc":"2.0","result":"0x1","error":null,"id":0}"#;
    // Nobody listens at the first one.
    let mut ports = vec![1];
    for (status, body) in [
        (StatusCode::OK, good),
        (StatusCode::OK, "<html>"),
        (StatusCode::UNAUTHORIZED, ""),
        (StatusCode::TEMPORARY_REDIRECT, ""),
    ] {
        ports.push(node(status, body).await);
    }
    let cookie_file =
        std::env::temp_dir().join(format!("exchequer-cookie-log-{}", std::process::id()));
    fs::write(&cookie_file, format!("__cookie__:{COOKIE}\n")).unwrap();
    // Services for EVM chains repeat their customer's key.
    let refusal = json!({
        "jsonrpc": "2.0", "error": { "code": -32000, "message": format!("no {KEY}") }, "id": 0,
    });
    ask_evm(node(StatusCode::OK, &refusal.to_string()).await).await;
    for port in ports {
        ask_evm(port).await;
        let password = Credentials::Password {
            user: "shop".to_owned(),
            password: Password::new(PASSWORD.to_owned()),
        };
        ask_core(port, password).await;
        ask_core(port, Credentials::Cookie(cookie_file.clone())).await;
    }
    fs::remove_file(&cookie_file).unwrap();
    let mut secrets = vec![KEY.to_owned(), PASSWORD.to_owned(), COOKIE.to_owned()];
    // As they go over the wire.
    for (user, password) in [("shop", PASSWORD), ("__cookie__", COOKIE), ("user", KEY)] {
        secrets.push(STANDARD.encode(format!("{user}:{password}")));
    }
    secrets
}

/// A node that says the same to everybody; answers its port.
async fn node(status: StatusCode, body: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let body = body.to_owned();
    let router = Router::new().fallback(move || {
        let answer = (
            status,
            [(header::LOCATION, "http://127.0.0.1:1/")],
            body.clone(),
        );
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

async fn ask_evm(port: u16) {
    let text = format!("http://user:{KEY}@127.0.0.1:{port}/v3/{KEY}?token={KEY}");
    let url = NodeUrl::parse(&text).unwrap();
    let rpc = EvmRpc::new(url, Limits::default()).unwrap();
    let answer = rpc.call::<String>("eth_blockNumber", json!([])).await;
    tracing::info!(?rpc, ?answer, "{MARKER}");
    if let Err(error) = answer {
        tracing::warn!(%error, "{MARKER}");
    }
}

async fn ask_core(port: u16, credentials: Credentials) {
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let rpc = CoreRpc::new(url, credentials, Duration::from_secs(60)).unwrap();
    let answer = rpc.call::<String>("getbestblockhash", json!([])).await;
    tracing::info!(?rpc, ?answer, "{MARKER}");
    if let Err(error) = answer {
        tracing::warn!(%error, "{MARKER}");
    }
}
