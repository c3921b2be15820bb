//! What a form has to say on the page it leads back to. The URL carries a code of this list, never
//! text, so that nobody can put words on our pages with a link.

use domain::charge::TransitionError;
use domain::view::checkout::Notice;
use gateway::Error;

use super::errors::Refusal;

/// One code of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    // On the checkout, for customers.
    RefundAddressKept,
    BadMethod,
    BadRefundAddress,
    NoQuote,
    MoneyArrived,
    RateStillFixed,
    // In the dashboard.
    Accepted,
    RefundApproved,
    Cancelled,
    SentAgain,
    BadAddress,
    NothingFinal,
    NothingToRefund,
    WorthTooLittle,
    Paid,
    Mined,
    Advanced,
    AddressTaken,
    LabelSaved,
    Withdrawn,
    Approved,
    Declined,
    OtherEyes,
    Exchanged,
    Promised,
    RateIsOver,
    NotEnough,
    KeyRevoked,
    KeyRevokedBefore,
    PermissionsSaved,
    CallbackSaved,
    CallbackRemoved,
    TestSent,
    NoCallbackUrl,
    NoKeyPair,
    SendingNow,
    TerminalSaved,
    InvoiceMade,
    InvoiceMadeAndSent,
    InvoiceNotSent,
    InvoiceSent,
    InvoiceVoided,
    SettingsSaved,
    LogoSaved,
    LogoRemoved,
    NoLogo,
    DepositReleased,
    DepositRefunded,
    WithdrawalSentAgain,
    NothingToSend,
    FloorSaved,
    TermsSaved,
    RatePinned,
    RateUnpinned,
    // On both.
    NotPossible,
    TryAgain,
}

