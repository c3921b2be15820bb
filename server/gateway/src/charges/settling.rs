//! From receipts to what charges are now: those of a block are read together, decided in memory one after
//! the other in the order of their ids, and written together.
//!
//! Invariant: deciding reads nothing. Whatever a decision may need was read before the first of them, on
//! charges that are locked; so the number of statements does not grow with the number of charges.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::charge::{Came, Event, Flags, Status};
use domain::ledger::template::ChargeCredit;
use domain::money::{Currency, CurrencyId};

use super::changes::Changes;
use super::claim_mail::{tell_customer, tell_operator};
use super::late_money::{late_credit, late_pair};
use super::mids::{Mids, Pairs};
use super::receipt_steps::{Lost, follow_chain, value_at_sight, value_pair};
use super::receipt_store::ChainPosition;
use super::row::{ChargeRow, ReceiptRow};
use super::{Collection, claim_store, method_store, store, transition};
use crate::ledger::Unit;
use crate::{Error, Gateway, Result};

/// Charges that are read, decided and written at a time. Below that, a statement costs less by looks into
/// the index than by reading a table, however large the table is.
pub(super) const PART: usize = 500;

/// Who acts when the chain does.
const CHAIN: &str = "chain";

/// Brings receipts of these charges in line with the chain tables and lets the lifecycle decide on each.
///
/// All are locked in id order before anything about them is read.
pub(super) async fn settle_charges(
    gateway: &Gateway,
    unit: &mut Unit,
    ids: &BTreeSet<i64>,
    lost: Lost,
) -> Result<()> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    for part in ids.chunks(PART) {
        store::lock_ids(unit.conn(), part).await?;
    }
    for part in ids.chunks(PART) {
        settle_part(gateway, unit, part, lost).await?;
    }
    Ok(())
}

async fn settle_part(gateway: &Gateway, unit: &mut Unit, ids: &[i64], lost: Lost) -> Result<()> {
    let (mut charges, positions) = read_charges(gateway, unit, ids).await?;
    let facts = Facts::read(gateway, unit, &charges, positions).await?;
    let changes = {
        let mut settling = Settling {
            unit: &mut *unit,
            facts,
            lost,
            changes: Changes::default(),
        };
        for charge in &mut charges {
            settling.settle(charge)?;
        }
        settling.changes
    };
    changes.write(unit).await?;
    // After the claims of what was paid are closed. Few payments are out of the ordinary.
    for charge in &charges {
        let (row, receipts) = (&charge.row, &charge.receipts);
        tell_customer(gateway, unit, charge.before, row, receipts).await?;
        tell_operator(unit, charge.before.1, row).await?;
    }
    Ok(())
}

/// A charge with its receipts, and what it was when it was read.
struct Loaded {
    row: ChargeRow,
    receipts: Vec<ReceiptRow>,
    before: (Status, Flags),
}

/// Where the transactions of receipts are, by receipt.
type Positions = HashMap<i64, ChainPosition>;

async fn read_charges(
    gateway: &Gateway,
    unit: &mut Unit,
    ids: &[i64],
) -> Result<(Vec<Loaded>, Positions)> {
    let currencies = gateway.currencies();
    let rows = store::find_by_ids(unit.conn(), currencies, ids).await?;
    let mut receipts: HashMap<i64, Vec<ReceiptRow>> = HashMap::with_capacity(rows.len());
    let mut positions = Positions::with_capacity(rows.len());
    for (charge_id, receipt, position) in
        store::receipts_on_chain(unit.conn(), currencies, ids).await?
    {
        // What came over no chain has no place in one.
        if !receipt.is_internal() {
            positions.insert(receipt.id, position);
        }
        receipts.entry(charge_id).or_default().push(receipt);
    }
    let mut charges = Vec::with_capacity(rows.len());
    for mut row in rows {
        let before = (row.status, row.flags);
        let receipts = receipts.remove(&row.id).unwrap_or_default();
        restore_picked_coin(gateway, unit, &mut row, &receipts).await?;
        charges.push(Loaded {
            row,
            receipts,
            before,
        });
    }
    Ok((charges, positions))
}

/// A payer who picked one coin, then another, and pays the first while its rate still holds, pays.
async fn restore_picked_coin(
    gateway: &Gateway,
    unit: &mut Unit,
    row: &mut ChargeRow,
    receipts: &[ReceiptRow],
) -> Result<()> {
    let Some(terms) = &row.terms else {
        return Ok(());
    };
    let live = |receipt: &&ReceiptRow| receipt.state.is_live();
    let current = receipts
        .iter()
        .filter(live)
        .any(|receipt| receipt.coin.id == terms.coin.id);
    let other = receipts
        .iter()
        .filter(live)
        .find(|receipt| receipt.coin.id != terms.coin.id);
    let (Status::Pending, false, Some(other)) = (row.status, current, other) else {
        return Ok(());
    };
    let Some(method) = method_store::find_method(unit.conn(), row.id, other.coin).await? else {
        return Ok(());
    };
    // Only at the address that was shown for that coin, and while its rate was fixed.
    if other.first_seen_at >= method.release_at || other.address != method.address {
        return Ok(());
    }
    // What went back, or is on its way, is not there to pay with.
    if claim_store::refund_started(unit.conn(), row.id, other.coin.id).await? {
        return Ok(());
    }
    method_store::restore_method(unit.conn(), row.id, other.coin).await?;
    *row = store::find(unit.conn(), gateway.currencies(), &row.public_id).await?;
    Ok(())
}

