//! What a signer refuses keeps nobody waiting: its number goes to the next, none is left out, and nobody is paid
//! twice.

use gateway::withdrawals::ReplacedOutcome;
use sqlx::PgPool;
use tokio::net::UnixListener;

use crate::STRANGERS;
use crate::net::{CHAIN_ID, ETHER, Net, contract};
use crate::signer::Place;
use crate::till::{DEEP, Till};

const STEPS: u32 = 40;

/// At most `payment` gwei at once, and `day` gwei a day.
fn policy(payment: u64, day: u64) -> String {
    let contract = contract();
    format!(
        r#"{{"chain_id": {CHAIN_ID},
            "ether": {{"payment_max_gwei": {payment}, "daily_max_gwei": {day}}},
            "tokens": [{{"contract": "{contract}", "payment_max_units": 30000000,
                         "daily_max_units": 600000000}}],
            "fee_max_gwei": 60000000}}"#
    )
}

async fn moves(till: &Till) -> Vec<String> {
    till.texts(
        "SELECT purpose || ' ' || coalesce(outcome, 'open') FROM treasury_payments ORDER BY id",
    )
    .await
}

/// Mails about gas for sweeps.
async fn told(till: &Till) -> usize {
    let mails = till.mails().await;
    let of_gas = mails
        .iter()
        .filter(|mail| mail.starts_with("Gas transfer ") && mail.ends_with("needs a person"));
    of_gas.count()
}

async fn numbers(till: &Till) -> Vec<i64> {
    sqlx::query_scalar(
        "SELECT nonce FROM treasury_payments WHERE outcome IS DISTINCT FROM 'released' ORDER BY nonce",
    )
    .fetch_all(&till.pool)
    .await
    .unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_refused_is_paid_later_or_called_off(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    place
        .start(&till.seed().await, &policy(2_000_000_000, 50_000_000_000))
        .await;
    let first = till.ask("3", "ETH", "1", STRANGERS[0]).await;
    till.ask("1", "ETH", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["queued", "broadcast"]);
    assert_eq!(numbers(&till).await, [0]);
    // Again, however often: a number is taken and given back each time, and one mail tells of it.
    for _ in 0..3 {
        till.due().await;
        till.work().await;
    }
    assert_eq!(numbers(&till).await, [0]);
    let mails = till.mails().await;
    let told = mails.iter().filter(|mail| mail.ends_with("needs a person"));
    assert_eq!(told.count(), 1);
    till.audit().await;
    till.world
        .gateway
        .end_replaced(first, ReplacedOutcome::NotPaid, "too much", "admin")
        .await
        .unwrap();
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["void", "settled"]);
    assert!(till.net.received(STRANGERS[0]).is_empty());
    till.audit().await;
}

