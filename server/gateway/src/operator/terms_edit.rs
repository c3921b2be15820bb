//! A currency's minimums, fees and confirmations: edited, reviewed, saved with a reason and an audit
//! row (ux §1.14). They are read afresh by everything that uses them, so a change counts at once.

use std::collections::HashMap;

use domain::charge::fee;
use domain::money::{Currency, CurrencyKind, Money};
use domain::view::operate::{ChangeRow, ReviewView, TermsEditView, TermsInput};
use serde_json::{Map, Value, json};

use super::audit_log;
use super::change::{CHANGED_MEANWHILE, reason};
use super::terms_edit_store as store;
use super::terms_fields::{fields, parse};
use crate::currencies::store as currencies;
use crate::terms::Terms;
use crate::{Error, FieldError, Gateway, Result};

/// The form as it was sent: a text for each value.
pub type TermsForm = HashMap<String, String>;

impl Gateway {
    /// The form that edits the terms of `code`, with what is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code that is not listed.
    pub async fn terms_form(&self, code: &str) -> Result<TermsEditView> {
        let terms = self.terms_by_code(code).await?;
        let inputs = fields(&terms)
            .map(|field| TermsInput {
                name: field.name,
                label: field.label,
                hint: field.hint,
                value: field.typed(&terms),
                error: None,
                control: field.control(),
            })
            .collect();
        Ok(TermsEditView {
            code: code.to_owned(),
            enabled: terms.enabled,
            inputs,
            version: terms.version,
            last_change: store::last_change(self.pool(), terms.currency.id).await?,
            name: terms.name,
            notice: None,
        })
    }

    /// The same with what was typed, and what is wrong with it.
    ///
    /// # Errors
    /// As [`Self::terms_form`].
    pub async fn terms_form_again(
        &self,
        code: &str,
        form: &TermsForm,
        wrong: &[FieldError],
    ) -> Result<TermsEditView> {
        let mut view = self.terms_form(code).await?;
        for input in &mut view.inputs {
            if let Some(typed) = form.get(input.name) {
                input.value.clone_from(typed);
            }
            let blamed = wrong.iter().find(|error| error.field == input.name);
            input.error = blamed.map(|error| format!("{} {}.", input.label, error.message));
        }
        Ok(view)
    }

    /// What a form would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code that is not listed; [`Error::Invalid`] naming every wrong
    /// value, or `terms` when nothing would change.
    pub async fn review_terms(
        &self,
        code: &str,
        form: &TermsForm,
        reason: &str,
    ) -> Result<ReviewView> {
        let before = self.terms_by_code(code).await?;
        let after = parse(&before, form)?;
        let rows = changes(&before, &after)?;
        let mut hidden = vec![("version".to_owned(), before.version.to_string())];
        hidden.extend(fields(&after).map(|field| (field.name.to_owned(), field.typed(&after))));
        Ok(ReviewView {
            title: format!("Review the terms of {code}"),
            rows,
            notes: notes(&before, &after),
            hidden,
            action: format!("/app/operate/currencies/{code}"),
            back: format!("/app/operate/currencies/{code}"),
            reason: reason.to_owned(),
            notice: None,
        })
    }

    /// Saves the terms and records who did it and why, in one transaction. They count from then on,
    /// without a restart.
    ///
    /// # Errors
    /// As [`Self::review_terms`]; [`Error::Invalid`] on `reason`; [`Error::Conflict`] when the terms
    /// do not have the `version` of the form any more.
    pub async fn change_terms(
        &self,
        code: &str,
        form: TermsForm,
        why: &str,
        by: &str,
    ) -> Result<()> {
        let currency = self.listed_currency(code)?;
        let why = reason(why)?;
        let (gateway, by) = (self.clone(), by.to_owned());
        self.book()
            .commit(move |unit| {
                Box::pin(async move {
                    store::lock(unit.conn(), currency.id).await?;
                    let before = gateway.terms_of(unit.conn(), currency).await?;
                    let seen = form
                        .get("version")
                        .and_then(|text| text.parse::<i64>().ok());
                    if seen != Some(before.version) {
                        return Err(CHANGED_MEANWHILE);
                    }
                    let after = parse(&before, &form)?;
                    let rows = changes(&before, &after)?;
                    let now = unit.now();
                    if !store::update(unit.conn(), &after, &by, now).await? {
                        return Err(CHANGED_MEANWHILE);
                    }
                    if after.enabled != before.enabled {
                        currencies::switch(unit.conn(), currency.id, after.enabled).await?;
                    }
                    let subject = format!("currency:{}", currency.code);
                    let data = record(&rows, &why);
                    audit_log::record(unit.conn(), now, &by, "terms.changed", &subject, &data).await
                })
            })
            .await?;
        // Other processes hear of it from the database.
        self.currencies().refresh(self.pool()).await
    }

    fn listed_currency(&self, code: &str) -> Result<Currency> {
        self.currencies().by_code(code).ok_or(Error::NotFound)
    }

    async fn terms_by_code(&self, code: &str) -> Result<Terms> {
        let currency = self.listed_currency(code)?;
        let mut conn = self.pool().acquire().await?;
        self.terms_of(&mut conn, currency).await
    }
}

/// Every value that differs.
fn changes(before: &Terms, after: &Terms) -> Result<Vec<ChangeRow>> {
    let rows: Vec<ChangeRow> = fields(before)
        .map(|field| ChangeRow {
            label: field.label.to_owned(),
            before: field.shown(before),
            after: field.shown(after),
        })
        .filter(ChangeRow::is_change)
        .collect();
    if rows.is_empty() {
        return Err(Error::invalid(
            "terms",
            "are the same as before; nothing would change",
        ));
    }
    Ok(rows)
}

/// Before and after of each value by its label, and why.
fn record(rows: &[ChangeRow], why: &str) -> Value {
    let mut data = Map::new();
    for row in rows {
        let change = json!({ "before": row.before, "after": row.after });
        data.insert(row.label.clone(), change);
    }
    data.insert("reason".to_owned(), Value::from(why));
    Value::Object(data)
}

/// What switching means, and worked examples by the rules that charge the fees.
fn notes(before: &Terms, terms: &Terms) -> Vec<String> {
    let code = terms.currency.code;
    let switched = match (before.enabled, terms.enabled) {
        (true, false) => Some(format!(
            "Nothing new begins in {code}: no orders, addresses, exchanges or withdrawals. Money \
             that still comes is booked as before, and balances stay."
        )),
        (false, true) => Some(format!("{code} is offered to every merchant at once.")),
        _ => None,
    };
    let kept = |verb: &str, points: u32| {
        let gross = Money::parse("100", terms.currency).ok()?;
        let net = gross.checked_sub(fee(gross, points)?)?;
        Some(format!("On {gross} {verb} you keep {net}."))
    };
    let deposit = (terms.currency.kind == CurrencyKind::Crypto)
        .then(|| kept("deposited", terms.deposit_fee_basis_points))
        .flatten();
    let exchange = kept("received in an exchange", terms.exchange_fee_basis_points);
    switched
        .into_iter()
        .chain(deposit)
        .chain(exchange)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_has_before_after_and_reason() {
        let row = ChangeRow {
            label: "Confirmations".to_owned(),
            before: "1".to_owned(),
            after: "3".to_owned(),
        };
        let expected = json!({
            "Confirmations": { "before": "1", "after": "3" },
            "reason": "reorganisations",
        });
        assert_eq!(record(&[row], "reorganisations"), expected);
    }
}
