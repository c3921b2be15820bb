//! What a seed says: steps that name things by number, so that a step still means something when
//! steps before it are taken away.

use std::fmt;

use crate::dice::Dice;
use crate::faults::{Cut, Fault, Place, Row};
use crate::outages::Who;
use crate::receiver::Answer;
use crate::world::MERCHANTS;

pub const COINS: [&str; 3] = ["BTC", "LTC", "ETH"];

/// How much of what is due a payer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Exact,
    Half,
    TooMuch,
}

/// Merchants are numbered from 0; amounts are cents or ten-thousandths of a coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Order {
        merchant: usize,
        cents: u32,
        told: bool,
    },
    Invoice {
        merchant: usize,
        cents: u32,
        timer: bool,
    },
    Pick {
        charge: u32,
        coin: &'static str,
    },
    Pay {
        charge: u32,
        part: Part,
    },
    Requote {
        charge: u32,
    },
    Cancel {
        charge: u32,
    },
    Accept {
        charge: u32,
    },
    Refund {
        charge: u32,
    },
    Deposit {
        merchant: usize,
        coin: &'static str,
        converts: bool,
        parts: u32,
    },
    Release {
        deposit: u32,
    },
    SendBack {
        deposit: u32,
    },
    Mine {
        coin: &'static str,
        blocks: u32,
    },
    Reorg {
        coin: &'static str,
        depth: u32,
        lost: Option<u32>,
    },
    /// Another transaction spends the same coins: to the same address, or to nobody of ours.
    Replace {
        coin: &'static str,
        tx: u32,
        pays: bool,
    },
    Forget {
        coin: &'static str,
        tx: u32,
    },
    Announce {
        coin: &'static str,
        tx: u32,
    },
    Rate {
        coin: &'static str,
        euros: u32,
    },
    Clock {
        seconds: i64,
    },
    Withdraw {
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    },
    Approve {
        withdrawal: u32,
    },
    Decline {
        withdrawal: u32,
    },
    EndReplaced {
        withdrawal: u32,
        paid: bool,
    },
    Exchange {
        merchant: usize,
        from: &'static str,
        to: &'static str,
        parts: u32,
    },
    Promise {
        merchant: usize,
        cents: u32,
    },
    Meet {
        promise: u32,
    },
    Limit {
        merchant: usize,
        whole: u32,
    },
    Fee {
        coin: &'static str,
        percent: u32,
    },
    Key {
        merchant: usize,
        revoke: bool,
    },
    Receiver {
        answer: Answer,
    },
    /// The house sends itself bitcoin.
    OwnCoins {
        parts: u32,
    },
    /// Somebody makes the books say what the chain says of one of those.
    BookOwn {
        tx: u32,
    },
    /// The house takes one of those away again, past this instance.
    TakeOwn {
        tx: u32,
    },
    /// The same as booking, for what was taken away.
    BookOut {
        tx: u32,
    },
    /// Somebody is away from now on, or back.
    Away {
        who: Who,
        is_away: bool,
    },
    Deliver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<C = Command> {
    pub command: C,
    pub fault: Option<Fault>,
    /// Whoever asked hears nothing and asks again with the same reference.
    pub again: bool,
    /// Done by another process, whose clock has not been moved as far.
    pub behind: bool,
}

impl<C: fmt::Debug> fmt::Display for Step<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.command)?;
        if let Some(fault) = self.fault {
            write!(f, ", {fault}")?;
        }
        if self.again {
            write!(f, ", asked again")?;
        }
        if self.behind {
            write!(f, ", where the clock is behind")?;
        }
        Ok(())
    }
}

/// The steps as lines, numbered from 1.
pub fn lines<C: fmt::Debug>(script: &[Step<C>]) -> String {
    script
        .iter()
        .enumerate()
        .map(|(index, step)| format!("{:4}  {step}\n", index + 1))
        .collect()
}

/// The same seed gives the same steps.
pub fn of_seed(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    (0..steps)
        .map(|_| {
            let command = command(&mut dice);
            let fault = dice.hits(5).then(|| fault(&mut dice));
            let again = dice.hits(12);
            // It moves no clock, and is told of no fee.
            let stays = matches!(command, Command::Clock { .. } | Command::Fee { .. });
            let behind = dice.hits(8) && !stays;
            Step {
                command,
                fault,
                again,
                behind,
            }
        })
        .collect()
}

