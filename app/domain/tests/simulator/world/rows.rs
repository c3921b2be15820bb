//! The business rows of the model. Rows are shared until one changes, so a unit of work starts from
//! a cheap copy of all of them, and dropping that copy is what a crash does.

use std::rc::Rc;

use domain::charge::{Charge, ReceiptState, Status};
use domain::exchange::Deal;
use domain::futures::{FuturesState, Promise};
use domain::ledger::AccountKey;
use domain::ledger::template::{ChargeCredit, Holds, primary_wallet, suspense};
use domain::money::Money;
use domain::withdrawal::{Amounts, WithdrawalState};
use time::OffsetDateTime;
use uuid::Uuid;

use super::books::merchant_id;
use super::money::Coin;

#[derive(Clone, Default)]
pub struct Rows {
    pub charges: Vec<Rc<ChargeRow>>,
    pub deposits: Vec<Rc<DepositRow>>,
    pub withdrawals: Vec<Rc<WithdrawalRow>>,
    pub promises: Vec<Rc<PromiseRow>>,
    pub trades: Vec<Rc<TradeRow>>,
    pub own_funds: Vec<Rc<OwnFundsRow>>,
    /// Keys of requests that were answered.
    pub keys: Rc<Vec<usize>>,
}

/// A receipt's place in the world; its facts are in the charge.
#[derive(Debug, Clone)]
pub struct ReceiptMeta {
    pub coin: Coin,
    pub tx: usize,
    pub required: u32,
    pub bookings: u32,
}

#[derive(Debug, Clone)]
pub struct ChargeRow {
    pub merchant: usize,
    pub key: usize,
    pub facts: Charge,
    pub receipts: Vec<ReceiptMeta>,
    pub fee_points: u32,
    pub accepts_late: bool,
    pub credit: Option<ChargeCredit>,
    pub times_paid: u32,
    pub needs_attention: bool,
    pub clock_ends_at: Option<OffsetDateTime>,
    /// When the rule was asked last, and how many receipts it was shown.
    pub judged_at: OffsetDateTime,
    pub judged_receipts: usize,
    /// Due, but our liquidity could not deliver it.
    pub withheld: bool,
    /// The withdrawal that sends money back, while it runs.
    pub refund: Option<usize>,
    pub history: Vec<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Open,
    Credited,
    Suspended,
    /// On its way back.
    SentBack,
}

#[derive(Debug, Clone)]
pub struct DepositRow {
    pub merchant: usize,
    pub converts: bool,
    pub amount: Money,
    pub tx: usize,
    pub required: u32,
    pub seen_at: OffsetDateTime,
    pub state: ReceiptState,
    pub bookings: u32,
    pub disposition: Disposition,
    /// What the wallet gained, and our fee out of it.
    pub credited: Option<(Money, Money)>,
}

impl DepositRow {
    pub fn coin(&self) -> Coin {
        Coin::of(self.amount.currency().id)
    }
}

#[derive(Debug, Clone)]
pub struct WithdrawalRow {
    pub merchant: usize,
    pub key: usize,
    /// A refund's charge, or the deposit that is sent back.
    pub refund_of: Option<RefundOf>,
    pub state: WithdrawalState,
    pub amounts: Amounts,
    pub holds: Holds,
    /// Which bytes were stored; each build makes new ones.
    pub bytes: Option<u32>,
    /// The charge of a refund knows that the network has it.
    pub told: bool,
    pub fee_bookings: i32,
    pub fee_stands: bool,
    pub was_approved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOf {
    Charge(usize),
    Deposit,
}

impl WithdrawalRow {
    pub fn payer(&self) -> AccountKey {
        let (merchant, id) = (merchant_id(self.merchant), self.amounts.held.currency().id);
        match self.refund_of {
            Some(_) => suspense(merchant, id),
            None => primary_wallet(merchant, id),
        }
    }

    pub fn coin(&self) -> Coin {
        Coin::of(self.amounts.sent.currency().id)
    }
}

#[derive(Debug, Clone)]
pub struct PromiseRow {
    pub merchant: usize,
    pub key: usize,
    pub deal: Deal,
    pub hold: Uuid,
    pub promise: Promise,
    pub state: FuturesState,
    pub deposit: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct TradeRow {
    pub merchant: usize,
    pub key: usize,
    pub deal: Deal,
}

/// Coins that the house put in, or took out.
#[derive(Debug, Clone)]
pub struct OwnFundsRow {
    pub key: usize,
    pub amount: Money,
    pub is_out: bool,
    /// How often they were booked.
    pub bookings: i32,
    pub is_booked: bool,
}
