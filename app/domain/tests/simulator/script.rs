//! What a seed says: a list of steps that names things by number, so that it still means something
//! when steps before it are taken away.

use std::fmt;

use crate::dice::Dice;
use crate::world::books::MERCHANTS;
use crate::world::money::Coin;

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

/// The same seed gives the same steps, whatever the rules are.
pub fn of_seed(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    (0..steps)
        .map(|_| {
            let fault = match dice.roll(20) {
                0 => Fault::Crash,
                1 => Fault::ReplyLost,
                _ => Fault::Nothing,
            };
            let command = command(&mut dice);
            Step { fault, command }
        })
        .collect()
}

fn merchant(dice: &mut Dice) -> u8 {
    dice.byte(u32::try_from(MERCHANTS).unwrap())
}

fn coin(dice: &mut Dice) -> Coin {
    dice.one_of(&[Coin::Btc, Coin::Btc, Coin::Usdt])
}

fn any(dice: &mut Dice) -> Coin {
    dice.one_of(&[Coin::Eur, Coin::Btc, Coin::Usdt])
}

fn command(dice: &mut Dice) -> Command {
    let which = dice.byte(24);
    match dice.roll(64) {
        0..=3 => Command::Order {
            merchant: merchant(dice),
            cents: dice.roll(200_000) + 1,
            late: dice.hits(2),
            tolerant: dice.hits(3),
        },
        4..=7 => Command::Pick {
            charge: which,
            coin: coin(dice),
        },
        8..=14 => Command::Pay {
            charge: which,
            part: dice.one_of(&[
                Part::Exact,
                Part::Exact,
                Part::Half,
                Part::TooMuch,
                Part::Dust,
            ]),
            coin: dice.hits(8).then(|| coin(dice)),
        },
        15 | 16 => Command::Requote { charge: which },
        17 => Command::Cancel { charge: which },
        18 => Command::Accept { charge: which },
        19 | 20 => Command::Refund { charge: which },
        21..=23 => Command::Deposit {
            merchant: merchant(dice),
            converts: dice.hits(2),
            coin: coin(dice),
            units: dice.roll(300_000) + 1,
        },
        24 => Command::Release { deposit: which },
        25 => Command::SendBack { deposit: which },
        26..=32 => Command::Mine {
            coin: coin(dice),
            blocks: dice.byte(3) + 1,
        },
        33 | 34 => Command::Reorg {
            coin: coin(dice),
            depth: dice.byte(6) + 1,
            lost: dice.hits(2).then(|| dice.byte(24)),
            waits: dice.hits(3),
        },
        35 => Command::Replace {
            coin: coin(dice),
            tx: which,
            pays: dice.hits(2),
        },
        36 => Command::Forget {
            coin: coin(dice),
            tx: which,
        },
        37 => Command::Follow { coin: coin(dice) },
        38 | 39 => Command::Rate {
            coin: coin(dice),
            percent: dice.roll(60) + 70,
        },
        40 | 41 => Command::Clock {
            seconds: dice.one_of(&[1, 30, 300, 900, 6_000, 90_000]),
        },
        42..=44 => Command::Withdraw {
            merchant: merchant(dice),
            from: any(dice),
            to: coin(dice),
            units: dice.roll(120_000) + 1,
        },
        45 => Command::Approve { withdrawal: which },
        46 => Command::Decline { withdrawal: which },
        47..=50 => Command::Send {
            withdrawal: which,
            reply: dice.one_of(&[
                Reply::Accepted,
                Reply::Accepted,
                Reply::Lost,
                Reply::Unreachable,
            ]),
        },
        51 | 52 => Command::EndReplaced {
            withdrawal: which,
            paid: dice.hits(2),
        },
        53 | 54 => Command::Exchange {
            merchant: merchant(dice),
            from: any(dice),
            to: any(dice),
            units: dice.roll(120_000) + 1,
            buys: dice.hits(2),
        },
        55 => Command::Promise {
            merchant: merchant(dice),
            cents: dice.roll(100_000) + 1,
        },
        56 | 57 => Command::Meet {
            promise: which,
            more: dice.one_of(&[0, 0, 0, 1]),
        },
        58 => Command::Limit {
            merchant: merchant(dice),
            cents: dice.roll(100_000),
        },
        59 => Command::Fee {
            points: dice.roll(300),
        },
        60 => {
            if dice.hits(2) {
                Command::OwnFunds {
                    coin: coin(dice),
                    units: dice.roll(100_000) + 1,
                    is_out: dice.hits(3),
                }
            } else {
                Command::TurnOwnFunds { own: which }
            }
        }
        _ => Command::Deliver {
            answer: dice.one_of(&[
                Answer::Good,
                Answer::Good,
                Answer::Fails,
                Answer::Hangs { read: false },
                Answer::Hangs { read: true },
                Answer::GoodThenCrash,
            ]),
        },
    }
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
