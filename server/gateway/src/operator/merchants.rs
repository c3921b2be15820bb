//! Merchants as the operator sees them: the fee of their payments, and above what a withdrawal needs
//! an approval. Looked at, reviewed, saved with a reason and an audit row (ux §1.14).

use domain::money::{AmountError, parse_units};
use domain::rate::percent;
use domain::text::one_line;
use domain::view::merchants::{MerchantRow, MerchantTermsView, MerchantsView};
use domain::view::operate::{ChangeRow, ReviewView};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::audit_log;
use super::change::{CHANGED_MEANWHILE, paged, reason};
use super::merchants_store::{self as store, MerchantRecord};
use crate::dashboard::ExportPage;
use crate::{Error, FieldError, Gateway, Result};

/// Merchants of a page.
const PAGE: usize = 50;
const EXPORT_PAGE: i64 = 500;

/// Digits after the point of a limit; the columns take more than anybody types.
const LIMIT_DIGITS: u8 = 8;
/// A fee in basis points is at most all of the amount.
const FEE_MAX: i128 = 10_000;

const NO_LIMIT: &str = "no limit";

/// Column names of an export of merchants.
pub const MERCHANT_COLUMNS: [&str; 5] = [
    "merchant_id",
    "name",
    "payment_fee_percent",
    "withdrawal_limit",
    "withdrawal_daily_limit_euros",
];

/// A merchant's terms as somebody typed them. An empty limit limits nothing.
#[derive(Debug, Clone, Default)]
pub struct MerchantTerms {
    /// Percentage, e.g. `0.99`.
    pub fee: String,
    /// Whole units of the currency that is withdrawn.
    pub withdrawal_limit: String,
    /// Euros a day, all currencies together.
    pub daily_limit: String,
    /// What was stored when it was looked at.
    pub seen: String,
    pub reason: String,
}

impl Gateway {
    /// A page of the merchants whose name holds `q`, or whose number it is. Pages count from 1.
    pub async fn merchants_view(&self, q: &str, page: usize) -> Result<MerchantsView> {
        let q = one_line(q);
        let wanted = q.to_lowercase();
        let size = i64::try_from(PAGE)?;
        let total = store::count(self.pool(), &wanted).await?;
        let (from, paging) = paged(&[("q", &q)], page, usize::try_from(total)?, PAGE);
        let rows = store::list(self.pool(), &wanted, size, i64::try_from(from)?).await?;
        Ok(MerchantsView {
            q,
            rows: rows.into_iter().map(row).collect(),
            paging,
        })
    }

    /// Some of the same merchants as rows of a CSV file; `from` is how many came before.
    pub async fn export_merchants(&self, q: &str, from: Option<i64>) -> Result<ExportPage<i64>> {
        let (q, from) = (one_line(q).to_lowercase(), from.unwrap_or(0));
        let rows = store::list(self.pool(), &q, EXPORT_PAGE, from).await?;
        let full = i64::try_from(rows.len())? == EXPORT_PAGE;
        Ok(ExportPage {
            rows: rows.iter().map(cells).collect(),
            next: full.then_some(from + EXPORT_PAGE),
        })
    }