/// Whatever may break in a step.
pub fn fault(dice: &mut Dice) -> Fault {
    let (place, most) = match dice.roll(4) {
        0 => (Place::Commit, 4),
        1 => (Place::Question, 60),
        _ => {
            return Fault::Row(Row {
                write: dice.roll(30) + 1,
                kills: dice.hits(3),
            });
        }
    };
    Fault::Cut(Cut {
        place,
        number: dice.roll(most) + 1,
        heard: dice.hits(2),
    })
}

/// The first one most often: it has something to spend from the start.
fn merchant(dice: &mut Dice) -> usize {
    if dice.hits(2) {
        return 0;
    }
    let others = u32::try_from(MERCHANTS - 1).unwrap();
    usize::try_from(dice.roll(others)).unwrap() + 1
}

fn command(dice: &mut Dice) -> Command {
    let which = dice.roll(1_000);
    let coin = dice.one_of(&COINS);
    let any = ["EUR", "BTC", "LTC", "ETH"];
    match dice.roll(68) {
        0..=4 => Command::Order {
            merchant: merchant(dice),
            cents: dice.roll(90_000) + 100,
            told: dice.hits(2),
        },
        5 => Command::Invoice {
            merchant: merchant(dice),
            cents: dice.roll(90_000) + 100,
            timer: dice.hits(2),
        },
        6..=9 => Command::Pick {
            charge: which,
            coin,
        },
        10..=16 => Command::Pay {
            charge: which,
            part: dice.one_of(&[Part::Exact, Part::Exact, Part::Half, Part::TooMuch]),
        },
        17 | 18 => Command::Requote { charge: which },
        19 => Command::Cancel { charge: which },
        20 => Command::Accept { charge: which },
        21 | 22 => Command::Refund { charge: which },
        23..=25 => Command::Deposit {
            merchant: merchant(dice),
            coin,
            converts: dice.hits(2),
            parts: dice.roll(2_000) + 1,
        },
        26 => Command::Release { deposit: which },
        27 => Command::SendBack { deposit: which },
        28..=33 => Command::Mine {
            coin,
            blocks: dice.roll(3) + 1,
        },
        34 | 35 => Command::Reorg {
            coin,
            depth: dice.roll(6) + 1,
            lost: dice.hits(2).then(|| dice.roll(8)),
        },
        36 => Command::Replace {
            coin,
            tx: which,
            pays: dice.hits(2),
        },
        37 => Command::Forget { coin, tx: which },
        38 => Command::Announce { coin, tx: which },
        39 => Command::Rate {
            coin,
            euros: dice.roll(60_000) + 1_000,
        },
        40 | 41 => Command::Clock {
            seconds: dice.one_of(&[1, 30, 300, 900, 6_001, 90_000]),
        },
        42..=45 => Command::Withdraw {
            merchant: merchant(dice),
            from: dice.one_of(&any),
            to: coin,
            parts: dice.roll(3_000) + 1,
        },
        46 => Command::Approve { withdrawal: which },
        47 => Command::Decline { withdrawal: which },
        48 => Command::EndReplaced {
            withdrawal: which,
            paid: dice.hits(2),
        },
        49 | 50 => Command::Exchange {
            merchant: merchant(dice),
            from: dice.one_of(&any),
            to: dice.one_of(&any),
            parts: dice.roll(3_000) + 1,
        },
        51 => Command::Promise {
            merchant: merchant(dice),
            cents: dice.roll(50_000) + 500,
        },
        52 => Command::Meet { promise: which },
        53 => Command::Limit {
            merchant: merchant(dice),
            whole: dice.roll(3),
        },
        54 => Command::Fee {
            coin,
            percent: dice.roll(4),
        },
        55 => Command::Key {
            merchant: merchant(dice),
            revoke: dice.hits(2),
        },
        56 | 57 => Command::Receiver {
            answer: dice.one_of(&Answer::ALL),
        },
        58 => Command::OwnCoins {
            parts: dice.roll(2_000) + 1,
        },
        59 | 60 => Command::BookOwn { tx: which },
        61 => Command::TakeOwn { tx: which },
        62 => Command::BookOut { tx: which },
        63 | 64 => Command::Away {
            who: dice.one_of(&[Who::Signer, Who::Network]),
            is_away: dice.hits(2),
        },
        _ => Command::Deliver,
    }
}