/// The day has room for one of the two.
#[sqlx::test(migrations = "../../migrations")]
async fn what_the_day_has_no_room_for_lets_others_pass(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    place
        .start(&till.seed().await, &policy(3_000_000_000, 4_000_000_000))
        .await;
    till.ask("2.5", "ETH", "1", STRANGERS[0]).await;
    till.ask("2.6", "ETH", "2", STRANGERS[0]).await;
    till.ask("1", "ETH", "3", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(
        till.withdrawals().await,
        ["broadcast", "queued", "broadcast"]
    );
    assert_eq!(numbers(&till).await, [0, 1]);
    till.mine(DEEP).await;
    assert_eq!(till.net.received(STRANGERS[1]), [ETHER]);
    till.audit().await;
}

/// Whoever may have a signature keeps the number, whatever is said later.
#[sqlx::test(migrations = "../../migrations")]
async fn an_answer_that_was_lost_keeps_the_number(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    let listener = UnixListener::bind(place.socket()).unwrap();
    let deaf = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    till.ask("3", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    assert_eq!(till.states().await, ["drafted"]);
    deaf.abort();
    assert!(deaf.await.unwrap_err().is_cancelled());
    place
        .start(&till.seed().await, &policy(2_000_000_000, 50_000_000_000))
        .await;
    till.ask("1", "ETH", "2", STRANGERS[1]).await;
    till.work_later().await;
    assert_eq!(till.states().await, ["drafted"]);
    let why = till.txs().await.remove(0).last_error.unwrap();
    assert!(why.contains("at most 2000000000 may go at once"), "{why}");
    assert_eq!(till.withdrawals().await, ["queued", "queued"]);
    till.audit().await;
}

/// With a limit of nothing for ether, no token's gas is paid: said once, however many deposits wait for it.
#[sqlx::test(migrations = "../../migrations")]
async fn a_move_that_the_signer_refuses_is_told_of_once(pool: PgPool) {
    let place = Place::new();
    let till = Till::sweeping(&pool, Net::start().await, &place.socket(), "10").await;
    let till = Till::filled(till).await;
    let second = till.world.address("USDT", None, "second").await;
    till.net.pay_token(&second, 4_000_000_000);
    till.mine(DEEP).await;
    place
        .start(&till.seed().await, &policy(0, 50_000_000_000))
        .await;
    till.work_later().await;
    till.mine(DEEP).await;
    assert_eq!(moves(&till).await, ["sweep paid"]);
    assert_eq!(told(&till).await, 0);
    till.work_later().await;
    let refused = ["sweep paid", "gas released", "gas released"];
    assert_eq!(moves(&till).await, refused);
    assert_eq!(told(&till).await, 1);
    // They rest.
    till.work_later().await;
    assert_eq!(moves(&till).await, refused);
    assert_eq!(told(&till).await, 1);
    assert_eq!(numbers(&till).await, [0]);
    till.audit().await;
}

/// Two processes that ask for one signature may hear different things: one gives the number back, the other has a
/// signature with it.
#[sqlx::test(migrations = "../../migrations")]
async fn what_is_being_signed_is_leased(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, &place.socket()).await;
    let listener = UnixListener::bind(place.socket()).unwrap();
    till.ask("1", "ETH", "1", STRANGERS[0]).await;
    let gateway = till.world.gateway.clone();
    let working = tokio::spawn(async move { gateway.advance(0).await });
    let (asking, _) = listener.accept().await.unwrap();
    let leased = till
        .texts("SELECT (locked_until > clock_timestamp())::text FROM treasury_txs")
        .await;
    assert_eq!(leased, ["true"]);
    drop(asking);
    drop(listener);
    working.await.unwrap().unwrap();
    assert_eq!(till.states().await, ["drafted"]);
}

/// Somebody who took the file may sign it yet.
#[sqlx::test(migrations = "../../migrations")]
async fn a_file_that_was_taken_keeps_its_number(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, "by-hand").await;
    let id = till.ask("3", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    till.world
        .gateway
        .unsigned_transaction(id, "admin")
        .await
        .unwrap();
    till.due().await;
    let till = Till::on(&pool, till.net, &place.socket()).await;
    place
        .start(&till.seed().await, &policy(2_000_000_000, 50_000_000_000))
        .await;
    till.work_later().await;
    assert_eq!(till.states().await, ["drafted"]);
    assert_eq!(numbers(&till).await, [0]);
}

/// Planned by hand, and refused by the signer that came later: those behind move up.
#[sqlx::test(migrations = "../../migrations")]
async fn those_behind_a_refused_one_move_up(pool: PgPool) {
    let place = Place::new();
    let till = Till::with(&pool, "by-hand").await;
    for (amount, reference) in [("3", "1"), ("1", "2"), ("1.5", "3")] {
        till.ask(amount, "ETH", reference, STRANGERS[0]).await;
    }
    till.work().await;
    assert_eq!(numbers(&till).await, [0, 1, 2]);
    till.due().await;
    let till = Till::on(&pool, till.net, &place.socket()).await;
    place
        .start(&till.seed().await, &policy(2_000_000_000, 50_000_000_000))
        .await;
    for _ in 0..3 {
        till.due().await;
        till.work().await;
    }
    assert_eq!(
        till.withdrawals().await,
        ["queued", "broadcast", "broadcast"]
    );
    assert_eq!(numbers(&till).await, [0, 1]);
    till.mine(DEEP).await;
    let mut received = till.net.received(STRANGERS[0]);
    received.sort_unstable();
    assert_eq!(received, [ETHER, 3 * ETHER / 2]);
    till.audit().await;
}

/// The number it gave back was used by the next payment, for good. That says nothing of the number it has now.
#[sqlx::test(migrations = "../../migrations")]
async fn what_became_of_a_number_given_back_ends_nothing(pool: PgPool) {
    let strict = Place::new();
    let till = Till::with(&pool, &strict.socket()).await;
    strict
        .start(&till.seed().await, &policy(2_000_000_000, 50_000_000_000))
        .await;
    let id = till.ask("3", "ETH", "1", STRANGERS[0]).await;
    till.ask("1", "ETH", "2", STRANGERS[1]).await;
    till.work().await;
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["queued", "settled"]);
    assert_eq!(numbers(&till).await, [0]);
    till.due().await;
    let lenient = Place::new();
    let till = Till::on(&pool, till.net, &lenient.socket()).await;
    lenient
        .start(&till.seed().await, &policy(5_000_000_000, 50_000_000_000))
        .await;
    till.work().await;
    assert_eq!(till.withdrawals().await, ["broadcast", "settled"]);
    assert_eq!(numbers(&till).await, [0, 1]);
    // As deep as a payment has to be, and less deep than an end has to be.
    till.net.use_elsewhere(1);
    till.mine(6).await;
    assert_eq!(
        till.errors().await,
        ["another transaction of the account that pays has taken its number"]
    );
    let gateway = &till.world.gateway;
    let early = gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", "admin")
        .await;
    assert!(
        matches!(early, Err(gateway::Error::Conflict(_))),
        "{early:?}"
    );
    assert_eq!(till.withdrawals().await, ["broadcast", "settled"]);
    till.mine(2).await;
    gateway
        .end_replaced(id, ReplacedOutcome::NotPaid, "looked", "admin")
        .await
        .unwrap();
    assert_eq!(till.withdrawals().await, ["void", "settled"]);
    assert!(till.net.received(STRANGERS[0]).is_empty());
    till.world.audit().await;
}

