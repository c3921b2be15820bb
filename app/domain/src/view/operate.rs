//! What the operator's pages show (ux §1.14): house accounts, suspense, terms, rates, the audit log.

use time::OffsetDateTime;

use super::AmountText;
use super::checkout::Notice;
use super::dashboard::{Paging, StatusPill};

/// One value of a review, as it is and as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    pub label: String,
    pub before: String,
    pub after: String,
}

impl ChangeRow {
    pub fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// Before and after of a change that has not been made, and the form that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewView {
    pub title: String,
    pub rows: Vec<ChangeRow>,
    /// What the change means, one sentence each.
    pub notes: Vec<String>,
    /// Names and values that go along with the form: what was typed, and what it was compared with.
    pub hidden: Vec<(String, String)>,
    /// Path the form is posted to.
    pub action: String,
    /// Path of the page to go back to.
    pub back: String,
    /// As it was typed.
    pub reason: String,
    pub notice: Option<Notice>,
}

/// A house account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseRow {
    pub code: String,
    /// Stored word of the account's kind, e.g. `liquidity`.
    pub kind: String,
    /// What it is for.
    pub purpose: String,
    /// Credits less debits.
    pub balance: String,
    pub held: String,
    /// `None` = unbounded.
    pub floor: Option<String>,
    /// How much below zero is still allowed; `None` = without limit.
    pub exposure: Option<String>,
    /// Path of the page that changes the floor; liquidity accounts only.
    pub edit: Option<String>,
}

/// All accounts of one currency: together they are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencySum {
    pub code: String,
    pub house: String,
    pub wallets: String,
    /// Suspense and receivables of merchants.
    pub others: String,
    /// Of the three; anything but zero is a broken book.
    pub total: String,
    pub is_zero: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseView {
    /// The filter.
    pub currency: String,
    /// Codes that have accounts.
    pub currencies: Vec<String>,
    pub rows: Vec<HouseRow>,
    /// Of every currency, or of the one that is asked for.
    pub sums: Vec<CurrencySum>,
    pub paging: Paging,
    pub never_used: bool,
    pub notice: Option<Notice>,
}

/// The form that changes a floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloorView {
    pub code: String,
    pub balance: String,
    pub held: String,
    /// As it is; `None` = unbounded.
    pub current: Option<String>,
    /// As it was typed, or as it is.
    pub floor: String,
    /// Goes along with the form, so that two people do not overwrite each other.
    pub seen: String,
    pub notice: Option<Notice>,
}

/// How money leaves suspense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayOut {
    /// The charge's own page accepts or refunds it.
    Charge { href: String },
    /// The page of the deposit releases it or sends it back.
    Deposit { href: String },
    /// Nobody can do anything now; what it waits for, one sentence.
    Wait { text: String },
}

/// Money in suspense with its story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspenseItem {
    /// `None` when the row that brought it has no time.
    pub since: Option<OffsetDateTime>,
    pub merchant_id: i64,
    pub merchant: String,
    /// `Charge EX-…` or `Deposit 17`.
    pub what: String,
    /// Path of its own page, of whatever merchant.
    pub href: String,
    pub story: String,
    /// Below zero for what was given to a merchant and then left the chain.
    pub amount: AmountText,
    /// Part of it that is on its way back.
    pub held: Option<AmountText>,
    pub way_out: WayOut,
}

/// What the accounts hold and what the stories explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspenseSum {
    pub code: String,
    pub accounts: String,
    pub explained: String,
    /// `None` when both are the same.
    pub difference: Option<String>,
}

/// A withdrawal that has not arrived when it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckWithdrawal {
    pub id: i64,
    pub since: OffsetDateTime,
    pub merchant_id: i64,
    pub merchant: String,
    pub amount: AmountText,
    pub address: String,
    /// `queued`, `built` or `broadcast`.
    pub state: StatusPill,
    pub problem: String,
    /// Path that sends its stored bytes again; `None` while there are none.
    pub rebroadcast: Option<String>,
    /// Path of the decision on one whose end a person says.
    pub replaced: Option<String>,
    /// What came of its payment with a number; `None` while that is open, and for other chains.
    pub finding: Option<ChainFinding>,
}

/// What the chain shows of a payment with a number that did not pay what was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFinding {
    /// It is in the chain and moved nothing.
    Failed,
    /// It is in the chain and moved something else: what left the account that pays, and what the receiver got.
    Unclear {
        left: AmountText,
        arrived: AmountText,
    },
    /// Another transaction has its number.
    Taken,
}

