//! Cases of time: a server whose clock is wrong, and an instance whose clock is moved in the middle of
//! everything.

use std::time::{Duration as Wait, Instant};

use futures::future::join_all;
use serde_json::Value;
use sqlx::PgPool;
use time::{Duration, UtcDateTime};

use crate::cases::SOME;
use crate::crowd::{Ack, CLIENTS, Log, Mix, PATIENCE, PAUSE, try_until_there_is};
use crate::field::{Bases, Field};
use crate::offers::{CHARGE_SECONDS, PRICE_SECONDS, PROMISE_SECONDS, database_now};
use crate::oracle::{self, Faults};
use crate::programs::Server;
use crate::report::Outcome;
use crate::shop::{Kind, Said, Shop, Wish};
use crate::wrong_clock::{Lie, WrongClock};

/// Promises, charges and prices each whose end comes at once.
const OFFERS: usize = 8;

/// Promises whose deposits come while there is much time left.
const KEPT: usize = 2;

/// What is left to them when everybody comes, seconds.
const NEARLY_OVER_SECONDS: i64 = 5;

const HOUR_SECONDS: i64 = 3_600;

/// Whatever was calculated less than this ago stands still: somewhat less than a price does.
const STANDS_SURELY: Wait = Wait::from_secs(50);

/// How often something is offered to a server that may have been asked too late. When it was too late each time,
/// that counts as refused in time: nothing was proved.
const OFFERED_MAX: usize = 5;

/// What is asked for one by one, beside the crowd.
struct Asked {
    shop: Shop,
    log: Log,
    /// Prices that were calculated for it so far.
    offers: usize,
    untimely: usize,
}

impl Asked {
    fn nothing_yet(shop: &Shop) -> Self {
        Self {
            shop: shop.clone(),
            log: Log::default(),
            offers: 0,
            untimely: 0,
        }
    }

    /// The server does it, or refuses it because it is over.
    async fn at(&mut self, base: &str, wish: Wish) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let asked = Instant::now();
            match self.shop.ask(base, &wish).await {
                Said::Done(body) => {
                    let took = asked.elapsed();
                    self.log.acks.push(Ack {
                        wish,
                        body,
                        txid: None,
                        took,
                    });
                    return true;
                }
                Said::Refused => {
                    self.log.refused.push(wish);
                    return false;
                }
                Said::Later(..) | Said::Unknown => tokio::time::sleep(PAUSE).await,
            }
        }
        panic!("{wish:?} gets no answer");
    }

    /// What is offered at this price is over.
    async fn has_to_be_over(&mut self, base: &str, wish: Wish) {
        if self.at(base, wish).await {
            self.untimely += 1;
        }
    }

    /// An exchange at a price that this server calculates now.
    async fn offer(&mut self, base: &str, key: String) -> Wish {
        let number = self.offers;
        self.offers += 1;
        self.shop.offer(base, key, number).await
    }

    /// What one server offers stands at the other one. A refusal that comes when it may have been over proves
    /// nothing, so another offer is asked for then.
    async fn has_to_stand(&mut self, at: &str, elsewhere: &str, key: &str) {
        for attempt in 0..OFFERED_MAX {
            let since = Instant::now();
            let wish = self.offer(at, format!("{key}-{attempt}")).await;
            if self.at(elsewhere, wish).await {
                return;
            }
            if since.elapsed() < STANDS_SURELY {
                break;
            }
        }
        self.untimely += 1;
    }

    /// What came of all that was asked for here.
    async fn faults(self, pool: &PgPool) -> Faults {
        let mut faults = oracle::requests(pool, &self.log).await;
        faults.untimely += self.untimely;
        faults
    }
}

/// One of two servers has another time of day than the database. Both decide alike.
pub async fn wrong_clock(field: &mut Field) -> Result<Outcome, &'static str> {
    let Some(clock) = WrongClock::make() else {
        return Err("needs Linux");
    };
    let right = Server::start(&field.cluster.url, &[]);
    let wrong = Server::start(&field.cluster.url, &clock.settings());
    let (tag, bases) = (field.tag(), [&right, &wrong].map(|one| one.base.clone()));
    let crowd = field.crowd_at(Bases::of(bases.to_vec()));
    let pool = field.cluster.pool().await;
    let mut recovery = Wait::ZERO;
    let mut asked = Asked::nothing_yet(&field.shop);
    for lie in Lie::ALL {
        crowd.more(SOME / 2).await;
        let since = Instant::now();
        clock.tell(lie);
        recovery = recovery.max(crowd.recovery(since).await);
        if lie == Lie::HourAhead {
            let ahead = field.shop.time_of_day(&wrong.base).await - UtcDateTime::now();
            assert!(ahead > Duration::minutes(50), "its clock is right: {ahead}");
        }
        let (shop, looking, liar) = (&field.shop, &pool, &wrong.base);
        let (before, said, after) = try_until_there_is(|_| async move {
            let before = database_now(looking).await;
            let said = shop.try_now(liar).await?;
            Some((before, said, database_now(looking).await))
        })
        .await;
        // It says whole seconds.
        if said < before - Duration::seconds(2) || said > after + Duration::seconds(1) {
            asked.untimely += 1;
        }
        let key = |what: &str| format!("{tag}-{lie:?}-{what}");
        let (right, wrong) = (&right.base, &wrong.base);
        asked.has_to_stand(right, wrong, &key("stands")).await;
        asked.has_to_stand(wrong, right, &key("stands too")).await;
        let wish = asked.offer(right, key("is over")).await;
        field.shop.advance(right, PRICE_SECONDS + 1).await;
        field.shop.look_at_clock(wrong).await;
        asked.has_to_be_over(wrong, wish).await;
    }
    crowd.more(SOME / 2).await;
    let faults = asked.faults(&pool).await;
    pool.close().await;
    let mut outcome = field.end(crowd, recovery).await;
    outcome.faults += faults;
    drop(wrong);
    Ok(outcome)
}

