//! The floor of our liquidity in a currency: how much we deliver before we have been given it.
//! Looked at, reviewed, saved with a reason and an audit row (ux §1.14).

use domain::ledger::template::house;
use domain::ledger::{AccountKey, AccountKind, AccountState, HOUSE};
use domain::money::{AmountError, Currency, Money};
use domain::view::operate::{ChangeRow, FloorView, ReviewView};
use rust_decimal::Decimal;
use serde_json::json;

use super::audit_log;
use super::change::{CHANGED_MEANWHILE, reason};
use super::house_store::{self, Figures};
use crate::ledger::{Log, Needs, decimal, units};
use crate::{Error, Gateway, Result};

/// What an unbounded account is compared by, and how people read it.
const UNBOUNDED: &str = "none";
const NO_LIMIT: &str = "no limit";

/// A floor as somebody typed it.
#[derive(Debug, Clone, Default)]
pub struct FloorChange {
    /// Lowest balance in whole units, with a minus below zero; empty = no limit.
    pub floor: String,
    /// What the account had when it was looked at.
    pub seen: String,
    pub reason: String,
}

impl Gateway {
    /// The form that changes the floor of the liquidity in `code`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code that is not listed.
    pub async fn floor_form(&self, code: &str) -> Result<FloorView> {
        let currency = self.currencies().by_code(code).ok_or(Error::NotFound)?;
        let figures = self.liquidity_of(currency).await?;
        let shown = |stored: Decimal| Money::from_units(units(stored), currency).shown();
        Ok(FloorView {
            code: code.to_owned(),
            balance: shown(figures.posted),
            held: shown(figures.held),
            current: figures.floor.map(shown),
            floor: figures.floor.map(shown).unwrap_or_default(),
            seen: seen(figures.floor),
            notice: None,
        })
    }

    /// What a new floor would change; changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code that is not listed; [`Error::Invalid`] on `floor` when it is no
    /// amount, above what is available now, or what it is already.
    pub async fn review_floor(&self, code: &str, change: &FloorChange) -> Result<ReviewView> {
        let currency = self.currencies().by_code(code).ok_or(Error::NotFound)?;
        let floor = parse_floor(&change.floor, currency)?;
        let figures = self.liquidity_of(currency).await?;
        check(floor, figures, currency)?;
        let path = format!("/app/operate/house/{code}");
        Ok(ReviewView {
            title: format!("Review the {code} floor"),
            rows: vec![ChangeRow {
                label: "Lowest balance".to_owned(),
                before: words(figures.floor, currency),
                after: words(floor, currency),
            }],
            notes: vec![note(floor, figures, currency)],
            hidden: vec![
                ("floor".to_owned(), change.floor.trim().to_owned()),
                ("seen".to_owned(), seen(figures.floor)),
            ],
            action: path.clone(),
            back: path,
            reason: change.reason.clone(),
            notice: None,
        })
    }

    /// Sets the floor and records who did it and why, in one transaction.
    ///
    /// # Errors
    /// As [`Self::review_floor`]; [`Error::Invalid`] on `reason`; [`Error::Conflict`] when somebody
    /// else changed the floor since it was looked at.
    pub async fn change_floor(&self, code: &str, change: FloorChange, by: &str) -> Result<()> {
        let currency = self.currencies().by_code(code).ok_or(Error::NotFound)?;
        let floor = parse_floor(&change.floor, currency)?;
        let why = reason(&change.reason)?;
        let key = house(AccountKind::Liquidity, currency.id);
        let account = self.book().account_id(key).await?;
        let (seen_floor, by) = (change.seen, by.to_owned());
        self.book()
            .commit_decision(needs(key), move |unit| {
                let (seen_floor, why, by) = (seen_floor.clone(), why.clone(), by.clone());
                Box::pin(async move {
                    // As a posting does, so that none goes below a floor that is being raised.
                    unit.lock_accounts(&[key]).await?;
                    // Not as the row has it: others may have booked before in the same transaction.
                    let figures = Figures::from(unit.figures(key)?);
                    if seen(figures.floor) != seen_floor {
                        return Err(CHANGED_MEANWHILE);
                    }
                    check(floor, figures, currency)?;
                    unit.set_floor(key, floor.map(units))?;
                    let now = unit.now();
                    let data = json!({
                        "currency": currency.code.as_str(),
                        "before": words(figures.floor, currency),
                        "after": words(floor, currency),
                        "reason": why,
                    });
                    let subject = format!("account:{}", account.0);
                    let action = "floor.changed";
                    let line =
                        audit_log::record_numbered(unit.conn(), now, &by, action, &subject, &data)
                            .await?;
                    unit.note_line(Log::Audit, line, now);
                    Ok(())
                })
            })
            .await
    }