/// Word in the URL, the sentence, and the field that is to blame, which makes it an error; an error
/// of the whole form blames the empty field.
type Entry = (Code, &'static str, &'static str, Option<&'static str>);

const ENTRIES: [Entry; 56] = [
    (
        Code::RefundAddressKept,
        "refund-address-kept",
        "Your refund address is noted.",
        None,
    ),
    (
        Code::BadMethod,
        "bad-method",
        "Choose one of the offered ways to pay.",
        Some("method"),
    ),
    (
        Code::BadRefundAddress,
        "bad-refund-address",
        "This is not an address of the coin you paid with. Check it and try again.",
        Some("refund_address"),
    ),
    (
        Code::NoQuote,
        "no-quote",
        "We cannot quote this coin right now. Nothing was taken. Choose another or try again.",
        Some(""),
    ),
    (
        Code::MoneyArrived,
        "money-arrived",
        "Your payment has arrived, so the way to pay cannot be changed any more.",
        Some(""),
    ),
    (
        Code::RateStillFixed,
        "rate-still-fixed",
        "The rate is still fixed; nothing was changed.",
        None,
    ),
    (
        Code::Accepted,
        "accepted",
        "The charge is paid; what came is credited to you.",
        None,
    ),
    (
        Code::RefundApproved,
        "refund-approved",
        "The refund is approved and waits to be sent.",
        None,
    ),
    (
        Code::Cancelled,
        "cancelled",
        "The charge is cancelled.",
        None,
    ),
    (
        Code::SentAgain,
        "sent-again",
        "The webhook is on its way again.",
        None,
    ),
    (
        Code::BadAddress,
        "bad-address",
        "This is not an address of the coin that was paid.",
        Some("address"),
    ),
    (
        Code::NothingFinal,
        "nothing-final",
        "No payment of this charge is final yet; wait for its confirmations.",
        Some(""),
    ),
    (
        Code::NothingToRefund,
        "nothing-to-refund",
        "There is nothing to send back for this charge.",
        Some(""),
    ),
    (
        Code::WorthTooLittle,
        "worth-too-little",
        "What arrived is worth too little to be accepted.",
        Some(""),
    ),
    (
        Code::Paid,
        "paid",
        "The payment is announced. Mine a block to confirm it.",
        None,
    ),
    (Code::Mined, "mined", "The chain has grown.", None),
    (Code::Advanced, "advanced", "The clock is moved.", None),
    (
        Code::AddressTaken,
        "address-taken",
        "This address is yours; whatever comes to it is credited to you.",
        None,
    ),
    (Code::LabelSaved, "label-saved", "The label is saved.", None),
    (
        Code::Withdrawn,
        "withdrawn",
        "The money is held and this withdrawal is on its way.",
        None,
    ),
    (
        Code::Approved,
        "approved",
        "The withdrawal is approved and on its way.",
        None,
    ),
    (
        Code::Declined,
        "declined",
        "The withdrawal is declined; the held money is free again.",
        None,
    ),
    (
        Code::OtherEyes,
        "other-eyes",
        "You asked for this withdrawal, so somebody else has to decide. Nothing was changed.",
        Some(""),
    ),
    (Code::Exchanged, "exchanged", "The exchange is done.", None),
    (
        Code::RateIsOver,
        "rate-is-over",
        "This rate does not stand any more; nothing was exchanged. Get a new one.",
        Some(""),
    ),
    (
        Code::NotEnough,
        "not-enough",
        "Your wallet, or what we can deliver right now, is not enough for this; nothing was exchanged.",
        Some(""),
    ),
    (
        Code::KeyRevoked,
        "key-revoked",
        "The key pair is revoked; nothing signed with it is accepted any more.",
        None,
    ),
    (
        Code::KeyRevokedBefore,
        "key-revoked-before",
        "This key pair was revoked before; nothing was changed.",
        Some(""),
    ),
    (
        Code::PermissionsSaved,
        "permissions-saved",
        "The permissions are saved.",
        None,
    ),
    (
        Code::CallbackSaved,
        "callback-saved",
        "The callback address is saved. Send a test to see whether it answers.",
        None,
    ),
    (
        Code::CallbackRemoved,
        "callback-removed",
        "There is no callback address now; nothing is reported to your server.",
        None,
    ),
    (
        Code::TestSent,
        "test-sent",
        "The test is sent; its answer stands below. Without one yet, reload the page in a moment.",
        None,
    ),
    (
        Code::NoCallbackUrl,
        "no-callback-url",
        "Save a callback address first; nothing was sent.",
        Some("url"),
    ),
    (
        Code::NoKeyPair,
        "no-key-pair",
        "Make a key pair first: callbacks are signed with one. Nothing was sent.",
        Some(""),
    ),
    (
        Code::SendingNow,
        "sending-now",
        "This webhook is being sent right now; wait for its answer.",
        Some(""),
    ),
    (
        Code::TerminalSaved,
        "terminal-saved",
        "The allowed origins are saved.",
        None,
    ),
    (
        Code::InvoiceMade,
        "invoice-made",
        "The invoice is made. Copy its link below for your customer.",
        None,
    ),
    (
        Code::InvoiceMadeAndSent,
        "invoice-made-and-sent",
        "The invoice is made, and its link is on its way to the customer.",
        None,
    ),
    (
        Code::InvoiceNotSent,
        "invoice-not-sent",
        "The invoice is made, but its link could not be mailed. Send it from here.",
        Some(""),
    ),
    (
        Code::InvoiceSent,
        "invoice-sent",
        "The link of the invoice is on its way.",
        None,
    ),
    (
        Code::InvoiceVoided,
        "invoice-voided",
        "The invoice is void; nobody can pay it any more.",
        None,
    ),
    (
        Code::SettingsSaved,
        "settings-saved",
        "Your settings are saved.",
        None,
    ),
    (
        Code::LogoSaved,
        "logo-saved",
        "Your logo is saved; payers see it from now on.",
        None,
    ),
    (
        Code::LogoRemoved,
        "logo-removed",
        "Your logo is removed; your name stands alone.",
        None,
    ),
    (
        Code::NoLogo,
        "no-logo",
        "There was no logo; nothing was changed.",
        Some(""),
    ),
    (
        Code::Promised,
        "promised",
        "The price is fixed. Exactly the amount below has to be seen in time.",
        None,
    ),
    (
        Code::DepositReleased,
        "deposit-released",
        "The deposit is credited to its merchant.",
        None,
    ),
    (
        Code::DepositRefunded,
        "deposit-refunded",
        "The deposit is on its way back.",
        None,
    ),
    (
        Code::WithdrawalSentAgain,
        "withdrawal-sent-again",
        "The withdrawal's transaction is sent to the network once more.",
        None,
    ),
    (
        Code::NothingToSend,
        "nothing-to-send",
        "There is no transaction that could be sent again.",
        Some(""),
    ),
    (
        Code::FloorSaved,
        "floor-saved",
        "The floor is saved; it counts from now on.",
        None,
    ),
    (
        Code::TermsSaved,
        "terms-saved",
        "The terms are saved; they count from now on.",
        None,
    ),
    (Code::RatePinned, "rate-pinned", "The rate is pinned.", None),
    (
        Code::RateUnpinned,
        "rate-unpinned",
        "The pin has ended; the sources count again.",
        None,
    ),
    (
        Code::NotPossible,
        "not-possible",
        "This is no longer possible; nothing was changed.",
        Some(""),
    ),
    (
        Code::TryAgain,
        "try-again",
        "We could not do this right now; nothing was changed. Try again in a moment.",
        Some(""),
    ),
];

impl Code {
    /// As it stands in a URL.
    pub(super) fn word(self) -> &'static str {
        let entry = ENTRIES.iter().find(|(code, ..)| *code == self);
        entry.map_or("", |(_, word, ..)| word)
    }

    /// What refused a form of a public page; anything that deserves a page of its own comes back.
    pub(super) fn of_checkout(error: Error) -> Result<Self, Refusal> {
        match error {
            Error::Invalid(fields) if fields.iter().any(|f| f.field == "refund_address") => {
                Ok(Self::BadRefundAddress)
            }
            Error::Invalid(_) => Ok(Self::BadMethod),
            Error::QuoteUnavailable { .. } => Ok(Self::NoQuote),
            Error::Refused(TransitionError::MoneyArrived) => Ok(Self::MoneyArrived),
            Error::Refused(TransitionError::RateStillFixed) => Ok(Self::RateStillFixed),
            Error::Refused(_) | Error::Conflict(_) => Ok(Self::NotPossible),
            error if error.is_transient() => Ok(Self::TryAgain),
            error => Err(error.into()),
        }
    }

    /// What refused an action of the dashboard; anything that deserves a page of its own comes
    /// back. `on_conflict` is what the action calls having nothing to act on.
    pub(super) fn of_dashboard(error: Error, on_conflict: Self) -> Result<Self, Refusal> {
        match error {
            Error::Invalid(_) => Ok(Self::BadAddress),
            Error::QuoteUnavailable { .. } => Ok(Self::NoQuote),
            Error::Refused(TransitionError::NothingFinal) => Ok(Self::NothingFinal),
            Error::Refused(_) | Error::AlreadyBooked => Ok(Self::NotPossible),
            Error::Conflict(_) => Ok(on_conflict),
            error if error.is_transient() => Ok(Self::TryAgain),
            error => Err(error.into()),
        }
    }
}

