use super::queue_mail;
use crate::Result;
use crate::ledger::Unit;

/// What was unusual about a payment (`00-domain.md`, Charges).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimReason {
    /// Less came than was due.
    Under,
    /// More came than was due.
    Over,
    /// It came after the rate had expired.
    Late,
}

/// What the customer is told, in plain values.
#[derive(Debug, Clone)]
pub(crate) struct ClaimMail {
    pub(crate) merchant_id: i64,
    pub(crate) merchant_name: String,
    /// As the merchant gave it; empty = nobody to tell.
    pub(crate) customer_email: String,
    pub(crate) public_id: String,
    /// With its currency, e.g. `0.0005 BTC`: what is missing, what is too much, or what came late.
    pub(crate) amount: String,
    pub(crate) reason: ClaimReason,
    /// The hosted page with its token.
    pub(crate) url: String,
}

/// Sends the customer to the page where the rest can be paid, a new rate taken or an address for a
/// refund left. The caller sends one mail per reason: when the charge's flag is set, not again.
pub(crate) async fn send_claim_mail(unit: &mut Unit, claim: &ClaimMail) -> Result<()> {
    if claim.customer_email.trim().is_empty() {
        return Ok(());
    }
    let (subject, text) = compose(claim);
    let (at, merchant) = (unit.now(), Some(claim.merchant_id));
    queue_mail(
        unit.conn(),
        at,
        merchant,
        &claim.customer_email,
        &subject,
        &text,
    )
    .await
}

fn compose(claim: &ClaimMail) -> (String, String) {
    let ClaimMail {
        public_id,
        amount,
        url,
        ..
    } = claim;
    // A name is one line, or it could look like part of our text.
    let merchant = claim
        .merchant_name
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let (subject, happened, choice) = match claim.reason {
        ClaimReason::Under => (
            format!("{public_id}: part of your payment is missing"),
            format!("Part of your payment has arrived; {amount} is still missing."),
            "On this page you can pay the rest, take a new rate when the time has run out, or leave \
             an address for a refund:",
        ),
        ClaimReason::Over => (
            format!("{public_id}: you paid more than was due"),
            format!("Your payment has arrived. It is {amount} more than was due."),
            "On this page you can leave an address for a refund of what is too much:",
        ),
        ClaimReason::Late => (
            format!("{public_id}: your payment arrived late"),
            format!("Your payment of {amount} arrived after its rate had expired."),
            "Nothing of it is lost. On this page you can see whether it was accepted, take a new \
             rate, or leave an address for a refund:",
        ),
    };
    let text = format!(
        "This is about your payment {public_id} to \"{merchant}\".\n\n\
         {happened}\n\n\
         {choice}\n{url}\n\n\
         Please do not answer this message; for questions about your order ask the merchant."
    );
    (subject, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(reason: ClaimReason) -> ClaimMail {
        ClaimMail {
            merchant_id: 1000,
            merchant_name: "Harbour\n\nYour account is closed: http://evil.example\nCoffee"
                .to_owned(),
            customer_email: "anna@example.com".to_owned(),
            public_id: "EX-ABCDEFGHI2".to_owned(),
            amount: "0.0005 BTC".to_owned(),
            reason,
            url: "https://pay.example/pay/EX-ABCDEFGHI2?t=token".to_owned(),
        }
    }

    #[test]
    fn every_reason_names_the_payment_the_amount_and_the_page() {
        for reason in [ClaimReason::Under, ClaimReason::Over, ClaimReason::Late] {
            let claim = claim(reason);
            let (subject, text) = compose(&claim);
            assert!(subject.contains(&claim.public_id), "{subject}");
            assert!(text.contains("0.0005 BTC"), "{text}");
            assert!(text.contains("refund"), "{text}");
            assert_eq!(
                text.lines().filter(|line| *line == claim.url).count(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn a_merchants_name_adds_no_line() {
        let (_, text) = compose(&claim(ClaimReason::Under));
        assert!(text.starts_with("This is about your payment EX-ABCDEFGHI2 to \"Harbour Your"));
        let links = text.lines().filter(|line| line.starts_with("http")).count();
        assert_eq!(links, 1, "{text}");
    }
}