    async fn liquidity_of(&self, currency: Currency) -> Result<Figures> {
        let figures = house_store::liquidity(self.pool(), currency.id).await?;
        Ok(figures.unwrap_or_default())
    }
}

/// In the turn of the house. It books nothing, needs no row but its account, and is known by its line in the audit
/// log.
fn needs(liquidity: AccountKey) -> Needs {
    Needs {
        owner: HOUSE,
        merchants: Vec::new(),
        rows: Vec::new(),
        accounts: vec![liquidity],
    }
}

impl From<&AccountState> for Figures {
    fn from(state: &AccountState) -> Self {
        Self {
            posted: decimal(state.posted),
            held: decimal(state.held),
            floor: state.floor.map(decimal),
        }
    }
}

/// What a form compares with later: exact, unlike what people read.
fn seen(floor: Option<Decimal>) -> String {
    floor.map_or_else(|| UNBOUNDED.to_owned(), |floor| units(floor).to_string())
}

fn words(floor: Option<Decimal>, currency: Currency) -> String {
    floor.map_or_else(
        || NO_LIMIT.to_owned(),
        |floor| Money::from_units(units(floor), currency).to_string(),
    )
}

/// Ledger units; `None` = no limit.
fn parse_floor(text: &str, currency: Currency) -> Result<Option<Decimal>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // Pages write a real minus sign, which people copy.
    let below = text.strip_prefix(['-', '\u{2212}']);
    let amount = match Money::parse(below.unwrap_or(text), currency) {
        Ok(amount) => amount.units(),
        Err(AmountError::NotPositive) => 0,
        Err(error) => return Err(Error::invalid("floor", error.to_string())),
    };
    let floor = if below.is_some() { -amount } else { amount };
    Ok(Some(decimal(floor)))
}

fn check(floor: Option<Decimal>, figures: Figures, currency: Currency) -> Result<()> {
    if floor == figures.floor {
        return Err(Error::invalid(
            "floor",
            "is the same as before; nothing would change",
        ));
    }
    let available = figures.posted - figures.held;
    if floor.is_some_and(|floor| floor > available) {
        let available = Money::from_units(units(available), currency);
        let message = format!("must not be above what is available now, {available}");
        return Err(Error::invalid("floor", message));
    }
    Ok(())
}

fn note(floor: Option<Decimal>, figures: Figures, currency: Currency) -> String {
    match floor {
        None => format!("We would deliver any amount of {}.", currency.code),
        Some(floor) => {
            let left = units(figures.posted - figures.held - floor);
            let left = Money::from_units(left, currency);
            format!("{left} could still go out; then exchanges into it are refused.")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;

    use super::*;

    fn euro() -> Currency {
        Currency {
            id: 145,
            code: "EUR".parse().unwrap(),
            kind: CurrencyKind::Fiat,
            precision: 2,
            scale: 8,
        }
    }

    #[test]
    fn a_floor_may_be_below_zero_or_missing() {
        let units_of = |text: &str| parse_floor(text, euro()).unwrap().map(units);
        assert_eq!(units_of(" "), None);
        assert_eq!(units_of("0"), Some(0));
        assert_eq!(units_of("-0.00"), Some(0));
        assert_eq!(units_of("-12.50"), Some(-1_250_000_000));
        assert_eq!(units_of("\u{2212}12.5"), Some(-1_250_000_000));
        assert_eq!(units_of("7"), Some(700_000_000));
        for wrong in ["--1", "1,5", "-", "1.234", "x"] {
            assert!(parse_floor(wrong, euro()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_floor_above_what_is_there_is_refused() {
        let figures = Figures {
            posted: decimal(100),
            held: decimal(40),
            floor: None,
        };
        assert!(check(Some(decimal(60)), figures, euro()).is_ok());
        assert!(check(Some(decimal(61)), figures, euro()).is_err());
        assert!(check(None, figures, euro()).is_err());
    }
}