/// What is about to end at one and the same time.
struct Ending {
    prices: Vec<Wish>,
    /// What is to be sent for promises and charges.
    dues: Vec<Value>,
}

impl Ending {
    /// The longest one first, and the clock is moved in between.
    async fn make(asked: &mut Asked, tag: &str, base: &str) -> Self {
        let shop = asked.shop.clone();
        let mut dues = Vec::new();
        for number in 0..OFFERS {
            let key = format!("{tag}-promise-{number}");
            dues.push(shop.promise(base, &key).await);
        }
        shop.advance(base, PROMISE_SECONDS - CHARGE_SECONDS).await;
        for number in 0..OFFERS {
            let order = shop.order(format!("{tag}-charge-{number}"), Kind::Order);
            assert!(asked.at(base, order).await);
            let made = &asked.log.acks.last().unwrap().body;
            dues.push(shop.pick_until_answered(base, made).await);
        }
        shop.advance(base, CHARGE_SECONDS - PRICE_SECONDS).await;
        let mut prices = Vec::new();
        for number in 0..OFFERS {
            let key = format!("{tag}-price-{number}");
            prices.push(shop.offer(base, key, number).await);
        }
        shop.advance(base, PRICE_SECONDS - NEARLY_OVER_SECONDS)
            .await;
        Self { prices, dues }
    }
}

/// Promises that are paid for at once, by the callers' names for their addresses.
async fn promises_in_time(shop: &Shop, tag: &str, base: &str) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..KEPT {
        let name = format!("{tag}-kept-{number}");
        let due = shop.promise(base, &name).await;
        shop.send_until_answered(base, &due).await;
        names.push(name);
    }
    names
}

/// An hour passes while everybody pays and exchanges what is about to end: what was in time is done, what
/// was not is refused, and nothing is both.
pub async fn clock_moved(field: &mut Field) -> Outcome {
    let servers = [(); 2].map(|()| Server::start(&field.cluster.url, &[]));
    let [here, there] = [&servers[0].base, &servers[1].base];
    let tag = field.tag();
    let bases = Bases::of(vec![here.clone(), there.clone()]);
    let crowd = field.crowd_of(bases, Mix::Exchanges, CLIENTS);
    crowd.more(SOME).await;
    let shop = field.shop.clone();
    let mut asked = Asked::nothing_yet(&field.shop);
    let in_time = promises_in_time(&shop, &tag, here).await;
    let Ending { mut prices, dues } = Ending::make(&mut asked, &tag, here).await;
    let late = prices.split_off(OFFERS / 2);
    let since = Instant::now();
    // Half of them in the very moment.
    let exchanges = async {
        for (number, wish) in prices.into_iter().enumerate() {
            let base = if number % 2 == 0 { here } else { there };
            asked.at(base, wish).await;
        }
    };
    let (even, odd): (Vec<_>, Vec<_>) = dues.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let paid = even
        .iter()
        .map(|(_, due)| shop.send_until_answered(there, due));
    let payments = join_all(paid);
    let moved = shop.advance(here, HOUR_SECONDS);
    tokio::join!(exchanges, payments, moved);
    // And half when it is over, at the server that did not move it, too.
    shop.look_at_clock(there).await;
    for (number, wish) in late.into_iter().enumerate() {
        let base = if number % 2 == 0 { there } else { here };
        asked.has_to_be_over(base, wish).await;
    }
    let paid_late = odd
        .iter()
        .map(|(_, due)| shop.send_until_answered(there, due));
    join_all(paid_late).await;
    let recovery = crowd.recovery(since).await;
    crowd.more(SOME).await;
    let pool = field.cluster.pool().await;
    asked.untimely += KEPT.abs_diff(oracle::promises_kept(&pool, &in_time).await);
    let faults = asked.faults(&pool).await;
    pool.close().await;
    let mut outcome = field.end(crowd, recovery).await;
    outcome.faults += faults;
    drop(servers);
    outcome
}
