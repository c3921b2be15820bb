//! The words of each state: heading, the one sentence of the live region, document title.

use domain::view::AmountText;
use domain::view::checkout::{CheckoutState, CheckoutView};

use crate::ui::spoken;

/// Seconds left below which the sentence says so; each is announced once.
const WARN_AT: [(i64, &str); 2] = [
    (60, " Less than 1 minute left."),
    (300, " Less than 5 minutes left."),
];

/// Text of the `h1`.
pub(super) fn heading(view: &CheckoutView) -> String {
    match view.state {
        CheckoutState::ChooseMethod | CheckoutState::Awaiting => pay_to(view),
        CheckoutState::PartlyPaid => "Pay the rest".to_owned(),
        state => short(state).to_owned(),
    }
}

/// Title of the document: state first, then whose page it is.
pub fn document_title(view: &CheckoutView) -> String {
    match view.state {
        CheckoutState::ChooseMethod | CheckoutState::Awaiting => pay_to(view),
        state => format!("{} – {}", short(state), view.brand.name),
    }
}

fn pay_to(view: &CheckoutView) -> String {
    format!("Pay {}", view.brand.name)
}

fn short(state: CheckoutState) -> &'static str {
    match state {
        CheckoutState::ChooseMethod => "Choose how to pay",
        CheckoutState::Awaiting => "Waiting for your payment",
        CheckoutState::PartlyPaid => "Part paid",
        CheckoutState::Seen => "Payment seen",
        CheckoutState::Confirming => "Payment confirming",
        CheckoutState::Paid => "Paid",
        CheckoutState::ExpiredUnpaid => "The rate expired",
        CheckoutState::ExpiredUnderpaid => "Part paid, time is up",
        CheckoutState::LateFunds => "Paid late",
        CheckoutState::Cancelled => "Cancelled",
        CheckoutState::Failed => "Payment failed",
        CheckoutState::Refunded => "Refunded",
    }
}

/// The whole sentence of the live region (ux §1.18), at an instant of the instance clock.
pub(super) fn sentence(view: &CheckoutView, now: i64) -> String {
    match view.state {
        CheckoutState::ChooseMethod => "Choose how you want to pay.".to_owned(),
        CheckoutState::Awaiting => format!("Waiting for your payment.{}", warning(view, now)),
        CheckoutState::PartlyPaid => format!(
            "Received {}. {} still to pay.{}",
            view.received
                .as_ref()
                .map_or("a part", |received| received.amount.as_str()),
            named(view.missing.as_ref(), "The rest is"),
            warning(view, now)
        ),
        CheckoutState::Seen => format!(
            "Payment seen: {}. Waiting for confirmation.",
            named(view.received.as_ref(), "all of it")
        ),
        CheckoutState::Confirming => {
            let (done, required) = confirmations(view);
            let noun = if required == 1 {
                "confirmation"
            } else {
                "confirmations"
            };
            format!("{done} of {required} {noun}.")
        }
        CheckoutState::Paid => match &view.excess {
            Some(excess) => format!("Paid. You sent {} too much.", spoken(excess)),
            None => "Paid. Thank you.".to_owned(),
        },
        CheckoutState::ExpiredUnpaid => "The rate expired. Nothing was paid.".to_owned(),
        CheckoutState::ExpiredUnderpaid => "Time ran out with part paid.".to_owned(),
        CheckoutState::LateFunds if view.can_requote => {
            "Your payment arrived after the rate expired. It does not cover the total.".to_owned()
        }
        CheckoutState::LateFunds => "Your payment arrived after the rate expired.".to_owned(),
        CheckoutState::Cancelled => "This order was cancelled. Nothing was paid.".to_owned(),
        CheckoutState::Failed => "This payment was replaced or cancelled.".to_owned(),
        CheckoutState::Refunded => {
            format!(
                "Refund of {} sent.",
                named(view.received.as_ref(), "your payment")
            )
        }
    }
}

