//! From a request body to what the gateway is asked to make.

use domain::money::{Currency, Money};
use gateway::charges::{Collection, Customer, Item, NewCharge, Origin};
use gateway::outbox::AddressGuard;
use gateway::wallets::USER_ID_MAX;
use serde_json::{Map, Value};

use crate::http::Problems;
use crate::http::formats::{URL_CHARS_MAX, check_link, is_country, is_email};
use crate::http::json::{Fields, Object};

const TEXT_CHARS_MAX: usize = 255;
const ITEMS_MAX: usize = 1_000;
const QUANTITY_MAX: i64 = 1_000_000;
const METADATA_MEMBERS_MAX: usize = 50;

/// What a new order is read against.
pub struct Rules<'a> {
    /// Enabled currencies by exact code.
    pub currency: &'a dyn Fn(&str) -> Option<Currency>,
    /// Where webhooks may go.
    pub guard: &'a AddressGuard,
}

/// The body of `POST /api/wallets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWallet {
    pub user_id: i64,
    pub currency: String,
}

/// Reads a wallet to make. `None` and at least one problem when something is wrong.
pub fn read_wallet(body: &Object, rules: &Rules<'_>, problems: &mut Problems) -> Option<NewWallet> {
    let mut fields = Fields::new(body, problems);
    let user_id = fields.required_integer("user_id", 1..=USER_ID_MAX);
    let currency = read_currency(&mut fields, rules);
    Some(NewWallet {
        user_id: user_id?,
        currency: currency?.code.to_string(),
    })
}

/// The body of `POST /api/orders`; it names no merchant.
#[derive(Debug)]
pub struct NewOrder {
    amount: Money,
    user_id: i64,
    customer: Customer,
    items: Vec<Item>,
    metadata: Map<String, Value>,
    redirect_url: String,
    webhook_url: Option<String>,
}

impl NewOrder {
    pub fn into_charge(self, merchant_id: i64) -> NewCharge {
        NewCharge {
            merchant_id,
            origin: Origin::Order,
            amount: self.amount,
            wallet_user_id: self.user_id,
            customer: self.customer,
            items: self.items,
            metadata: self.metadata,
            redirect_url: Some(self.redirect_url),
            failed_url: None,
            webhook_url: self.webhook_url,
            timer: false,
            collection: Collection::FillOrKill,
        }
    }
}

/// Reads an order to make, and notes everything that is wrong with it.
pub fn read_order(body: &Object, rules: &Rules<'_>, problems: &mut Problems) -> Option<NewOrder> {
    let mut fields = Fields::new(body, problems);
    let currency = read_currency(&mut fields, rules);
    let amount = fields.required_amount("amount", currency);
    let customer = read_customer(&mut fields);
    let items = fields.each_object("items", ITEMS_MAX, |item| read_item(item, currency));
    let metadata = fields
        .optional_json("metadata", METADATA_MEMBERS_MAX)
        .unwrap_or_default();
    let user_id = fields
        .optional_integer("user_id", 1..=USER_ID_MAX)
        .unwrap_or(0);
    let redirect_url = read_redirect_url(&mut fields);
    let webhook_url = read_webhook_url(&mut fields, rules);
    Some(NewOrder {
        amount: amount?,
        user_id,
        customer,
        items,
        metadata,
        redirect_url,
        webhook_url,
    })
}

fn read_currency(fields: &mut Fields<'_, '_>, rules: &Rules<'_>) -> Option<Currency> {
    let code = fields.required_text("currency", TEXT_CHARS_MAX);
    let currency = (rules.currency)(&code);
    if currency.is_none() && !code.is_empty() {
        fields.refuse(
            "currency",
            "must be the code of a currency that is enabled here",
        );
    }
    currency
}

fn read_customer(fields: &mut Fields<'_, '_>) -> Customer {
    if fields.value("customer_details").is_none() {
        fields.refuse("customer_details", "is required");
    }
    let Some(mut details) = fields.optional_object("customer_details") else {
        return Customer::default();
    };
    let customer = Customer {
        name: details.required_text("name", TEXT_CHARS_MAX),
        surname: details.required_text("surname", TEXT_CHARS_MAX),
        email: details.required_text("email", TEXT_CHARS_MAX),
        phone: details.required_text("phone", TEXT_CHARS_MAX),
        address_line1: details.optional_line("address_line1", TEXT_CHARS_MAX),
        city: details.optional_line("city", TEXT_CHARS_MAX),
        postal_code: details.optional_line("postal_code", TEXT_CHARS_MAX),
        country: details.optional_line("country", TEXT_CHARS_MAX),
    };
    if !customer.email.trim().is_empty() && !is_email(&customer.email) {
        details.refuse("email", "must be an e-mail address");
    }
    if customer
        .country
        .as_deref()
        .is_some_and(|country| !is_country(country))
    {
        details.refuse(
            "country",
            "must be an ISO 3166-1 alpha-2 country code such as LV",
        );
    }
    customer
}

fn read_item(item: &mut Fields<'_, '_>, currency: Option<Currency>) -> Option<Item> {
    let name = item.required_text("name", TEXT_CHARS_MAX);
    let price = item.required_amount("price", currency);
    let quantity = match item.value("quantity") {
        None => Some(1),
        Some(_) => item.optional_integer("quantity", 1..=QUANTITY_MAX),
    };
    let quantity = u64::try_from(quantity?).ok()?;
    Some(Item {
        name,
        price: price?.truncated(),
        quantity,
    })
}

fn read_redirect_url(fields: &mut Fields<'_, '_>) -> String {
    let url = fields.required_text("redirect_url", URL_CHARS_MAX);
    if let (false, Err(message)) = (url.trim().is_empty(), check_link(&url)) {
        fields.refuse("redirect_url", message);
    }
    url
}

fn read_webhook_url(fields: &mut Fields<'_, '_>, rules: &Rules<'_>) -> Option<String> {
    let url = fields.optional_text("webhook_url", URL_CHARS_MAX)?;
    if let Err(refusal) = rules.guard.check_url(&url) {
        fields.refuse("webhook_url", format!("cannot be called: {refusal}"));
        return None;
    }
    Some(url)
}

#[cfg(test)]
#[path = "read_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
