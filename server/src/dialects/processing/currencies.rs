use axum::extract::{OriginalUri, State};
use axum::response::Response;
use domain::rate::percent;
use gateway::Gateway;
use gateway::exchange::{PairView, price_text};
use serde::Serialize;

use super::accounts::kind_word;
use super::call::Call;
use super::read::TEXT_CHARS_MAX;
use super::{Error, read};
use crate::http::json::Fields;
use crate::http::{Problems, Query};

#[derive(Debug, Serialize)]
struct Currency {
    id: i16,
    r#type: &'static str,
    currency: String,
    minimum_amount: String,
    deposit_fee_percent: String,
    withdrawal_fee_percent: String,
    precision: u8,
}

/// Currencies that are switched on, or off with `visible: false`.
pub async fn list(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let visible = Fields::new(call.members()?, &mut problems).optional_bool("visible");
    problems.require(Some(()))?;
    let terms = gateway.list_terms().await?;
    let currencies: Vec<Currency> = terms
        .into_iter()
        .filter(|terms| terms.enabled == visible.unwrap_or(true))
        .map(|terms| Currency {
            id: terms.currency.id,
            r#type: kind_word(terms.currency.kind),
            currency: terms.currency.code.to_string(),
            minimum_amount: terms.minimum_deposit.brief(),
            deposit_fee_percent: percent(terms.deposit_fee_basis_points),
            withdrawal_fee_percent: percent(terms.withdrawal_fee_basis_points),
            precision: terms.currency.precision,
        })
        .collect();
    Ok(read::ok(currencies))
}

#[derive(Debug, Serialize)]
struct Pair {
    currency_from: From,
    currency_to: To,
    rate_from: &'static str,
    rate_to: String,
}

#[derive(Debug, Serialize)]
struct From {
    currency: String,
    r#type: &'static str,
    min_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_amount_deposit_with_exchange: Option<String>,
}

#[derive(Debug, Serialize)]
struct To {
    currency: String,
    r#type: &'static str,
}

impl Pair {
    fn of(view: PairView) -> Self {
        Self {
            currency_from: From {
                currency: view.from.code.to_string(),
                r#type: kind_word(view.from.kind),
                min_amount: view.min_exchange.exact(),
                min_amount_deposit_with_exchange: view
                    .min_deposit_exchange
                    .map(|minimum| minimum.exact()),
            },
            currency_to: To {
                currency: view.to.code.to_string(),
                r#type: kind_word(view.to.kind),
            },
            rate_from: "1",
            rate_to: price_text(view.price),
        }
    }
}

/// Pairs that can be exchanged, with their price now; filters may be left out.
pub async fn pairs(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let from = fields.optional_line("currency_from", TEXT_CHARS_MAX);
    let to = fields.optional_line("currency_to", TEXT_CHARS_MAX);
    problems.require(Some(()))?;
    let pairs = gateway
        .exchange_pairs(from.as_deref(), to.as_deref())
        .await?;
    Ok(read::ok(
        pairs.into_iter().map(Pair::of).collect::<Vec<_>>(),
    ))
}

/// One pair; its two filters stand in the body or in the address (`30`). None is an empty list.
pub async fn rates(
    State(gateway): State<Gateway>,
    OriginalUri(uri): OriginalUri,
    call: Call,
) -> Result<Response, Error> {
    let mut problems = Problems::default();
    let query = Query::of(&uri);
    let mut filter = |name: &str| -> Result<Option<String>, Error> {
        let mut fields = Fields::new(call.members()?, &mut problems);
        if let Some(code) = fields.optional_line(name, TEXT_CHARS_MAX) {
            return Ok(Some(code));
        }
        if query.iter().any(|(given, _)| given == name) {
            return Ok(query.one(name, &mut problems).map(str::to_owned));
        }
        problems.add(name, "is required");
        Ok(None)
    };
    let (from, to) = (filter("currency_from")?, filter("currency_to")?);
    let (from, to) = problems.require(from.zip(to))?;
    let pairs = gateway.exchange_pairs(Some(&from), Some(&to)).await?;
    Ok(read::ok(
        pairs.into_iter().map(Pair::of).collect::<Vec<_>>(),
    ))
}
