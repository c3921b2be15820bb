//! Entries whose booking is measured: one fact each, of no business.

use domain::ledger::{AccountKey, EntryKind, JournalEntry, Leg, Movement};
use uuid::Uuid;

use super::{MERCHANT, Workbench};

/// Ledger units that each of them moves.
const AMOUNT: i128 = 1_000;

impl Workbench {
    /// One posting from a wallet to another one.
    pub fn transfer(&self, debit: u32, credit: u32) -> JournalEntry {
        entry(Movement::Post, self.wallet(debit), self.wallet(credit))
    }

    /// Money of a wallet is reserved for the house's bank; with the posting's id.
    pub fn hold(&self, wallet: u32) -> (JournalEntry, Uuid) {
        let entry = entry(Movement::Hold, self.wallet(wallet), self.bank());
        let hold = entry.legs.first().map_or(entry.id, |leg| leg.id);
        (entry, hold)
    }

    /// Pays out what was reserved.
    pub fn settle(&self, wallet: u32, hold: Uuid) -> JournalEntry {
        let movement = Movement::Settle { hold, held: AMOUNT };
        entry(movement, self.wallet(wallet), self.bank())
    }
}

fn entry(movement: Movement, debit: AccountKey, credit: AccountKey) -> JournalEntry {
    let id = Uuid::now_v7();
    JournalEntry {
        id,
        merchant: MERCHANT,
        kind: EntryKind::TestFunding,
        subject: "bench".to_owned(),
        dedupe: id.to_string(),
        legs: vec![Leg {
            id: Uuid::now_v7(),
            movement,
            debit,
            credit,
            amount: AMOUNT,
            label: "bench",
        }],
    }
}
