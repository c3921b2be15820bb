use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gateway::Gateway;
use gateway::charges::Collection;
use gateway::charges::invoice_report::status_word;
use gateway::invoices::{InvoiceKey, InvoiceView, NewInvoice};
use serde::Serialize;
use serde_json::Value;

use super::call::Call;
use super::read::{TEXT_CHARS_MAX, answer, optional_currency, required_currency};
use super::transactions::LOOK_UP_PERMISSION;
use super::{Error, read};
use crate::http::formats::{URL_CHARS_MAX, check_link, is_email};
use crate::http::json::Fields;
use crate::http::{Problems, idempotency};

const PERMISSION: &str = "create_transaction";
const DESCRIPTION_CHARS_MAX: usize = 1_000;

/// An invoice as this dialect writes it; the published example shows `name`, its description `title`.
#[derive(Debug, Serialize)]
struct Invoice {
    id: i64,
    url: String,
    foreign_id: Value,
    address: Option<String>,
    name: String,
    title: String,
    description: String,
    r#type: &'static str,
    status: &'static str,
    currency: String,
    amount: String,
    sender_currency: Option<String>,
    sender_amount: Option<String>,
    fixed_at: Option<i64>,
    release_at: Option<i64>,
    seconds_left: Option<i64>,
}

impl Invoice {
    fn of(view: &InvoiceView) -> Self {
        let payment = view.charge.payment.as_ref();
        Self {
            id: view.id,
            url: view.url.clone(),
            foreign_id: view.foreign_json.clone(),
            address: payment.map(|payment| payment.address.clone()),
            name: view.title.clone(),
            title: view.title.clone(),
            description: view.description.clone(),
            r#type: view.collection.word(),
            status: status_word(view.charge.status),
            currency: view.charge.amount.currency().code.to_string(),
            amount: view.charge.amount.brief(),
            sender_currency: payment.map(|payment| payment.coin.code.to_string()),
            sender_amount: payment.map(|payment| payment.due.brief()),
            fixed_at: view.fixed_at,
            release_at: view.release_at,
            seconds_left: view.seconds_left,
        }
    }
}

/// Makes an invoice of one of the three types.
pub async fn create(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let new = read_invoice(&gateway, &call, &mut fields);
    let once = call.once(&mut problems);
    let new = problems.require(new)?;
    let answer = gateway
        .create_invoice(new, once, |view| {
            answer(StatusCode::CREATED, &Invoice::of(view))
        })
        .await?;
    Ok(idempotency::respond(answer))
}

fn read_invoice(gateway: &Gateway, call: &Call, fields: &mut Fields<'_, '_>) -> Option<NewInvoice> {
    if fields.value("timer").is_none() {
        fields.refuse("timer", "is required");
    }
    let timer = fields.optional_bool("timer");
    let title = fields.required_text("title", TEXT_CHARS_MAX);
    let description = fields
        .optional_text("description", DESCRIPTION_CHARS_MAX)
        .unwrap_or_default();
    let currency = required_currency(gateway, fields, "currency");
    let amount = fields.required_amount("amount", currency);
    let sender_currency = optional_currency(gateway, fields, "sender_currency");
    if sender_currency.is_some() && timer == Some(false) {
        fields.refuse("sender_currency", "must be left out unless timer is true");
    }
    let reference = fields.required_reference("foreign_id", TEXT_CHARS_MAX);
    let url_success = read_link(fields, "url_success");
    let url_failed = read_link(fields, "url_failed");
    let email = fields.optional_line("email_user", TEXT_CHARS_MAX);
    if email.as_deref().is_some_and(|email| !is_email(email)) {
        fields.refuse("email_user", "must be an e-mail address");
    }
    let collection = match fields.optional_line("type", TEXT_CHARS_MAX) {
        None => Some(Collection::FillOrKill),
        Some(word) => Collection::from_word(&word),
    };
    if collection.is_none() {
        fields.refuse("type", "must be fill_or_kill or good_until_expired");
    }
    let (foreign_id, foreign_json) = reference?;
    Some(NewInvoice {
        merchant_id: call.merchant_id(),
        timer: timer?,
        title,
        description,
        amount: amount?,
        sender_currency,
        foreign_id,
        foreign_json,
        url_success,
        url_failed,
        email,
        collection: collection?,
        details: None,
        created_by: call.actor(),
    })
}

fn read_link(fields: &mut Fields<'_, '_>, name: &str) -> Option<String> {
    let url = fields.optional_line(name, URL_CHARS_MAX)?;
    if let Err(message) = check_link(&url) {
        fields.refuse(name, message);
    }
    Some(url)
}

/// One invoice, by its id or by the merchant's reference.
pub async fn get(State(gateway): State<Gateway>, call: Call) -> Result<Response, Error> {
    call.permit(LOOK_UP_PERMISSION)?;
    let mut problems = Problems::default();
    let mut fields = Fields::new(call.members()?, &mut problems);
    let id = fields.optional_integer("id", 1..=i64::MAX);
    let reference = fields.optional_reference("foreign_id", TEXT_CHARS_MAX);
    if fields.value("id").is_none() && fields.value("foreign_id").is_none() {
        fields.refuse("id", "is required, or foreign_id instead");
    }
    problems.require(Some(()))?;
    let key = match (&id, &reference) {
        (Some(id), _) => InvoiceKey::Id(*id),
        (None, Some((foreign_id, _))) => InvoiceKey::ForeignId(foreign_id),
        (None, None) => return Err(Error::not_found()),
    };
    let view = gateway.find_invoice(call.merchant_id(), key).await?;
    Ok(read::ok(Invoice::of(&view)))
}
