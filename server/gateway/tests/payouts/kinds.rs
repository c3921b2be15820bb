//! Accounts of nested and of legacy addresses, with a signer of their own and with people.

use bitcoin::Psbt;
use gateway::payouts::SignerSetting;
use signing::key::SigningKey;
use signing::policy::Policy;
use signing::psbt::{Complete, Returned, complete};
use signing::spent::Spent;
use signing::{Account, ScriptKind};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::STRANGERS;
use crate::signer::Place;
use crate::till::{COIN, GENEROUS, Till, read};

const BY: &str = "admin@demo.example";

/// The seed of `abandon` eleven times and `about`, without a passphrase.
const SEED: &str = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
                    9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4";

fn key(kind: ScriptKind) -> SigningKey {
    SigningKey::parse(SEED, signing::chain("bitcoin").unwrap(), kind, 0).unwrap()
}

fn account(kind: ScriptKind) -> Account {
    key(kind).account().clone()
}

/// What a person with the key makes of a file.
fn sign(kind: ScriptKind, file: &[u8]) -> Complete {
    let expected = Psbt::deserialize(file).unwrap();
    let policy = Policy::parse(GENEROUS).unwrap();
    let now = OffsetDateTime::now_utc();
    let signed = signing::signer::sign(
        expected.clone(),
        &key(kind),
        &policy,
        &Spent::default(),
        now,
    );
    let signed = Box::new(signed.unwrap().psbt);
    complete(&expected, Returned::Psbt(signed)).unwrap()
}

async fn pays_twice(pool: &PgPool, kind: ScriptKind) {
    let place = Place::new();
    let till = Till::of(pool, place.setting(), &account(kind), &[COIN / 2, COIN / 4]).await;
    let running = place.start_for(kind, SEED, GENEROUS).await;
    till.ask("0.4", "1", STRANGERS[0]).await;
    till.ask("0.3", "2", STRANGERS[1]).await;
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    let first = till.txs().await.pop().unwrap();
    let raw = read(first.raw.as_deref().unwrap());
    assert_eq!(raw.input.len(), 2);
    assert_eq!(raw.compute_txid().to_string(), first.txid);
    till.net.set_rate(Some(9_000));
    let gateway = &till.world.gateway;
    gateway.bump_payout(first.payout_id, BY).await.unwrap();
    till.work().await;
    assert_eq!(till.states().await, ["replaced", "broadcast"]);
    till.mine(1).await;
    assert_eq!(till.states().await, ["replaced", "confirmed"]);
    assert_eq!(till.withdrawals().await, ["settled", "settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), 40_000_000);
    assert_eq!(till.net.received(STRANGERS[1]), 30_000_000);
    till.audit().await;
    // Change is of the same kind, and pays the next one.
    till.ask("0.04", "3", STRANGERS[2]).await;
    till.work_later().await;
    till.mine(1).await;
    assert_eq!(till.net.received(STRANGERS[2]), 4_000_000);
    till.audit().await;
    let mails = till.mails().await;
    assert!(
        !mails.iter().any(|mail| mail.starts_with("Coins of ours")),
        "{mails:?}"
    );
    running.abort();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_of_nested_addresses_pays(pool: PgPool) {
    pays_twice(&pool, ScriptKind::P2shP2wpkh).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_account_of_legacy_addresses_pays(pool: PgPool) {
    pays_twice(&pool, ScriptKind::P2pkh).await;
}

/// With legacy addresses the id is not known before; it is known by what it spends and pays.
async fn is_known_when_sent_past_us(pool: &PgPool, kind: ScriptKind) {
    let coins = [COIN / 2, COIN / 2];
    let till = Till::of(pool, SignerSetting::ByHand, &account(kind), &coins).await;
    till.ask("0.7", "1", STRANGERS[0]).await;
    till.work().await;
    let draft = till.txs().await.pop().unwrap();
    let gateway = &till.world.gateway;
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let complete = sign(kind, &file.bytes);
    let id = complete.txid.to_string();
    assert_eq!(id == draft.txid, kind.is_segwit());
    till.net.mine_raw(&[complete.raw]);
    till.sync().await;
    assert_eq!(till.states().await, ["confirmed"]);
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.txs().await.pop().unwrap().txid, id);
    let mails = till.mails().await;
    assert!(
        !mails.iter().any(|mail| mail.starts_with("Coins of ours")),
        "{mails:?}"
    );
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_nested_transaction_sent_past_us_settles(pool: PgPool) {
    is_known_when_sent_past_us(&pool, ScriptKind::P2shP2wpkh).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_legacy_transaction_sent_past_us_settles(pool: PgPool) {
    is_known_when_sent_past_us(&pool, ScriptKind::P2pkh).await;
}

/// A coin of a legacy account is never spent without the transaction that made it, not even alone.
#[sqlx::test(migrations = "../../migrations")]
async fn a_legacy_coin_that_nobody_can_prove_is_left(pool: PgPool) {
    let account = account(ScriptKind::P2pkh);
    let till = Till::of(&pool, SignerSetting::ByHand, &account, &[COIN / 4]).await;
    let other = till.fund("other", COIN).await;
    till.net.withhold(other);
    till.mine(3).await;
    till.ask("0.2", "1", STRANGERS[0]).await;
    till.ask("0.5", "2", STRANGERS[1]).await;
    till.work().await;
    let draft = till.txs().await.pop().unwrap();
    let gateway = &till.world.gateway;
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let psbt = Psbt::deserialize(&file.bytes).unwrap();
    assert_eq!(psbt.unsigned_tx.input.len(), 1);
    assert_ne!(psbt.unsigned_tx.input[0].previous_output.txid, other);
    let riders: Vec<bool> =
        sqlx::query_scalar("SELECT payout_id IS NOT NULL FROM withdrawals ORDER BY operation_id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(riders, [true, false]);
}
