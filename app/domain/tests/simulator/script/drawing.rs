//! How a seed becomes steps: what is done how often, and with which figures.

use super::{Answer, Command, Fault, Part, Reply, Step};
use crate::dice::Dice;
use crate::world::books::MERCHANTS;
use crate::world::money::Coin;

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
