//! Deposit addresses as a list and a detail.

use domain::payment_uri::PaymentUri;
use domain::view::dashboard::Paging;
use domain::view::operations::{AddressDetailView, AddressItem, AddressListView};
use time::format_description::well_known::Rfc3339;

use super::ExportPage;
use super::address_store::{self, AddressRecord};
use super::operations::item;
use crate::chain::address::params;
use crate::operations::OperationQuery;
use crate::{Error, Gateway, Result};

const PAGE: i64 = 25;
const EXPORT_PAGE: i64 = 500;
/// Deposits shown below an address.
const LATEST: i64 = 10;

/// Column names of an export of addresses.
pub const ADDRESS_COLUMNS: [&str; 8] = [
    "id",
    "created_at",
    "currency",
    "convert_to",
    "address",
    "reference",
    "label",
    "deposits",
];

impl Gateway {
    /// A page of addresses, newest first; `before` is an id.
    pub async fn address_list(
        &self,
        merchant_id: i64,
        q: &str,
        before: Option<i64>,
        may_act: bool,
    ) -> Result<AddressListView> {
        let q = q.trim();
        let from = before.unwrap_or(i64::MAX);
        let mut records = address_store::list(self.pool(), merchant_id, q, from, PAGE + 1).await?;
        let more = i64::try_from(records.len())? > PAGE;
        records.truncate(usize::try_from(PAGE)?);
        let last = records.last().map(|record| record.id);
        let link = |before: Option<i64>| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            if !q.is_empty() {
                query.append_pair("q", q);
            }
            if let Some(before) = before {
                query.append_pair("before", &before.to_string());
            }
            match query.finish() {
                query if query.is_empty() => query,
                query => format!("?{query}"),
            }
        };
        let coins: Vec<String> = self
            .chains()
            .codes()
            .filter(|code| self.currencies().enabled_by_code(code).is_some())
            .map(str::to_owned)
            .collect();
        let mut targets: Vec<String> = self
            .exchange_pairs(None, None)
            .await?
            .into_iter()
            .map(|pair| pair.to.code.to_string())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        Ok(AddressListView {
            never_used: records.is_empty() && q.is_empty() && before.is_none(),
            rows: self.address_items(records)?,
            paging: Paging {
                previous: before.map(|_| format!("/app/addresses{}", link(None))),
                next: more.then(|| link(last)),
                export: link(None),
            },
            q: q.to_owned(),
            coins,
            targets,
            notice: None,
            may_act,
        })
    }

    /// Some rows of an export of addresses.
    pub async fn export_addresses(
        &self,
        merchant_id: i64,
        q: &str,
        before: Option<i64>,
    ) -> Result<ExportPage<i64>> {
        let from = before.unwrap_or(i64::MAX);
        let records =
            address_store::list(self.pool(), merchant_id, q.trim(), from, EXPORT_PAGE).await?;
        let full = i64::try_from(records.len())? == EXPORT_PAGE;
        let next = records.last().map(|record| record.id).filter(|_| full);
        let rows = self
            .address_items(records)?
            .into_iter()
            .map(|item| {
                vec![
                    item.id.to_string(),
                    item.created_at.format(&Rfc3339).unwrap_or_default(),
                    item.coin,
                    item.convert_to.unwrap_or_default(),
                    item.address,
                    item.reference,
                    item.label,
                    item.deposits.to_string(),
                ]
            })
            .collect();
        Ok(ExportPage { rows, next })
    }

    /// One address of the merchant, ready to be shown to a payer.
    pub async fn address_detail(
        &self,
        merchant_id: i64,
        id: i64,
        may_act: bool,
    ) -> Result<AddressDetailView> {
        let record = address_store::find(self.pool(), merchant_id, id)
            .await?
            .ok_or(Error::NotFound)?;
        let brand = self.brand(merchant_id).await?;
        let address = self
            .address_items(vec![record])?
            .pop()
            .ok_or(Error::NotFound)?;
        let link = params(&address.coin).map(|params| PaymentUri {
            scheme: params.uri_scheme,
            address: &address.address,
            amount: None,
            label: Some(&brand.name),
            message: None,
        });
        let query = OperationQuery {
            merchant_id,
            address_id: Some(id),
            page: 1,
            limit: LATEST,
            ..OperationQuery::default()
        };
        let (deposits, _) = self.list_operations(query).await?;
        Ok(AddressDetailView {
            uri: link.and_then(|uri| uri.link()),
            qr_text: link.map_or_else(|| address.address.clone(), |uri| uri.qr_text()),
            deposits: deposits
                .iter()
                .map(|view| item(self.currencies(), view))
                .collect(),
            item: address,
            test_mode: self.settings().test_mode,
            may_act,
        })
    }

    fn address_items(&self, records: Vec<AddressRecord>) -> Result<Vec<AddressItem>> {
        records
            .into_iter()
            .map(|record| {
                let code = |id: i16| -> Result<String> {
                    Ok(self.currencies().known(id)?.code.to_string())
                };
                Ok(AddressItem {
                    id: record.id,
                    coin: code(record.coin_id)?,
                    convert_to: record.convert_to_id.map(code).transpose()?,
                    address: record.address,
                    reference: record.foreign_id,
                    label: record.label,
                    deposits: u64::try_from(record.deposits)?,
                    created_at: record.created_at,
                })
            })
            .collect()
    }
}
