//! Deposits, withdrawals and exchanges as lists and details.

use domain::view::AmountText;
use domain::view::dashboard::{Paging, StatusPill};
use domain::view::operations::{
    OperationDetailView, OperationFilter, OperationItem, OperationList, OperationListView,
    OperationPart,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ExportPage;
use crate::currencies::Currencies;
use crate::operations::{
    AmountView, OperationKind, OperationQuery, OperationStatus, OperationView,
};
use crate::{Error, Gateway, Result};

/// Rows of a page.
const PAGE: i64 = 25;
/// Rows of an export read at a time.
const EXPORT_PAGE: i64 = 100;
/// Withdrawals in the approval queue on the page; the filter shows the rest.
const QUEUE_MAX: i64 = 50;

/// Column names of an export of operations.
pub const OPERATION_COLUMNS: [&str; 16] = [
    "id",
    "created_at",
    "type",
    "status",
    "reference",
    "address",
    "txid",
    "sent",
    "sent_currency",
    "received",
    "received_currency",
    "credited",
    "price",
    "fee",
    "fee_currency",
    "note",
];

fn kinds(list: OperationList) -> Vec<OperationKind> {
    match list {
        OperationList::Deposits => vec![OperationKind::Deposit, OperationKind::DepositExchange],
        OperationList::Withdrawals => {
            vec![OperationKind::Withdrawal, OperationKind::WithdrawalExchange]
        }
        OperationList::Exchanges => vec![OperationKind::Exchange],
    }
}

fn list_of(kind: OperationKind) -> Option<OperationList> {
    match kind {
        OperationKind::Deposit | OperationKind::DepositExchange => Some(OperationList::Deposits),
        OperationKind::Withdrawal | OperationKind::WithdrawalExchange => {
            Some(OperationList::Withdrawals)
        }
        OperationKind::Exchange => Some(OperationList::Exchanges),
        OperationKind::Refund => None,
    }
}

impl Gateway {
    /// A page of a list, with the withdrawals that wait for a decision.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each part of the filter that means nothing.
    pub async fn operation_list(
        &self,
        merchant_id: i64,
        list: OperationList,
        filter: OperationFilter,
        page: i64,
        may_act: bool,
    ) -> Result<OperationListView> {
        let page = page.max(1);
        let query = self.operation_query(merchant_id, list, &filter, page, PAGE)?;
        let (rows, total) = self.list_operations(query).await?;
        let waiting = if list == OperationList::Withdrawals && page == 1 {
            let query = OperationQuery {
                merchant_id,
                kinds: kinds(list),
                statuses: vec![OperationStatus::Pending],
                page: 1,
                limit: QUEUE_MAX,
                ..OperationQuery::default()
            };
            self.list_operations(query).await?.0
        } else {
            Vec::new()
        };
        let unfiltered = filter == OperationFilter::default();
        let link = |page: i64| link(&filter, page);
        Ok(OperationListView {
            list,
            currencies: self.codes_in_use(),
            rows: rows
                .iter()
                .map(|view| item(self.currencies(), view))
                .collect(),
            waiting: waiting
                .iter()
                .map(|view| item(self.currencies(), view))
                .collect(),
            total,
            paging: Paging {
                previous: (page > 1).then(|| link(page - 1)),
                next: (page * PAGE < total).then(|| link(page + 1)),
                export: link(1),
            },
            never_used: total == 0 && unfiltered,
            may_act,
            filter,
        })
    }

    /// Some rows of an export; `page` counts from 1.
    pub async fn export_operations(
        &self,
        merchant_id: i64,
        list: OperationList,
        filter: OperationFilter,
        page: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let page = page.unwrap_or(1);
        let query = self.operation_query(merchant_id, list, &filter, page, EXPORT_PAGE)?;
        let (rows, total) = self.list_operations(query).await?;
        Ok(ExportPage {
            rows: rows.iter().map(export_row).collect(),
            next: (page * EXPORT_PAGE < total).then_some(page + 1),
        })
    }

    fn operation_query(
        &self,
        merchant_id: i64,
        list: OperationList,
        filter: &OperationFilter,
        page: i64,
        limit: i64,
    ) -> Result<OperationQuery> {
        let statuses = match filter.status.as_str() {
            "" => Vec::new(),
            word => vec![
                OperationStatus::from_word(word)
                    .ok_or_else(|| Error::invalid("status", "is no status of an operation"))?,
            ],
        };
        let currency =
            match filter.currency.as_str() {
                "" => None,
                code => Some(self.currencies().by_code(code).ok_or_else(|| {
                    Error::invalid("currency", "is not a currency of this instance")
                })?),
            };
        Ok(OperationQuery {
            merchant_id,
            kinds: kinds(list),
            statuses,
            currency,
            foreign_id: Some(filter.reference.clone()).filter(|reference| !reference.is_empty()),
            address_id: None,
            page,
            limit,
        })
    }

    /// Everything about one operation of this list.
    ///
    /// # Errors
    /// [`Error::NotFound`] for others' and for those of other lists.
    pub async fn operation_detail(
        &self,
        merchant_id: i64,
        list: OperationList,
        id: i64,
        may_decide: bool,
    ) -> Result<OperationDetailView> {
        let view = self.find_operation(merchant_id, id).await?;
        if list_of(view.kind) != Some(list) {
            return Err(Error::NotFound);
        }
        let subjects = [format!("operation:{id}")];
        let (journal, deliveries) = self.books_and_webhooks(merchant_id, &subjects).await?;
        let parts = view
            .transactions
            .iter()
            .map(|part| OperationPart {
                kind: part.kind.word().to_owned(),
                amount: text(self.currencies(), &part.currency, &part.amount),
                amount_to: part
                    .currency_to
                    .as_ref()
                    .zip(part.amount_to.as_ref())
                    .map(|(code, amount)| text(self.currencies(), code, amount)),
                txid: part.txid.clone(),
                confirmations: part.confirmations,
            })
            .collect();
        Ok(OperationDetailView {
            list,
            item: item(self.currencies(), &view),
            facts: facts(&view),
            parts,
            error: view.error.clone(),
            journal,
            deliveries,
            can_decide: may_decide && view.status == OperationStatus::Pending,
        })
    }

    /// Codes a filter offers: coins and what has a rate.
    fn codes_in_use(&self) -> Vec<String> {
        self.currencies()
            .enabled_coins()
            .iter()
            .map(|coin| coin.code.to_string())
            .chain(["EUR", "USD", "INR", "JPY"].map(str::to_owned))
            .collect()
    }
}

fn link(filter: &OperationFilter, page: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("reference", &filter.reference),
        ("status", &filter.status),
        ("currency", &filter.currency),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

/// An exact amount as people read it.
fn text(currencies: &Currencies, code: &str, exact: &str) -> AmountText {
    let shown = currencies.by_code(code).and_then(|currency| {
        // Exact text has the ledger's digits, which may be more than anybody may enter.
        let whole = domain::money::Currency {
            precision: currency.scale,
            ..currency
        };
        let money = domain::money::Money::parse(exact, whole).ok()?;
        Some(domain::money::Money::from_units(money.units(), currency).shown())
    });
    AmountText {
        amount: shown.unwrap_or_else(|| exact.to_owned()),
        code: code.to_owned(),
    }
}

pub(super) fn item(currencies: &Currencies, view: &OperationView) -> OperationItem {
    let of = |money: &AmountView| text(currencies, &money.currency, &money.amount);
    let received = view.received.as_ref().map(|money| {
        let net = view.received_net.as_ref().unwrap_or(&money.amount);
        text(currencies, &money.currency, net)
    });
    let reference = view.foreign_id.clone().or_else(|| {
        view.address
            .as_ref()
            .and_then(|address| address.foreign_id.clone())
    });
    OperationItem {
        id: view.id,
        at: instant(view.created_at),
        status: StatusPill {
            word: view.status.word().to_owned(),
            flags: Vec::new(),
        },
        reference: reference.unwrap_or_default(),
        address: view.address.as_ref().map(|address| address.address.clone()),
        sent: of(&view.sent),
        received,
        fee: view
            .fees
            .first()
            .map(|fee| text(currencies, &fee.currency, &fee.amount)),
        needs_attention: view.needs_attention,
    }
}

fn instant(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn facts(view: &OperationView) -> Vec<(String, String)> {
    let amount = |money: &AmountView| format!("{} {}", money.amount, money.currency);
    let mut facts = vec![("Kind".to_owned(), view.kind.word().replace('_', " "))];
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("Reference", view.foreign_id.clone());
    add(
        "Reference of the address",
        view.address.as_ref().and_then(|a| a.foreign_id.clone()),
    );
    add("Given", Some(amount(&view.sent)));
    add("Received before fees", view.received.as_ref().map(amount));
    add("Credited", view.received_net.clone());
    add("Price", view.price.clone());
    for fee in &view.fees {
        let name = format!("Fee ({})", fee.kind.word());
        add(&name, Some(format!("{} {}", fee.amount, fee.currency)));
    }
    add("Futures", view.futures_id.map(|id| id.to_string()));
    add("Tag", view.address.as_ref().and_then(|a| a.tag.clone()));
    facts
}

fn export_row(view: &OperationView) -> Vec<String> {
    let received = view.received.as_ref();
    let fee = view.fees.first();
    let txid = view
        .transactions
        .iter()
        .find_map(|part| part.txid.clone())
        .unwrap_or_default();
    let reference = view.foreign_id.clone().or_else(|| {
        let address = view.address.as_ref()?;
        address.foreign_id.clone()
    });
    vec![
        view.id.to_string(),
        instant(view.created_at)
            .format(&Rfc3339)
            .unwrap_or_default(),
        view.kind.word().to_owned(),
        view.status.word().to_owned(),
        reference.unwrap_or_default(),
        view.address
            .as_ref()
            .map_or_else(String::new, |a| a.address.clone()),
        txid,
        view.sent.amount.clone(),
        view.sent.currency.clone(),
        received.map_or_else(String::new, |money| money.amount.clone()),
        received.map_or_else(String::new, |money| money.currency.clone()),
        view.received_net.clone().unwrap_or_default(),
        view.price.clone().unwrap_or_default(),
        fee.map_or_else(String::new, |fee| fee.amount.clone()),
        fee.map_or_else(String::new, |fee| fee.currency.clone()),
        view.error.clone().unwrap_or_default(),
    ]
}
