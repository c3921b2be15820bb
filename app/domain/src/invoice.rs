//! Invoices that a person writes: what was typed is judged, and the totals are drawn up.
//!
//! Amounts are exact at the currency's own precision. A line's net is its quantity times its unit
//! price and needs no rounding. A line's tax is its percentage of that net, rounded half up to the
//! currency's smallest unit (the contract leaves tax open; this is what a customer who checks the
//! line comes to). Sums are sums of what the lines print, so the parts always add up to the total.

mod lines;

pub use lines::line_input;

use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, Duration};

use crate::money::{AMOUNT_MAX_WHOLE, AmountError, Currency, Money};
use crate::text::one_line;
use crate::view::invoices::InvoiceForm;

/// Lines of an invoice at most.
pub const LINES_MAX: usize = 50;
/// Days until an invoice is due at most: an unpaid charge lives 30 days (`80`, Charges).
pub const DUE_DAYS_MAX: i64 = 30;
/// Characters of the number at most.
pub const NUMBER_CHARS_MAX: usize = 64;
/// Characters of other texts on one line, as in the API.
pub const TEXT_CHARS_MAX: usize = 255;
/// Characters of the note at most.
pub const NOTE_CHARS_MAX: usize = 1_000;

/// What an invoice that a person wrote says beyond its amount; kept with it. Amounts are exact text
/// in the invoice's currency; tax and shipping are empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceDetails {
    pub number: String,
    pub customer_name: String,
    pub customer_email: String,
    pub customer_address: String,
    pub lines: Vec<InvoiceLine>,
    /// Sum of the lines' nets.
    pub subtotal: String,
    /// Sum of the lines' taxes.
    pub tax: String,
    pub shipping: String,
    /// Subtotal, tax and shipping.
    pub total: String,
    /// ISO date.
    pub due_date: Option<String>,
    pub note: String,
}

/// One line of such an invoice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceLine {
    pub description: String,
    pub quantity: u64,
    pub unit_price: String,
    /// Percent, shortest form; empty = no tax.
    pub tax_percent: String,
    pub net: String,
    pub tax: String,
}

/// Something in the form that has to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Id of the input it is about; empty for the whole form.
    pub input: String,
    /// A whole sentence without its full stop: `Line 2: enter a unit price`.
    pub text: String,
}

impl Problem {
    pub fn new(input: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            input: input.into(),
            text: text.into(),
        }
    }
}

/// An invoice that can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drafted {
    pub details: InvoiceDetails,
    /// What the customer is asked for; above zero.
    pub total: Money,
}

