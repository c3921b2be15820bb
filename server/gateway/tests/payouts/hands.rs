//! Signatures made by people, with what they download and upload.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bitcoin::Psbt;
use gateway::Error;
use gateway::payouts::SignerSetting;
use sqlx::PgPool;

use crate::STRANGERS;
use crate::support::operations::blamed;
use crate::till::{COIN, Till, rules};

const BY: &str = "admin@demo.example";

async fn drafted(pool: &PgPool) -> Till {
    let till = Till::with(pool, SignerSetting::ByHand, rules(), &[COIN, COIN]).await;
    till.ask("0.1", "1", STRANGERS[0]).await;
    till.work().await;
    till
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_person_signs_and_the_rest_goes_by_itself(pool: PgPool) {
    let till = drafted(&pool).await;
    assert_eq!(till.states().await, ["drafted"]);
    assert_eq!(till.withdrawals().await, ["queued"]);
    assert!(
        till.mails()
            .await
            .iter()
            .any(|subject| subject.ends_with("waits for a signature"))
    );
    let gateway = &till.world.gateway;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    assert!(file.name.ends_with(".psbt"));
    let signed = till.sign(&file.bytes).await;
    // Wallets give it back in several forms.
    let text = STANDARD.encode(signed).into_bytes();
    gateway.upload_psbt(draft.id, &text, BY).await.unwrap();
    assert_eq!(till.withdrawals().await, ["built"]);
    till.work().await;
    till.mine(1).await;
    assert_eq!(till.states().await, ["confirmed"]);
    assert_eq!(till.withdrawals().await, ["settled"]);
    let who: Vec<(String, String)> = sqlx::query_as(
        "SELECT action, actor FROM audit_log WHERE action LIKE 'payout.%' ORDER BY id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let expected = [("payout.download", BY), ("payout.sign", BY)];
    assert_eq!(
        who,
        expected.map(|(action, by)| (action.to_owned(), by.to_owned()))
    );
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_the_signed_transaction_is_refused(pool: PgPool) {
    let till = drafted(&pool).await;
    till.ask("0.2", "2", STRANGERS[1]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    let drafts = till.txs().await;
    let [first, second] = drafts.as_slice() else {
        panic!("{drafts:?}");
    };
    let file = gateway.download_psbt(first.id, BY).await.unwrap();
    let other = gateway.download_psbt(second.id, BY).await.unwrap();
    let signed = till.sign(&file.bytes).await;
    let mut broken = Psbt::deserialize(&signed).unwrap();
    for input in &mut broken.inputs {
        for signature in input.partial_sigs.values_mut() {
            signature.sighash_type = bitcoin::EcdsaSighashType::None;
        }
    }
    for (what, wrong) in [
        ("unsigned", file.bytes.clone()),
        ("of another payout", till.sign(&other.bytes).await),
        ("no PSBT", b"hello".to_vec()),
        ("nothing", Vec::new()),
        ("a signature of something else", broken.serialize()),
    ] {
        let error = gateway.upload_psbt(first.id, &wrong, BY).await.unwrap_err();
        assert_eq!(blamed(&error).0, "psbt", "{what}: {error}");
    }
    assert_eq!(till.states().await, ["drafted", "drafted"]);
    gateway.upload_psbt(first.id, &signed, BY).await.unwrap();
    // Once.
    let again = gateway.upload_psbt(first.id, &signed, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let again = gateway.download_psbt(first.id, BY).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    assert!(matches!(
        gateway.download_psbt(404, BY).await,
        Err(Error::NotFound)
    ));
    till.audit_books().await;
}

/// Wallets can broadcast, too, and people do not always come back first.
#[sqlx::test(migrations = "../../migrations")]
async fn a_transaction_sent_past_us_settles_all_the_same(pool: PgPool) {
    let till = drafted(&pool).await;
    let draft = till.txs().await.pop().unwrap();
    let file = till
        .world
        .gateway
        .download_psbt(draft.id, BY)
        .await
        .unwrap();
    let signed = Psbt::deserialize(&till.sign(&file.bytes).await).unwrap();
    let complete = signing::psbt::complete(
        &Psbt::deserialize(&file.bytes).unwrap(),
        signing::psbt::Returned::Psbt(Box::new(signed)),
    )
    .unwrap();
    till.net.mine_raw(&[complete.raw]);
    till.sync().await;
    assert_eq!(till.states().await, ["confirmed"]);
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.miners().await, i128::from(draft.fee));
    till.audit().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_uploads_at_once_store_one(pool: PgPool) {
    let till = drafted(&pool).await;
    let gateway = &till.world.gateway;
    let draft = till.txs().await.pop().unwrap();
    let file = gateway.download_psbt(draft.id, BY).await.unwrap();
    let signed = till.sign(&file.bytes).await;
    let (one, other) = tokio::join!(
        gateway.upload_psbt(draft.id, &signed, "a"),
        gateway.upload_psbt(draft.id, &signed, "b"),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    till.work().await;
    till.mine(1).await;
    till.audit().await;
}