    /// The form that edits a merchant's terms, with what is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn merchant_terms_form(&self, id: i64) -> Result<MerchantTermsView> {
        let merchant = self.merchant_record(id).await?;
        let typed = |limit: Option<Decimal>| limit.map(plain).unwrap_or_default();
        Ok(MerchantTermsView {
            id,
            fee: fee(&merchant),
            withdrawal_limit: typed(merchant.withdrawal_limit),
            daily_limit: typed(merchant.withdrawal_daily_limit),
            seen: seen(&merchant),
            name: merchant.name,
            notice: None,
        })
    }

    /// What new terms would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] naming every wrong value, or `terms` when nothing
    /// would change.
    pub async fn review_merchant_terms(
        &self,
        id: i64,
        terms: &MerchantTerms,
    ) -> Result<ReviewView> {
        let before = self.merchant_record(id).await?;
        let after = parse(&before, terms)?;
        let rows = changes(&before, &after)?;
        let path = format!("/app/operate/merchants/{id}");
        let typed = |name: &str, value: &str| (name.to_owned(), value.trim().to_owned());
        Ok(ReviewView {
            title: format!("Review the terms of {}", before.name),
            rows,
            notes: vec![
                "Orders that exist keep their fee; withdrawals that wait for an approval still do."
                    .to_owned(),
            ],
            hidden: vec![
                typed("fee", &terms.fee),
                typed("withdrawal_limit", &terms.withdrawal_limit),
                typed("daily_limit", &terms.daily_limit),
                ("seen".to_owned(), seen(&before)),
            ],
            action: path.clone(),
            back: path,
            reason: terms.reason.clone(),
            notice: None,
        })
    }

    /// Saves a merchant's terms and records who did it and why, in one transaction.
    ///
    /// # Errors
    /// As [`Self::review_merchant_terms`]; [`Error::Invalid`] on `reason`; [`Error::Conflict`] when
    /// somebody else changed them since they were looked at.
    pub async fn change_merchant_terms(
        &self,
        id: i64,
        terms: MerchantTerms,
        by: &str,
    ) -> Result<()> {
        let (why, by) = (reason(&terms.reason)?, by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    let before = store::lock(unit.conn(), id).await?.ok_or(Error::NotFound)?;
                    if seen(&before) != terms.seen {
                        return Err(CHANGED_MEANWHILE);
                    }
                    let after = parse(&before, &terms)?;
                    let mut data = Map::new();
                    for row in changes(&before, &after)? {
                        let change = json!({ "before": row.before, "after": row.after });
                        data.insert(row.label, change);
                    }
                    data.insert("reason".to_owned(), Value::from(why));
                    store::update(unit.conn(), &after).await?;
                    let now = unit.now();
                    let (subject, data) = (format!("merchant:{id}"), Value::Object(data));
                    let action = "merchant.terms_changed";
                    audit_log::record(unit.conn(), now, &by, action, &subject, &data).await
                })
            })
            .await
    }

    async fn merchant_record(&self, id: i64) -> Result<MerchantRecord> {
        let mut conn = self.pool().acquire().await?;
        store::find(&mut conn, id).await?.ok_or(Error::NotFound)
    }
}

/// Without zeros nobody typed.
fn plain(limit: Decimal) -> String {
    limit.normalize().to_string()
}

fn fee(merchant: &MerchantRecord) -> String {
    u32::try_from(merchant.fee_basis_points)
        .map(percent)
        .unwrap_or_default()
}

/// What a form compares with later.
fn seen(merchant: &MerchantRecord) -> String {
    let limit = |limit: Option<Decimal>| limit.map_or_else(|| "none".to_owned(), plain);
    format!(
        "{} {} {}",
        merchant.fee_basis_points,
        limit(merchant.withdrawal_limit),
        limit(merchant.withdrawal_daily_limit)
    )
}

fn parse(before: &MerchantRecord, terms: &MerchantTerms) -> Result<MerchantRecord> {
    let mut wrong = Vec::new();
    let mut blame = |field: &str, message: String| {
        wrong.push(FieldError {
            field: field.to_owned(),
            message,
        });
    };
    let fee = match read(&terms.fee, 2) {
        Ok(points) if points <= FEE_MAX => i32::try_from(points)?,
        Ok(_) => {
            blame("fee", "must be at most 100".to_owned());
            0
        }
        Err(message) => {
            blame("fee", message);
            0
        }
    };
    let mut limit = |field: &str, text: &str| {
        if text.trim().is_empty() {
            return None;
        }
        let units = read(text, LIMIT_DIGITS)
            .map_err(|message| blame(field, message))
            .ok()?;
        let limit = Decimal::try_from_i128_with_scale(units, u32::from(LIMIT_DIGITS)).ok()?;
        Some(limit.normalize())
    };
    let withdrawal_limit = limit("withdrawal_limit", &terms.withdrawal_limit);
    let withdrawal_daily_limit = limit("daily_limit", &terms.daily_limit);
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(MerchantRecord {
        id: before.id,
        name: before.name.clone(),
        fee_basis_points: fee,
        withdrawal_limit,
        withdrawal_daily_limit,
    })
}

