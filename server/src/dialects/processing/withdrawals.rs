use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gateway::Gateway;
use gateway::operations::{OperationStatus, OperationView};
use gateway::withdrawals::NewWithdrawal;
use serde::Serialize;

use super::Error;
use super::call::Call;
use super::read::{TEXT_CHARS_MAX, answer, optional_currency, required_currency};
use crate::http::json::Fields;
use crate::http::{Problems, idempotency};

const PERMISSION: &str = "create_withdrawal";

#[derive(Debug, Serialize)]
struct Withdrawal {
    id: i64,
    foreign_id: Option<String>,
    r#type: &'static str,
    status: &'static str,
    amount: String,
    sender_amount: String,
    sender_currency: String,
    receiver_amount: String,
    receiver_currency: String,
}

impl Withdrawal {
    fn of(view: &OperationView) -> Self {
        let received = view.received.as_ref();
        Self {
            id: view.id,
            foreign_id: view.foreign_id.clone(),
            r#type: view.kind.word(),
            status: accepted(view.status),
            amount: view.requested_amount.clone(),
            sender_amount: view.sent.amount.clone(),
            sender_currency: view.sent.currency.clone(),
            receiver_amount: received.map_or_else(String::new, |money| money.amount.clone()),
            receiver_currency: received.map_or_else(String::new, |money| money.currency.clone()),
        }
    }
}

/// The word for a withdrawal that was just accepted (`30`): on its way, or waiting for a person. How it
/// ended, were it in the same moment, its callback tells.
fn accepted(status: OperationStatus) -> &'static str {
    match status {
        OperationStatus::Pending => OperationStatus::Pending.word(),
        OperationStatus::NotConfirmed
        | OperationStatus::Processing
        | OperationStatus::Confirmed
        | OperationStatus::Cancelled => OperationStatus::Processing.word(),
    }
}

/// Sends coins out of a wallet, exchanged on their way with `convert_to`.
pub async fn crypto(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let currency = required_currency(&gateway, &mut fields, "currency");
    let amount = fields.required_exact_amount("amount", currency);
    let convert_to = optional_currency(&gateway, &mut fields, "convert_to");
    let address = fields.required_text("address", TEXT_CHARS_MAX);
    let tag = fields.optional_line("tag", TEXT_CHARS_MAX);
    let reference = fields.required_reference("foreign_id", TEXT_CHARS_MAX);
    let once = call.once(&mut problems);
    let (amount, (foreign_id, _)) = problems.require(amount.zip(reference))?;
    let new = NewWithdrawal {
        merchant_id: call.merchant_id(),
        foreign_id: Some(foreign_id),
        // Naming the wallet's own coin is no exchange.
        convert_to: convert_to.filter(|target| target.id != amount.currency().id),
        amount,
        address,
        tag,
        requested_by: call.actor(),
        requested_user_id: call.person(),
    };
    let answer = gateway
        .request_withdrawal_by_reference(new, once, |view| {
            answer(StatusCode::CREATED, &Withdrawal::of(view))
        })
        .await?;
    Ok(idempotency::respond(answer))
}
