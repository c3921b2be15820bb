//! What a seed says: a list of steps that names things by number, so that it still means something
//! when steps before it are taken away.

mod drawing;

use std::fmt;

use crate::world::money::Coin;
pub use drawing::of_seed;

/// What goes wrong while a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// The process dies before its first commit; nothing of the step is done again by itself.
    Crash,
    /// It is done, but whoever asked hears nothing and asks again with the same key.
    ReplyLost,
}

/// How much of what is due a payer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Exact,
    Half,
    TooMuch,
    Dust,
}

/// What the network says about a transaction that is given to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Accepted,
    /// It took the transaction, and we do not hear so.
    Lost,
    /// It heard nothing.
    Unreachable,
}

/// What a receiver of webhooks does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Good,
    /// It says 500 and keeps nothing.
    Fails,
    /// It hangs, having read the event or not; we cut it off.
    Hangs {
        read: bool,
    },
    /// It has the event, and we die before that is written down.
    GoodThenCrash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Order {
        merchant: u8,
        cents: u32,
        late: bool,
        tolerant: bool,
    },
    Pick {
        charge: u8,
        coin: Coin,
    },
    Pay {
        charge: u8,
        part: Part,
        coin: Option<Coin>,
    },
    Requote {
        charge: u8,
    },
    Cancel {
        charge: u8,
    },
    Accept {
        charge: u8,
    },
    Refund {
        charge: u8,
    },
    Deposit {
        merchant: u8,
        converts: bool,
        coin: Coin,
        units: u32,
    },
    Release {
        deposit: u8,
    },
    SendBack {
        deposit: u8,
    },
    Mine {
        coin: Coin,
        blocks: u8,
    },
    Reorg {
        coin: Coin,
        depth: u8,
        lost: Option<u8>,
        waits: bool,
    },
    Replace {
        coin: Coin,
        tx: u8,
        pays: bool,
    },
    Forget {
        coin: Coin,
        tx: u8,
    },
    Follow {
        coin: Coin,
    },
    Rate {
        coin: Coin,
        percent: u32,
    },
    Clock {
        seconds: u32,
    },
    Withdraw {
        merchant: u8,
        from: Coin,
        to: Coin,
        units: u32,
    },
    Approve {
        withdrawal: u8,
    },
    Decline {
        withdrawal: u8,
    },
    Send {
        withdrawal: u8,
        reply: Reply,
    },
    EndReplaced {
        withdrawal: u8,
        paid: bool,
    },
    Exchange {
        merchant: u8,
        from: Coin,
        to: Coin,
        units: u32,
        buys: bool,
    },
    Promise {
        merchant: u8,
        cents: u32,
    },
    Meet {
        promise: u8,
        more: u8,
    },
    Limit {
        merchant: u8,
        cents: u32,
    },
    Fee {
        points: u32,
    },
    OwnFunds {
        coin: Coin,
        units: u32,
        /// Taken out, and not put in.
        is_out: bool,
    },
    /// They are gone, or there again.
    TurnOwnFunds {
        own: u8,
    },
    Deliver {
        answer: Answer,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub fault: Fault,
    pub command: Command,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Nothing => "",
            Fault::Crash => "crash during ",
            Fault::ReplyLost => "reply lost, again: ",
        };
        write!(f, "{fault}{:?}", self.command)
    }
}

/// The steps as lines, numbered from 1.
pub fn lines(script: &[Step]) -> String {
    script
        .iter()
        .enumerate()
        .map(|(index, step)| format!("{:4}  {step}\n", index + 1))
        .collect()
}

impl Step {
    /// Steps that say less, to be tried in its place; each is smaller by some measure, so trying ends.
    pub fn simpler(self) -> Vec<Self> {
        let mut simpler = Vec::new();
        if self.fault != Fault::Nothing {
            simpler.push(Self {
                fault: Fault::Nothing,
                ..self
            });
        }
        let mut smaller = self;
        if let Some(amount) = smaller.command.amount() {
            for less in [*amount / 1_000 * 1_000, *amount / 2, 100, 1] {
                let mut next = self;
                if let Some(amount) = next.command.amount()
                    && 0 < less
                    && less < *amount
                {
                    *amount = less;
                    simpler.push(next);
                }
            }
        }
        simpler
    }
}

impl Command {
    fn amount(&mut self) -> Option<&mut u32> {
        match self {
            Self::Order { cents, .. } | Self::Promise { cents, .. } => Some(cents),
            Self::Deposit { units, .. }
            | Self::Withdraw { units, .. }
            | Self::Exchange { units, .. }
            | Self::OwnFunds { units, .. } => Some(units),
            Self::Clock { seconds } => Some(seconds),
            _ => None,
        }
    }
}
