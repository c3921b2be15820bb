//! Why money is in suspense, and what gets it out, in words.

use domain::charge::Status;
use domain::money::Currency;
use domain::view::operate::WayOut;

use super::suspense_store::ItemRecord;
use crate::{Error, Result};

/// What a charge that was asked for in `asked` has to do with so much of `coin`.
pub(super) fn charge_story(
    record: &ItemRecord,
    asked: Option<Currency>,
    coin: Currency,
) -> Result<String> {
    if record.units.is_sign_negative() {
        return Ok(
            "A confirmed payment left the chain after it had paid; the merchant kept it."
                .to_owned(),
        );
    }
    if let Some(asked) = asked.filter(|asked| asked.id != coin.id) {
        return Ok(format!(
            "{} came, but {} was asked for.",
            coin.code, asked.code
        ));
    }
    let story = match status(record)? {
        Status::Paid => "More came than the charge needed.",
        Status::Underpaid => "Time ran out with only part of it paid.",
        Status::Expired => "It came after the time was over.",
        Status::Cancelled => "It came for a charge that was called off.",
        Status::Failed => "The payment was not final in time.",
        Status::Created | Status::Pending | Status::Processing => {
            "Part of it is final; the charge still waits for the rest."
        }
    };
    Ok(story.to_owned())
}

/// The charge's own page, where anything can be done at all.
pub(super) fn charge_way_out(
    record: &ItemRecord,
    asked: Option<Currency>,
    coin: Currency,
    href: &str,
) -> Result<WayOut> {
    if record.units.is_sign_negative() {
        return Ok(waits_for_the_chain());
    }
    if is_all_on_its_way(record) {
        return Ok(goes_back());
    }
    // Money in another coin can go back whatever the charge does.
    let asked_for = asked.is_none_or(|asked| asked.id == coin.id);
    let is_open = matches!(
        status(record)?,
        Status::Created | Status::Pending | Status::Processing
    );
    if asked_for && is_open {
        let text = "It ends by itself: paid, or with a decision of the merchant.".to_owned();
        return Ok(WayOut::Wait { text });
    }
    let href = href.to_owned();
    Ok(WayOut::Charge { href })
}

/// What is the matter with a deposit.
pub(super) fn deposit_story(record: &ItemRecord) -> String {
    match record.disposition.as_deref() {
        Some("credited") => "A credited deposit left the chain; the merchant kept the credit.",
        Some("refunded") => "It is being sent back.",
        _ => return reason_of(record),
    }
    .to_owned()
}

fn reason_of(record: &ItemRecord) -> String {
    record.error.as_deref().map_or_else(
        || "It was not credited.".to_owned(),
        |error| format!("Not credited: {error}."),
    )
}

/// The page that decides on a deposit, while it waits for that.
pub(super) fn deposit_way_out(record: &ItemRecord, operation_id: i64) -> WayOut {
    if waits_for_a_decision(record) {
        let href = format!("/app/operate/suspense/{operation_id}");
        WayOut::Deposit { href }
    } else if record.units.is_sign_negative() {
        waits_for_the_chain()
    } else {
        goes_back()
    }
}

/// A suspended deposit that is in the chain; the rule of `deposits/resolve.rs`.
pub(super) fn waits_for_a_decision(record: &ItemRecord) -> bool {
    record.disposition.as_deref() == Some("suspended")
        && record.deposit_state.as_deref() == Some("final")
}

fn is_all_on_its_way(record: &ItemRecord) -> bool {
    !record.held.is_zero() && record.held >= record.units
}

fn goes_back() -> WayOut {
    let text = "It leaves suspense when its refund is confirmed.".to_owned();
    WayOut::Wait { text }
}

fn waits_for_the_chain() -> WayOut {
    let text =
        "It is undone when the transaction is back in the chain. If it stays away, settle it \
                with the merchant."
            .to_owned();
    WayOut::Wait { text }
}

fn status(record: &ItemRecord) -> Result<Status> {
    let word = record.charge_status.as_deref().unwrap_or_default();
    Status::from_word(word).ok_or_else(|| Error::Internal(format!("charge status {word}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use domain::money::CurrencyKind;
    use rust_decimal::Decimal;

    use super::*;

    fn coin(id: i16, code: &str) -> Currency {
        Currency {
            id,
            code: code.parse().unwrap(),
            kind: CurrencyKind::Crypto,
            precision: 8,
            scale: 8,
        }
    }

    fn record(units: i64, held: i64) -> ItemRecord {
        ItemRecord {
            merchant_id: 1_000,
            merchant: "Café Riga".to_owned(),
            currency_id: 1,
            units: Decimal::from(units),
            held: Decimal::from(held),
            since: None,
            public_id: None,
            charge_status: None,
            asked_id: None,
            deposit_id: None,
            deposit_state: None,
            disposition: None,
            error: None,
            total: 1,
        }
    }

    fn charge(status: &str, units: i64, held: i64) -> ItemRecord {
        ItemRecord {
            charge_status: Some(status.to_owned()),
            ..record(units, held)
        }
    }

    #[test]
    fn every_end_of_a_charge_has_its_story_and_its_way_out() {
        let bitcoin = coin(1, "BTC");
        let told = |record: &ItemRecord| {
            let story = charge_story(record, Some(bitcoin), bitcoin).unwrap();
            let out = charge_way_out(record, Some(bitcoin), bitcoin, "/app/charges/x").unwrap();
            (story, matches!(out, WayOut::Charge { .. }))
        };
        for status in ["paid", "underpaid", "expired", "cancelled", "failed"] {
            let (story, can_act) = told(&charge(status, 5, 0));
            assert!(can_act && story.ends_with('.'), "{status}: {story}");
            assert!(!told(&charge(status, 5, 5)).1, "{status}");
            assert!(!told(&charge(status, -5, 0)).1, "{status}");
        }
        for status in ["created", "pending", "processing"] {
            assert!(!told(&charge(status, 5, 0)).1, "{status}");
        }
    }

    #[test]
    fn another_coin_can_always_go_back() {
        let (asked, came) = (coin(4, "ETH"), coin(5, "USDT"));
        let record = charge("pending", 5, 0);
        let story = charge_story(&record, Some(asked), came).unwrap();
        assert_eq!(story, "USDT came, but ETH was asked for.");
        let out = charge_way_out(&record, Some(asked), came, "/x").unwrap();
        assert_eq!(
            out,
            WayOut::Charge {
                href: "/x".to_owned()
            }
        );
    }

    #[test]
    fn only_a_final_suspended_deposit_waits_for_a_decision() {
        let deposit = |disposition: &str, state: &str, units: i64| ItemRecord {
            disposition: Some(disposition.to_owned()),
            deposit_state: Some(state.to_owned()),
            error: Some("less than the smallest deposit, 0.0001 BTC".to_owned()),
            ..record(units, 0)
        };
        let waits = deposit("suspended", "final", 9);
        assert_eq!(
            deposit_story(&waits),
            "Not credited: less than the smallest deposit, 0.0001 BTC."
        );
        let href = "/app/operate/suspense/17".to_owned();
        assert_eq!(deposit_way_out(&waits, 17), WayOut::Deposit { href });
        for other in [
            deposit("refunded", "final", 9),
            deposit("credited", "reversed", -9),
        ] {
            assert!(matches!(deposit_way_out(&other, 17), WayOut::Wait { .. }));
        }
    }
}