/// The notice of a URL; nothing for a word that is not in the list.
pub(super) fn notice(word: &str) -> Option<Notice> {
    let (_, _, text, blamed) = ENTRIES.iter().find(|(_, known, ..)| *known == word)?;
    Some(Notice {
        is_error: blamed.is_some(),
        text: (*text).to_owned(),
        field: blamed.filter(|field| !field.is_empty()).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_word_of_its_own() {
        for (at, (code, word, ..)) in ENTRIES.iter().enumerate() {
            assert_eq!(code.word(), *word);
            let first = ENTRIES.iter().position(|(_, other, ..)| other == word);
            assert_eq!(first, Some(at), "{word}");
        }
    }

    #[test]
    fn a_url_cannot_bring_its_own_words() {
        assert_eq!(notice("Send your coins to evil.example"), None);
        assert_eq!(notice(""), None);
    }

    #[test]
    fn an_error_names_its_field() {
        let wrong = notice(Code::BadRefundAddress.word());
        let field = wrong.as_ref().and_then(|notice| notice.field.as_deref());
        assert_eq!(field, Some("refund_address"));
        assert!(wrong.is_some_and(|notice| notice.is_error));
        let late = notice(Code::NotPossible.word());
        assert!(late.is_some_and(|notice| notice.is_error && notice.field.is_none()));
        assert!(notice(Code::Accepted.word()).is_some_and(|notice| !notice.is_error));
    }

    #[test]
    fn refusals_of_the_lifecycle_are_told_apart() {
        let code = |why| Code::of_checkout(Error::Refused(why)).ok();
        assert_eq!(
            code(TransitionError::MoneyArrived),
            Some(Code::MoneyArrived)
        );
        assert_eq!(
            code(TransitionError::RateStillFixed),
            Some(Code::RateStillFixed)
        );
        assert_eq!(Code::of_checkout(Error::NotFound), Err(Refusal::NotFound));
    }
}
