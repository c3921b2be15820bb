use time::OffsetDateTime;

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
    /// The merchant sends it back, and nobody has said where to.
    Approved,
}

/// The page where an address for a refund is left.
#[derive(Clone)]
pub(crate) struct RefundLink {
    /// Holds the only copy of the token.
    pub(crate) url: String,
    pub(crate) until: OffsetDateTime,
}

/// Without the address: whoever logs a mail must not log a token.
impl std::fmt::Debug for RefundLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefundLink")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
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
    /// `None` when an address was left before.
    pub(crate) refund: Option<RefundLink>,
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
            "Nothing of it is lost. On this page you can see whether it was accepted, pay the rest at \
             a new rate where it is not enough, or leave an address for a refund:",
        ),
        ClaimReason::Approved => (
            format!("{public_id}: a refund waits for your address"),
            format!("{amount} of your payment is sent back to you as soon as we know where to."),
            "On this page you see what became of it, and can leave an address for the refund:",
        ),
    };
    let refund = match &claim.refund {
        None => String::new(),
        Some(link) => format!(
            "To have it sent back, leave an address here. This link takes one address, once, until \
             {}; afterwards it shows how far the refund has come. Do not pass it on.\n{}\n\n",
            link.until.date(),
            link.url
        ),
    };
    let text = format!(
        "This is about your payment {public_id} to \"{merchant}\".\n\n\
         {happened}\n\n\
         {choice}\n{url}\n\n\
         {refund}\
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
            refund: None,
        }
    }

    #[test]
    fn the_refund_link_has_a_line_of_its_own_and_is_not_logged() {
        let link = RefundLink {
            url: "https://pay.example/refund/secret".to_owned(),
            until: OffsetDateTime::UNIX_EPOCH,
        };
        let claim = ClaimMail {
            refund: Some(link),
            ..claim(ClaimReason::Under)
        };
        let (_, text) = compose(&claim);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.contains(&"https://pay.example/refund/secret"),
            "{text}"
        );
        assert!(text.contains("until 1970-01-01;"), "{text}");
        assert!(!format!("{claim:?}").contains("secret"));
    }

    #[test]
    fn every_reason_names_the_payment_the_amount_and_the_page() {
        for reason in [
            ClaimReason::Under,
            ClaimReason::Over,
            ClaimReason::Late,
            ClaimReason::Approved,
        ] {
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
