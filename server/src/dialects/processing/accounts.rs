use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::money::CurrencyKind;
use gateway::Gateway;
use serde::Serialize;

use super::call::Call;
use super::{Error, read};

/// Says that key and signature are right.
pub async fn ping(_call: Call) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "OK").into_response()
}

#[derive(Debug, Serialize)]
struct Balance {
    currency: String,
    r#type: &'static str,
    balance: String,
}

/// Every balance, zero ones too: what is available in the merchant's own wallets.
pub async fn list(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.members()?;
    let wallets = gateway.list_wallets(call.merchant_id()).await?;
    let balances: Vec<Balance> = wallets
        .into_iter()
        .filter(|wallet| wallet.user_id.is_none())
        .map(|wallet| Balance {
            currency: wallet.currency.code.to_string(),
            r#type: kind_word(wallet.currency.kind),
            balance: wallet.available.exact(),
        })
        .collect();
    Ok(read::ok(balances))
}

/// The dialect's word for what a currency is.
pub(super) fn kind_word(kind: CurrencyKind) -> &'static str {
    match kind {
        CurrencyKind::Fiat => "fiat",
        CurrencyKind::Crypto => "crypto",
    }
}
