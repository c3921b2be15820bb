//! A chain as it really is. What we know of it is in the rows of the gateway, and may lag behind.

use domain::charge::Position;

/// Whose an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Charge(usize),
    /// A deposit address of a merchant.
    Address {
        merchant: usize,
        converts: bool,
    },
    /// A payment of ours to a stranger.
    Outgoing(usize),
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Mempool,
    /// Height of its block.
    Block(i64),
    /// Replaced, double-spent or forgotten; never comes back.
    Gone,
}

#[derive(Debug, Clone, Copy)]
pub struct Tx {
    pub owner: Owner,
    /// Ledger units.
    pub units: i128,
    pub place: Place,
    /// Which stored bytes it is, of our own ones.
    pub bytes: Option<u32>,
}

#[derive(Debug, Clone, Default)]
pub struct Chain {
    pub txs: Vec<Tx>,
    pub height: i64,
}

impl Chain {
    pub fn pay(&mut self, owner: Owner, units: i128) {
        self.txs.push(Tx {
            owner,
            units,
            place: Place::Mempool,
            bytes: None,
        });
    }

    /// The same bytes again are nothing new.
    pub fn broadcast(&mut self, withdrawal: usize, bytes: u32, units: i128) {
        let owner = Owner::Outgoing(withdrawal);
        let is_known = self
            .txs
            .iter()
            .any(|tx| tx.owner == owner && tx.bytes == Some(bytes));
        if !is_known {
            self.pay(owner, units);
            if let Some(tx) = self.txs.last_mut() {
                tx.bytes = Some(bytes);
            }
        }
    }

    pub fn mine(&mut self, blocks: u8) {
        for tx in &mut self.txs {
            if tx.place == Place::Mempool {
                tx.place = Place::Block(self.height + 1);
            }
        }
        self.height += i64::from(blocks);
    }

    /// Takes the last blocks away; answers those transactions that were in them.
    pub fn disconnect(&mut self, depth: u8) -> Vec<usize> {
        self.height = (self.height - i64::from(depth)).max(0);
        let height = self.height;
        let mut replaced = Vec::new();
        for (index, tx) in self.txs.iter_mut().enumerate() {
            if matches!(tx.place, Place::Block(at) if at > height) {
                tx.place = Place::Mempool;
                replaced.push(index);
            }
        }
        replaced
    }

    /// New blocks for those taken away, with what was in them, or without it, so that it waits.
    /// `lost` never comes back.
    pub fn connect(&mut self, blocks: u8, replaced: &[usize], lost: Option<usize>, waits: bool) {
        for index in replaced {
            self.txs[*index].place = match (lost == Some(*index), waits) {
                (true, _) => Place::Gone,
                (false, true) => Place::Mempool,
                (false, false) => Place::Block(self.height + 1),
            };
        }
        self.height += i64::from(blocks);
    }

    pub fn waiting(&self) -> Vec<usize> {
        (0..self.txs.len())
            .filter(|index| self.txs[*index].place == Place::Mempool)
            .collect()
    }

    pub fn position(&self, tx: usize, required: u32, at_tip: bool) -> Position {
        let (confirmed, confirmations) = match self.txs[tx].place {
            Place::Block(at) => (true, u32::try_from(self.height - at + 1).unwrap_or(0)),
            Place::Mempool | Place::Gone => (false, 0),
        };
        Position {
            confirmed,
            gone: self.txs[tx].place == Place::Gone,
            confirmations,
            required,
            at_tip,
        }
    }

    pub fn outgoing(&self, withdrawal: usize) -> impl Iterator<Item = (usize, &Tx)> {
        self.txs
            .iter()
            .enumerate()
            .filter(move |(_, tx)| tx.owner == Owner::Outgoing(withdrawal))
    }
}