/// Judges the form and draws the invoice up; `today` is the instance's day in UTC.
///
/// # Errors
/// Every [`Problem`] of lines, texts, dates and sums, in the order of the form. Currencies, coins and
/// links are the caller's to judge.
pub fn draw_up(
    form: &InvoiceForm,
    currency: Currency,
    today: Date,
) -> Result<Drafted, Vec<Problem>> {
    let mut wrong = Vec::new();
    let number = text(
        &form.number,
        "number",
        "Number",
        NUMBER_CHARS_MAX,
        &mut wrong,
    );
    if number.is_empty() {
        wrong.push(Problem::new(
            "number",
            "Number: enter one, such as 2026-0001",
        ));
    }
    text(&form.title, "title", "Title", TEXT_CHARS_MAX, &mut wrong);
    let customer_name = text(
        &form.customer_name,
        "customer_name",
        "Customer",
        TEXT_CHARS_MAX,
        &mut wrong,
    );
    if customer_name.is_empty() {
        wrong.push(Problem::new("customer_name", "Customer: enter a name"));
    }
    let customer_email = text(
        &form.customer_email,
        "customer_email",
        "E-mail",
        TEXT_CHARS_MAX,
        &mut wrong,
    );
    let customer_address = text(
        &form.customer_address,
        "customer_address",
        "Address",
        TEXT_CHARS_MAX,
        &mut wrong,
    );
    let rows = lines::read(&form.lines, currency, &mut wrong);
    let shipping = shipping(&form.shipping, currency, &mut wrong);
    let due_date = due_date(form, today, &mut wrong);
    let note = text(&form.note, "note", "Note", NOTE_CHARS_MAX, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let too_large = || vec![Problem::new("", "The total is too large")];
    let subtotal = sum(rows.iter().map(|row| row.net), currency).ok_or_else(too_large)?;
    let tax = sum(rows.iter().map(|row| row.tax), currency).ok_or_else(too_large)?;
    let total = sum([subtotal, tax, shipping].into_iter(), currency).ok_or_else(too_large)?;
    if !total.is_positive() {
        return Err(vec![Problem::new("", "The total must be above zero")]);
    }
    if exceeds_largest(total) {
        return Err(too_large());
    }
    let shown = |money: Money| match money.is_zero() {
        true => String::new(),
        false => money.shown(),
    };
    let details = InvoiceDetails {
        number,
        customer_name,
        customer_email,
        customer_address,
        subtotal: subtotal.shown(),
        tax: shown(tax),
        shipping: shown(shipping),
        total: total.shown(),
        due_date,
        note,
        lines: rows.into_iter().map(|row| row.line).collect(),
    };
    Ok(Drafted { details, total })
}

/// An unpaid invoice whose due day has passed; `today` in UTC.
pub fn is_overdue(due_date: &str, today: Date) -> bool {
    parse_day(due_date).is_some_and(|due| due < today)
}

fn sum(mut amounts: impl Iterator<Item = Money>, currency: Currency) -> Option<Money> {
    amounts.try_fold(Money::zero(currency), Money::checked_add)
}

/// One line of visible text, refused when it is too long.
fn text(typed: &str, input: &str, label: &str, most: usize, wrong: &mut Vec<Problem>) -> String {
    let text = one_line(typed);
    if text.chars().count() > most {
        let message = format!("{label}: use at most {most} characters");
        wrong.push(Problem::new(input, message));
    }
    text
}

fn shipping(typed: &str, currency: Currency, wrong: &mut Vec<Problem>) -> Money {
    let none = Money::zero(currency);
    match amount(typed, currency) {
        None => none,
        Some(Ok(money)) => money,
        Some(Err(error)) => {
            wrong.push(Problem::new("shipping", format!("Shipping: this {error}")));
            none
        }
    }
}

fn due_date(form: &InvoiceForm, today: Date, wrong: &mut Vec<Problem>) -> Option<String> {
    let typed = form.due_date.trim();
    if typed.is_empty() {
        return None;
    }
    let message = match parse_day(typed) {
        None => "Due date: enter a date such as 2026-12-11".to_owned(),
        Some(day) if day < today => "Due date: choose today or a later day".to_owned(),
        Some(day) if day - today > Duration::days(DUE_DAYS_MAX) => format!(
            "Due date: choose a day within {DUE_DAYS_MAX} days; an unpaid invoice ends after that"
        ),
        Some(_) if form.clock == "now" => {
            "Due date: leave it empty, because this invoice ends with its clock".to_owned()
        }
        Some(_) => return Some(typed.to_owned()),
    };
    wrong.push(Problem::new("due_date", message));
    None
}

fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// An amount that may be zero; `None` when nothing was typed. Blanks between digits are dropped, as
/// people write `1 200.00`.
fn amount(typed: &str, currency: Currency) -> Option<Result<Money, AmountError>> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.is_empty() {
        return None;
    }
    Some(match Money::parse(&digits, currency) {
        Err(AmountError::NotPositive) => Ok(Money::zero(currency)),
        parsed => parsed,
    })
}

/// Above what anybody may ask for (`80`, Amounts).
fn exceeds_largest(money: Money) -> bool {
    let unit = 10i128.pow(u32::from(money.currency().scale));
    money.units() > AMOUNT_MAX_WHOLE.saturating_mul(unit)
}

#[cfg(test)]
#[path = "invoice_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