/// Confirmations of the receipt that lacks most, and how many that one needs.
pub(super) fn confirmations(view: &CheckoutView) -> (u32, u32) {
    view.receipts
        .iter()
        .filter(|receipt| is_live(&receipt.state))
        .map(|receipt| {
            let required = receipt.confirmations_required;
            (receipt.confirmations.min(required), required)
        })
        .max_by_key(|(done, required)| required - done)
        .unwrap_or((0, 0))
}

/// A receipt that still counts.
pub(super) fn is_live(receipt_state: &str) -> bool {
    !matches!(receipt_state, "dropped" | "reversed")
}

fn named(amount: Option<&AmountText>, otherwise: &str) -> String {
    amount.map_or_else(|| otherwise.to_owned(), spoken)
}

fn warning(view: &CheckoutView, now: i64) -> &'static str {
    let Some(ends_at) = view.clock_ends_at else {
        return "";
    };
    let left = ends_at - now;
    WARN_AT
        .iter()
        .find(|(below, _)| left > 0 && left <= *below)
        .map_or("", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[track_caller]
    fn check(state: CheckoutState, expected: &str) {
        let view = sample::view(state);
        assert_eq!(sentence(&view, view.now), expected);
    }

    #[test]
    fn each_state_has_one_sentence() {
        check(CheckoutState::Awaiting, "Waiting for your payment.");
        check(
            CheckoutState::PartlyPaid,
            "Received 0.00100000. 0.00023456 BTC still to pay.",
        );
        check(
            CheckoutState::Seen,
            "Payment seen: 0.00123456 BTC. Waiting for confirmation.",
        );
        check(CheckoutState::Confirming, "1 of 2 confirmations.");
        check(CheckoutState::Paid, "Paid. Thank you.");
        check(
            CheckoutState::ExpiredUnpaid,
            "The rate expired. Nothing was paid.",
        );
        check(
            CheckoutState::ExpiredUnderpaid,
            "Time ran out with part paid.",
        );
        check(
            CheckoutState::LateFunds,
            "Your payment arrived after the rate expired.",
        );
        check(
            CheckoutState::Failed,
            "This payment was replaced or cancelled.",
        );
        check(CheckoutState::Refunded, "Refund of 0.00123456 BTC sent.");
    }

    #[test]
    fn too_much_is_named() {
        let mut view = sample::view(CheckoutState::Paid);
        view.excess = Some(sample::btc("0.00010000"));
        assert_eq!(
            sentence(&view, view.now),
            "Paid. You sent 0.00010000 BTC too much."
        );
    }

    #[test]
    fn late_money_is_called_short_only_where_it_is() {
        let mut view = sample::view(CheckoutState::LateFunds);
        let enough = "Your payment arrived after the rate expired.";
        assert_eq!(sentence(&view, view.now), enough);
        view.can_requote = true;
        assert_eq!(
            sentence(&view, view.now),
            format!("{enough} It does not cover the total.")
        );
    }

    #[test]
    fn the_end_of_the_clock_is_announced_twice() {
        let mut view = sample::view(CheckoutState::Awaiting);
        view.clock_ends_at = Some(1000);
        assert_eq!(sentence(&view, 699), "Waiting for your payment.");
        assert_eq!(
            sentence(&view, 700),
            "Waiting for your payment. Less than 5 minutes left."
        );
        assert_eq!(
            sentence(&view, 940),
            "Waiting for your payment. Less than 1 minute left."
        );
        assert_eq!(sentence(&view, 1000), "Waiting for your payment.");
    }

    #[test]
    fn the_receipt_that_lacks_most_counts() {
        let mut view = sample::view(CheckoutState::Confirming);
        let mut slow = view.receipts[0].clone();
        slow.confirmations = 0;
        view.receipts.push(slow);
        assert_eq!(confirmations(&view), (0, 2));
        view.receipts[1].state = "dropped".to_owned();
        assert_eq!(confirmations(&view), (1, 2));
    }

    #[test]
    fn titles_say_state_then_shop() {
        assert_eq!(
            document_title(&sample::view(CheckoutState::Paid)),
            "Paid – Café Riga"
        );
        assert_eq!(
            document_title(&sample::view(CheckoutState::Awaiting)),
            "Pay Café Riga"
        );
    }
}
