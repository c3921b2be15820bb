//! Promises to exchange one deposit at a fixed price, as a list and as CSV (`30`, futures).

use domain::futures::FuturesState;
use domain::money::Money;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::futures::{FuturesItem, FuturesListView};
use rust_decimal::Decimal;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded::Serializer;

use super::ExportPage;
use super::delivery_list::Place;
use super::futures_store::{self as store, ConvertingAddress, FuturesRecord};
use super::rows::amount_text;
use crate::currencies::Currencies;
use crate::exchange::price_text;
use crate::futures::PromiseTerms;
use crate::ledger::units;
use crate::{Error, Gateway, Result};

const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;
/// Addresses in the menu; the page of each one leads to its prices too.
const ADDRESSES_MAX: usize = 100;
/// Last characters of an address that tell it from others with the same reference.
const TAIL: usize = 6;

/// Column names of an export of futures.
pub const FUTURES_COLUMNS: [&str; 16] = [
    "id",
    "fixed_at",
    "release_at",
    "ended_at",
    "state",
    "void_reason",
    "address",
    "reference",
    "sender_amount",
    "sender_currency",
    "receiver_amount",
    "receiver_currency",
    "fee",
    "credited",
    "price",
    "deposit",
];

/// A promise's figures.
pub(super) struct Figures {
    /// Before the fee.
    pub(super) receiver_amount: Money,
    pub(super) terms: PromiseTerms,
}

impl Figures {
    /// What the wallet gains: the fee is taken off what is received, because what is given is
    /// always a coin (`30`, Exchange arithmetic).
    pub(super) fn net(&self) -> Money {
        self.receiver_amount
            .checked_sub(self.terms.fee)
            .unwrap_or(self.receiver_amount)
    }
}

impl Gateway {
    /// A page of promises, newest first, cut down to `state` unless that is empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] on `state` for a word that is none.
    pub async fn futures_list(
        &self,
        merchant_id: i64,
        state: &str,
        place: Place,
    ) -> Result<FuturesListView> {
        check(state)?;
        let records = store::list(self.pool(), merchant_id, state, place, PAGE + 1).await?;
        let never_used = records.is_empty() && state.is_empty() && place == Place::Newest;
        let (records, newer, older) = cut(records, place);
        let first = records.first().filter(|_| newer).map(|record| record.id);
        let last = records.last().filter(|_| older).map(|record| record.id);
        let limit = i64::try_from(ADDRESSES_MAX + 1)?;
        let mut addresses = store::converting(self.pool(), merchant_id, limit).await?;
        let more_addresses = addresses.len() > ADDRESSES_MAX;
        addresses.truncate(ADDRESSES_MAX);
        Ok(FuturesListView {
            state: state.to_owned(),
            rows: records
                .iter()
                .map(|record| item(self.currencies(), record))
                .collect::<Result<_>>()?,
            paging: Paging {
                previous: first.map(|id| link(state, Some(("after", id)))),
                next: last.map(|id| link(state, Some(("before", id)))),
                export: link(state, None),
            },
            never_used,
            addresses: addresses
                .iter()
                .map(|address| choice(self.currencies(), address))
                .collect::<Result<_>>()?,
            more_addresses,
        })
    }

    /// Some rows of an export of promises, newest first; `before` is an id.
    ///
    /// # Errors
    /// As [`Self::futures_list`].
    pub async fn export_futures(
        &self,
        merchant_id: i64,
        state: &str,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        check(state)?;
        let place = before.map_or(Place::Newest, Place::Before);
        let records = store::list(self.pool(), merchant_id, state, place, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        Ok(ExportPage {
            rows: records
                .into_iter()
                .map(|record| cells(self.currencies(), record))
                .collect::<Result<_>>()?,
            next,
        })
    }
}

fn check(state: &str) -> Result<()> {
    if state.is_empty() || FuturesState::from_word(state).is_some() {
        return Ok(());
    }
    let message = "must be open, matched, settled or void";
    Err(Error::invalid("state", message))
}

/// Takes away the row that was read only to learn whether there is another page; says whether there
/// are newer and older ones.
fn cut(mut records: Vec<FuturesRecord>, place: Place) -> (Vec<FuturesRecord>, bool, bool) {
    let more = i64::try_from(records.len()).is_ok_and(|rows| rows > PAGE);
    if more {
        match place {
            Place::After(_) => drop(records.remove(0)),
            Place::Newest | Place::Before(_) => drop(records.pop()),
        }
    }
    match place {
        Place::Newest => (records, false, more),
        Place::Before(_) => (records, true, more),
        Place::After(_) => (records, more, true),
    }
}

/// The filter as a query string with `?`, empty when there is nothing to say.
fn link(state: &str, at: Option<(&str, i64)>) -> String {
    let mut query = Serializer::new(String::new());
    if !state.is_empty() {
        query.append_pair("state", state);
    }
    if let Some((name, id)) = at {
        query.append_pair(name, &id.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

pub(super) fn figures(currencies: &Currencies, record: &FuturesRecord) -> Result<Figures> {
    let money = |currency_id: i16, amount: Decimal| -> Result<Money> {
        Ok(Money::from_units(
            units(amount),
            currencies.known(currency_id)?,
        ))
    };
    let receiver = record.receiver_currency_id;
    Ok(Figures {
        receiver_amount: money(receiver, record.receiver_amount)?,
        terms: PromiseTerms {
            sender_amount: money(record.sender_currency_id, record.sender_amount)?,
            fee: money(receiver, record.fee_amount)?,
            price: record.price,
        },
    })
}

pub(super) fn item(currencies: &Currencies, record: &FuturesRecord) -> Result<FuturesItem> {
    let figures = figures(currencies, record)?;
    Ok(FuturesItem {
        id: record.id,
        status: StatusPill {
            word: record.state.clone(),
            flags: Vec::new(),
        },
        fixed_at: record.fixed_at,
        release_at: record.release_at,
        give: amount_text(figures.terms.sender_amount),
        get: amount_text(figures.receiver_amount),
        address: record.address.clone(),
        reference: record.foreign_id.clone(),
    })
}

/// Number of an address and how it is offered: `BTC → EUR, customer 7, …8f5nq`.
fn choice(currencies: &Currencies, address: &ConvertingAddress) -> Result<(String, String)> {
    let coin = currencies.known(address.coin_id)?.code;
    let target = currencies.known(address.convert_to_id)?.code;
    let length = address.address.chars().count();
    let tail: String = address
        .address
        .chars()
        .skip(length.saturating_sub(TAIL))
        .collect();
    let text = format!("{coin} → {target}, {}, …{tail}", address.foreign_id);
    Ok((address.id.to_string(), text))
}

fn cells(currencies: &Currencies, record: FuturesRecord) -> Result<Vec<String>> {
    let figures = figures(currencies, &record)?;
    let code = |money: Money| money.currency().code.to_string();
    let terms = figures.terms;
    Ok(vec![
        record.id.to_string(),
        instant(Some(record.fixed_at)),
        instant(Some(record.release_at)),
        instant(record.ended_at),
        record.state,
        record.void_reason.unwrap_or_default(),
        record.address,
        record.foreign_id,
        terms.sender_amount.shown(),
        code(terms.sender_amount),
        figures.receiver_amount.shown(),
        code(figures.receiver_amount),
        terms.fee.shown(),
        figures.net().shown(),
        price_text(terms.price),
        record
            .operation_id
            .map_or_else(String::new, |id| id.to_string()),
    ])
}

fn instant(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}