/// What decisions may need beside the charges themselves.
struct Facts {
    mids: Mids,
    /// What our liquidity has left; a currency that is missing delivers as much as is asked for.
    liquidity: HashMap<CurrencyId, i128>,
    /// Charges of which a person has decided to send money back.
    refunds: HashSet<i64>,
    positions: Positions,
}

impl Facts {
    async fn read(
        gateway: &Gateway,
        unit: &mut Unit,
        charges: &[Loaded],
        positions: Positions,
    ) -> Result<Self> {
        let mut pairs = Pairs::new();
        let mut delivered = BTreeSet::new();
        let mut tolerant = Vec::new();
        for Loaded { row, receipts, .. } in charges {
            pairs.extend(receipts.iter().filter_map(|each| value_pair(row, each)));
            pairs.extend(late_pair(row, receipts));
            let currency = row.amount.currency();
            if row
                .terms
                .as_ref()
                .is_some_and(|terms| terms.coin.id != currency.id)
            {
                delivered.insert(currency.id);
            }
            if row.late_policy_accepts {
                tolerant.push(row.id);
            }
        }
        let now = unit.now();
        Ok(Self {
            mids: Mids::read(gateway, unit.conn(), &pairs, now).await?,
            liquidity: unit.liquidity_left(&delivered).await?,
            refunds: claim_store::refunds_decided(unit.conn(), &tolerant).await?,
            positions,
        })
    }

    fn left(&self, currency: Currency) -> Option<i128> {
        self.liquidity.get(&currency.id).copied()
    }
}

/// Decides on one charge after the other.
struct Settling<'u> {
    unit: &'u mut Unit,
    facts: Facts,
    lost: Lost,
    changes: Changes,
}

impl Settling<'_> {
    fn settle(&mut self, charge: &mut Loaded) -> Result<()> {
        let Loaded {
            row,
            receipts,
            before,
        } = charge;
        let arrived = receipts.iter().any(|receipt| receipt.value.is_none());
        let became_final = self.follow_receipts(row, receipts)?;
        self.act(row, receipts, &Event::ReceiptsChanged, None, CHAIN)?;
        // A change of status has told of it already; after the clock nothing is collected any more.
        let is_untold = row.status == before.0
            && matches!(row.status, Status::Pending | Status::Processing)
            && row.collection == Collection::GoodUntilExpired;
        if arrived && is_untold && row.invoice.is_some() {
            let event = transition::event_named(row, receipts, "charge.receipt");
            self.unit.emit(event);
        }
        // Late money is judged once, at the rate of the moment the last of it became final.
        if became_final {
            self.accept_late_money(row, receipts)?;
        }
        Ok(())
    }

    /// Values what is new and follows the chain; true when one became final.
    fn follow_receipts(&mut self, row: &ChargeRow, receipts: &mut [ReceiptRow]) -> Result<bool> {
        let asked = row.terms.as_ref().map(|terms| terms.coin.id);
        let mut became_final = false;
        let mut came = Came::default();
        for receipt in receipts {
            let is_new = receipt.value.is_none();
            if is_new {
                value_at_sight(row, came, receipt, &self.facts.mids, &mut self.changes)?;
            }
            let state = receipt.state;
            if let Some(position) = self.facts.positions.get(&receipt.id) {
                let (unit, changes) = (&mut *self.unit, &mut self.changes);
                became_final |= follow_chain(unit, row, receipt, position, self.lost, changes);
            }
            if is_new || receipt.state != state {
                self.changes.receipt(receipt);
            }
            if receipt.state.is_live() && Some(receipt.coin.id) == asked {
                came = came.and(receipt.amount, receipt.value.unwrap_or(0));
            }
        }
        Ok(became_final)
    }

    fn accept_late_money(&mut self, row: &mut ChargeRow, receipts: &[ReceiptRow]) -> Result<()> {
        let decided = self.facts.refunds.contains(&row.id);
        let Some(credit) = late_credit(row, receipts, decided, &self.facts.mids)? else {
            return Ok(());
        };
        let event = Event::LateAccepted {
            consumed: credit.consumed.units(),
        };
        match self.act(row, receipts, &event, Some(credit), "late policy") {
            // It stays in the inbox, where a person accepts it when we can deliver again.
            Err(Error::QuoteUnavailable { .. }) => Ok(()),
            done => done,
        }
    }

    /// One event, as [`transition::transition`] does it, with what was read before.
    fn act(
        &mut self,
        row: &mut ChargeRow,
        receipts: &[ReceiptRow],
        event: &Event,
        credit: Option<ChargeCredit>,
        actor: &str,
    ) -> Result<()> {
        let decision = transition::decide(row, receipts, event, credit, self.unit.now())?;
        let can_deliver = match decision.delivers() {
            Some(amount) => self
                .unit
                .take_from(self.facts.left(amount.currency()), amount),
            None => true,
        };
        transition::stage(
            self.unit,
            row,
            receipts,
            decision,
            can_deliver,
            actor,
            &mut self.changes,
        )
    }
}
