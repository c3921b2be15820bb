//! What a form has to say on the page it leads back to. The URL carries a code of this list, never
//! text, so that nobody can put words on our pages with a link.

mod entries;

use domain::charge::TransitionError;
use domain::view::checkout::Notice;
use gateway::Error;

use super::errors::Refusal;
use entries::ENTRIES;

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
    WithdrawalEnded,
    PayoutSigned,
    PayoutReplaced,
    PayoutSentAgain,
    PaymentSigned,
    PaymentsGoOn,
    StillPaused,
    ChainCompared,
    OwnFundsBooked,
    BooksAudited,
    FloorSaved,
    TermsSaved,
    RatePinned,
    RateUnpinned,
    // On both.
    NotPossible,
    TryAgain,
}

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