/// Filters of the suspense page as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuspenseFilter {
    /// Part of the merchant's name, or the number of a charge or deposit.
    pub q: String,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspenseView {
    pub filter: SuspenseFilter,
    pub currencies: Vec<String>,
    /// Oldest first.
    pub rows: Vec<SuspenseItem>,
    pub sums: Vec<SuspenseSum>,
    pub paging: Paging,
    /// Nothing is in suspense at all.
    pub is_empty: bool,
    /// Longest on their way first.
    pub stuck: Vec<StuckWithdrawal>,
    pub notice: Option<Notice>,
}

/// A suspended deposit and the decision on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspendedDepositView {
    pub operation_id: i64,
    pub item: SuspenseItem,
    /// Where it came to, whose reference that address has, and the transaction.
    pub facts: Vec<(String, String)>,
    /// What the merchant would pay and get; `None` when it does not wait for a decision.
    pub release: Option<(AmountText, AmountText)>,
    /// As it was typed.
    pub address: String,
    pub notice: Option<Notice>,
}

/// A currency's terms in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsItem {
    pub code: String,
    pub name: String,
    pub enabled: bool,
    /// Percentages.
    pub deposit_fee: String,
    pub exchange_fee: String,
    pub withdrawal_fee: String,
    pub minimum_deposit: String,
    pub minimum_exchange: String,
    pub minimum_withdrawal: String,
    /// Below and from the large amount on; `None` for money without a chain.
    pub confirmations: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsListView {
    pub q: String,
    pub rows: Vec<TermsItem>,
    pub paging: Paging,
}

/// One input of the form that edits terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsInput {
    /// Form name and id.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub value: String,
    pub error: Option<String>,
    pub control: TermsControl,
}

/// How a value is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermsControl {
    /// Typed; `decimal` or `numeric`.
    Typed { inputmode: &'static str },
    /// One of these values, each with its words.
    Chosen(&'static [(&'static str, &'static str)]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsEditView {
    pub code: String,
    pub name: String,
    pub enabled: bool,
    pub inputs: Vec<TermsInput>,
    /// Goes along with the form.
    pub version: i64,
    /// Who changed them last, and when.
    pub last_change: Option<(String, OffsetDateTime)>,
    pub notice: Option<Notice>,
}

/// What one source says of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    pub source: String,
    pub rate: String,
    /// `3 min`, or `does not age`.
    pub age: String,
    /// Against the median in percent with its sign; `None` without a median.
    pub deviation: Option<String>,
    /// `used`, `stale`, `outlier` or `overruled`.
    pub status: StatusPill,
}

/// A pair with everything its rate is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    pub from: String,
    pub to: String,
    /// What is quoted with; `None` = quoting has stopped.
    pub median: Option<String>,
    pub sources: Vec<SourceRow>,
    pub pinned_until: Option<OffsetDateTime>,
}

/// The form that pins a rate, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PinForm {
    pub from: String,
    pub to: String,
    pub rate: String,
    /// How long it lasts.
    pub minutes: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorRatesView {
    pub now: OffsetDateTime,
    pub currency: String,
    pub currencies: Vec<String>,
    pub rows: Vec<PairRow>,
    /// Pairs nothing is quoted with, of all of them.
    pub stale: usize,
    /// `10 min`
    pub stale_after: String,
    pub paging: Paging,
    pub never_used: bool,
    pub form: PinForm,
    /// Codes a pin can be about.
    pub codes: Vec<String>,
    pub notice: Option<Notice>,
}

/// Filters of the audit log as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Part of the actor.
    pub actor: String,
    /// Beginning of the action, e.g. `terms`.
    pub action: String,
    /// Whole subject, e.g. `operation:17`.
    pub subject: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    pub at: OffsetDateTime,
    pub actor: String,
    pub action: String,
    pub subject: String,
    /// Names and values of what was recorded with it.
    pub data: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    pub filter: AuditFilter,
    pub rows: Vec<AuditRow>,
    pub paging: Paging,
    pub never_used: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_before_and_after_is_no_change() {
        let row = |after: &str| ChangeRow {
            label: "Deposit fee".to_owned(),
            before: "1 %".to_owned(),
            after: after.to_owned(),
        };
        assert!(row("2 %").is_change());
        assert!(!row("1 %").is_change());
    }
}
