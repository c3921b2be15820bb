//! The faucet of test mode: pays any address, mines, moves the clock. A live instance has none.

use app::pages::FaucetPage;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::view::checkout::Notice;
use gateway::auth::Permission;
use gateway::{Error, Gateway};
use leptos::prelude::*;
use serde::Deserialize;

use super::document::document;
use super::errors::Refusal;
use super::forms::{Label, blame};
use super::notices::{Code, notice};
use super::visitor::Visitor;
use crate::state::AppState;

const LABELS: [Label; 5] = [
    ("address", "address", "Address"),
    ("amount", "amount", "Amount"),
    ("currency", "currency", "Coin"),
    ("blocks", "blocks", "Blocks"),
    ("seconds", "seconds", "Seconds"),
];

/// What the form is filled with, and what the one before has to say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FaucetQuery {
    address: String,
    amount: String,
    currency: String,
    notice: String,
}

/// All fields of the page's three forms; `action` says which one was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FaucetForm {
    action: String,
    address: String,
    amount: String,
    currency: String,
    blocks: String,
    seconds: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(query): Query<FaucetQuery>,
) -> Result<Response, Refusal> {
    admit(&state.gateway, &visitor)?;
    let said = notice(&query.notice);
    let form = FaucetForm {
        address: query.address,
        amount: query.amount,
        currency: query.currency,
        ..FaucetForm::default()
    };
    page(&state.gateway, &visitor, StatusCode::OK, form, said).await
}

/// Does it and leads back; a form that cannot be done is shown again as it was filled in.
pub(super) async fn submit(
    State(state): State<AppState>,
    visitor: Visitor,
    Form(form): Form<FaucetForm>,
) -> Result<Response, Refusal> {
    let gateway = &state.gateway;
    admit(gateway, &visitor)?;
    match act(gateway, &form).await {
        Ok(code) => {
            Ok(Redirect::to(&format!("/app/faucet?notice={}", code.word())).into_response())
        }
        Err(Error::Invalid(wrong)) => {
            let said = blame(&wrong, &LABELS);
            page(
                gateway,
                &visitor,
                StatusCode::UNPROCESSABLE_ENTITY,
                form,
                said,
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

fn admit(gateway: &Gateway, visitor: &Visitor) -> Result<(), Refusal> {
    if !gateway.settings().test_mode {
        return Err(Refusal::NotFound);
    }
    visitor.may(Permission::UseTestTools)
}

async fn act(gateway: &Gateway, form: &FaucetForm) -> Result<Code, Error> {
    let currency = Some(form.currency.trim()).filter(|code| !code.is_empty());
    match form.action.as_str() {
        "pay" => {
            let (address, amount) = (form.address.trim(), form.amount.trim());
            gateway.sandbox_pay(address, amount, currency, None).await?;
            Ok(Code::Paid)
        }
        "mine" => {
            let blocks = whole("blocks", &form.blocks)?;
            gateway.sandbox_mine(currency, Some(blocks)).await?;
            Ok(Code::Mined)
        }
        "advance" => {
            let seconds = whole("seconds", &form.seconds)?;
            gateway.advance(seconds).await?;
            Ok(Code::Advanced)
        }
        _ => Err(Error::NotFound),
    }
}

fn whole<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Error> {
    text.trim()
        .parse()
        .map_err(|_| Error::invalid(field, "must be a whole number"))
}

async fn page(
    gateway: &Gateway,
    visitor: &Visitor,
    status: StatusCode,
    form: FaucetForm,
    said: Option<Notice>,
) -> Result<Response, Refusal> {
    let mut view = gateway
        .faucet(form.address, form.amount, form.currency)
        .await?;
    view.result = said;
    let frame = visitor.frame(gateway, None).await?;
    Ok(document(
        status,
        move || view! { <FaucetPage frame=frame view=view/> },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_blamed_by_field() {
        assert_eq!(whole::<u32>("blocks", " 6 ").ok(), Some(6));
        for text in ["", "1.5", "-1", "six"] {
            let refused = whole::<u32>("blocks", text);
            let Err(Error::Invalid(fields)) = refused else {
                panic!("{text} was accepted")
            };
            assert_eq!(
                fields.first().map(|f| f.field.as_str()),
                Some("blocks"),
                "{text}"
            );
        }
    }
}