/// `TREASURY_SEED` takes another seed.
#[sqlx::test(migrations = "../../migrations")]
async fn numbers_have_no_gaps_whatever_is_refused(pool: PgPool) {
    let seed = std::env::var("TREASURY_SEED").map_or(38, |text| text.parse::<u64>().unwrap());
    eprintln!("TREASURY_SEED={seed}");
    let mut dice = crate::random::Dice(seed);
    let place = Place::new();
    let mut till = Till::with(&pool, &place.socket()).await;
    place
        .start(&till.seed().await, &policy(20_000_000, 50_000_000_000))
        .await;
    let mut allowed = Vec::new();
    for step in 1..=STEPS {
        match dice.roll(6) {
            // Each amount once: hundredths of an ether, of which one is let out.
            0 | 1 => {
                let hundredths = dice.roll(4) + 1;
                let text = format!("0.{hundredths:02}{step:04}");
                till.ask(&text, "ETH", &step.to_string(), STRANGERS[0])
                    .await;
                let wei =
                    (u128::from(hundredths) * 10_000 + u128::from(step)) * (ETHER / 1_000_000);
                if hundredths == 1 {
                    allowed.push(wei);
                }
            }
            2 => till.mine(1).await,
            3 => till.due().await,
            4 => till = till.restarted().await,
            _ => till.work_later().await,
        }
        till.world.audit().await;
    }
    for _ in 0..6 {
        till.due().await;
        till.work_later().await;
        till.mine(DEEP).await;
    }
    let mut received = till.net.received(STRANGERS[0]);
    received.sort_unstable();
    allowed.sort_unstable();
    assert_eq!(received, allowed);
    let paid = i64::try_from(received.len()).unwrap();
    assert_eq!(numbers(&till).await, (0..paid).collect::<Vec<i64>>());
    till.audit().await;
}
