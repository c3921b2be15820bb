use uuid::Uuid;

use super::AccountKey;

/// Business fact an entry records; one entry of a kind per `dedupe` text, ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A receipt became final: coins are ours, their owner still undecided.
    ReceiptFinal,
    /// A final receipt left the chain again.
    ReceiptReversed,
    /// A charge is paid: the merchant is credited, the fee taken.
    ChargePaid,
    /// A final deposit is the merchant's.
    DepositFinal,
    /// A final deposit was exchanged on arrival.
    DepositConverted,
    /// A final deposit waits in suspense for somebody to decide.
    DepositSuspended,
    /// A suspended deposit was credited after all.
    DepositReleased,
    /// A final deposit left the chain again.
    DepositReversed,
    /// A reversed deposit is in the chain again.
    DepositRestored,
    /// Money of a withdrawal is held.
    WithdrawalHeld,
    /// A withdrawal has left.
    WithdrawalSettled,
    /// A withdrawal was called off.
    WithdrawalVoid,
    /// The same three for money that goes back out of suspense.
    RefundHeld,
    RefundSettled,
    RefundVoid,
    /// Two wallets of a merchant were exchanged.
    Exchange,
    /// A promise is funded.
    FuturesHeld,
    /// A promise was not used.
    FuturesVoid,
    /// A transaction of ours is in the chain: its miner was paid.
    NetworkFee,
    /// It left the chain, and another one with the same payments took its place.
    NetworkFeeReversed,
    /// Coins that the house sent to an account of its own.
    OwnFunds,
    /// They left the chain again.
    OwnFundsReversed,
    /// Coins that the house took out of its accounts past this instance.
    OwnFundsOut,
    /// The transaction left the chain again.
    OwnFundsOutReversed,
    /// Opening balance of the demo set.
    TestFunding,
}

impl EntryKind {
    pub const ALL: [Self; 25] = [
        Self::ReceiptFinal,
        Self::ReceiptReversed,
        Self::ChargePaid,
        Self::DepositFinal,
        Self::DepositConverted,
        Self::DepositSuspended,
        Self::DepositReleased,
        Self::DepositReversed,
        Self::DepositRestored,
        Self::WithdrawalHeld,
        Self::WithdrawalSettled,
        Self::WithdrawalVoid,
        Self::RefundHeld,
        Self::RefundSettled,
        Self::RefundVoid,
        Self::Exchange,
        Self::FuturesHeld,
        Self::FuturesVoid,
        Self::NetworkFee,
        Self::NetworkFeeReversed,
        Self::OwnFunds,
        Self::OwnFundsReversed,
        Self::OwnFundsOut,
        Self::OwnFundsOutReversed,
        Self::TestFunding,
    ];

    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::ReceiptFinal => "receipt_final",
            Self::ReceiptReversed => "receipt_reversed",
            Self::ChargePaid => "charge_paid",
            Self::DepositFinal => "deposit_final",
            Self::DepositConverted => "deposit_converted",
            Self::DepositSuspended => "deposit_suspended",
            Self::DepositReleased => "deposit_released",
            Self::DepositReversed => "deposit_reversed",
            Self::DepositRestored => "deposit_restored",
            Self::WithdrawalHeld => "withdrawal_held",
            Self::WithdrawalSettled => "withdrawal_settled",
            Self::WithdrawalVoid => "withdrawal_void",
            Self::RefundHeld => "refund_held",
            Self::RefundSettled => "refund_settled",
            Self::RefundVoid => "refund_void",
            Self::Exchange => "exchange",
            Self::FuturesHeld => "futures_held",
            Self::FuturesVoid => "futures_void",
            Self::NetworkFee => "network_fee",
            Self::NetworkFeeReversed => "network_fee_reversed",
            Self::OwnFunds => "own_funds",
            Self::OwnFundsReversed => "own_funds_reversed",
            Self::OwnFundsOut => "own_funds_out",
            Self::OwnFundsOutReversed => "own_funds_out_reversed",
            Self::TestFunding => "test_funding",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What a leg does to its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// Debit to credit at once.
    Post,
    /// Reserves the amount on the debit side.
    Hold,
    /// Ends a hold by moving the leg's amount; what the hold had beyond it is released.
    Settle { hold: Uuid, held: i128 },
    /// Ends a hold without moving anything.
    Void { hold: Uuid, held: i128 },
}

impl Movement {
    /// Stored word; part of the schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Hold => "hold",
            Self::Settle { .. } => "settle",
            Self::Void { .. } => "void",
        }
    }

    /// The hold this leg ends.
    pub fn resolves(self) -> Option<Uuid> {
        match self {
            Self::Post | Self::Hold => None,
            Self::Settle { hold, .. } | Self::Void { hold, .. } => Some(hold),
        }
    }
}

/// One posting of an entry: a positive amount between two accounts of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg<A = AccountKey> {
    pub id: Uuid,
    pub movement: Movement,
    pub debit: A,
    pub credit: A,
    /// Ledger units, above zero. For a void: the amount released.
    pub amount: i128,
    /// What this leg is within its entry, e.g. `gross`, `fee`.
    pub label: &'static str,
}

/// An atomic, immutable group of postings for one business fact: all of it or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry<A = AccountKey> {
    pub id: Uuid,
    /// [`super::HOUSE`] or the merchant concerned.
    pub merchant: i64,
    pub kind: EntryKind,
    /// What it belongs to, e.g. `charge:17`.
    pub subject: String,
    /// Makes the fact unique within its kind, e.g. `receipt:4/0`.
    pub dedupe: String,
    pub legs: Vec<Leg<A>>,
}