/// A decimal of zero or more as a whole number of its last digit.
fn read(text: &str, digits: u8) -> Result<i128, String> {
    match parse_units(text.trim(), digits, digits) {
        Ok(units) => Ok(units),
        Err(AmountError::NotPositive) => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}

fn changes(before: &MerchantRecord, after: &MerchantRecord) -> Result<Vec<ChangeRow>> {
    let change = |label: &str, of: fn(&MerchantRecord) -> String| ChangeRow {
        label: label.to_owned(),
        before: of(before),
        after: of(after),
    };
    let mut rows = vec![
        change("Payment fee", |merchant| format!("{} %", fee(merchant))),
        change("Approval above", |merchant| {
            shown(merchant.withdrawal_limit, "of the currency")
        }),
        change("Approval above, a day", |merchant| {
            shown(merchant.withdrawal_daily_limit, "EUR")
        }),
    ];
    rows.retain(ChangeRow::is_change);
    if rows.is_empty() {
        let message = "are the same as before; nothing would change";
        return Err(Error::invalid("terms", message));
    }
    Ok(rows)
}

fn shown(limit: Option<Decimal>, of: &str) -> String {
    limit.map_or_else(
        || NO_LIMIT.to_owned(),
        |limit| format!("{} {of}", plain(limit)),
    )
}

fn row(merchant: MerchantRecord) -> MerchantRow {
    MerchantRow {
        id: merchant.id,
        fee: format!("{} %", fee(&merchant)),
        withdrawal_limit: merchant.withdrawal_limit.map(plain),
        daily_limit: merchant.withdrawal_daily_limit.map(plain),
        name: merchant.name,
    }
}

fn cells(merchant: &MerchantRecord) -> Vec<String> {
    let limit = |limit: Option<Decimal>| limit.map(plain).unwrap_or_default();
    vec![
        merchant.id.to_string(),
        merchant.name.clone(),
        fee(merchant),
        limit(merchant.withdrawal_limit),
        limit(merchant.withdrawal_daily_limit),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn merchant() -> MerchantRecord {
        MerchantRecord {
            id: 1_000,
            name: "Café Riga".to_owned(),
            fee_basis_points: 100,
            withdrawal_limit: None,
            withdrawal_daily_limit: Some("2500.50".parse().unwrap()),
        }
    }

    fn terms(fee: &str, each: &str, daily: &str) -> MerchantTerms {
        MerchantTerms {
            fee: fee.to_owned(),
            withdrawal_limit: each.to_owned(),
            daily_limit: daily.to_owned(),
            ..MerchantTerms::default()
        }
    }

    #[test]
    fn what_was_typed_is_what_is_stored() {
        let after = parse(&merchant(), &terms("0.99", " 0.5 ", "")).unwrap();
        assert_eq!(after.fee_basis_points, 99);
        assert_eq!(after.withdrawal_limit, Some("0.5".parse().unwrap()));
        assert_eq!(after.withdrawal_daily_limit, None);
        let after = parse(&merchant(), &terms("0", "0", "0")).unwrap();
        assert_eq!(after.withdrawal_limit, Some(Decimal::ZERO));
        assert_eq!(shown(after.withdrawal_limit, "EUR"), "0 EUR");
    }

    #[test]
    fn every_wrong_value_is_named() {
        let Err(Error::Invalid(wrong)) = parse(&merchant(), &terms("100.01", "1,5", "-1")) else {
            panic!("accepted")
        };
        let fields: Vec<&str> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["fee", "withdrawal_limit", "daily_limit"]);
    }

    #[test]
    fn only_what_changes_is_listed_and_something_has_to() {
        let rows = changes(
            &merchant(),
            &parse(&merchant(), &terms("1", "", "0")).unwrap(),
        );
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].before, "2500.5 EUR");
        let same = parse(&merchant(), &terms("1.00", "", "2500.5")).unwrap();
        assert!(changes(&merchant(), &same).is_err());
        assert_eq!(seen(&same), seen(&merchant()));
    }
}
