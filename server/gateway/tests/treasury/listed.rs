//! What the operator's page of payments shows and does.

use domain::view::treasury::TreasuryFilter;
use gateway::Error;
use serde_json::Value;
use signing::evm::signer::{sign_anything, sign_anything_as};
use signing::evm::{DepositKey, Keys, Role};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::hands::read;
use crate::net::Net;
use crate::till::{DEEP, Till};

const BY: &str = "admin";

fn only(state: &str, kind: &str) -> TreasuryFilter {
    TreasuryFilter {
        state: state.to_owned(),
        kind: kind.to_owned(),
        ..TreasuryFilter::default()
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_list_tells_what_is_paid_what_waits_and_why(pool: PgPool) {
    let till = Till::with(&pool, "by-hand").await;
    let gateway = &till.world.gateway;
    let empty = gateway
        .treasury_view(TreasuryFilter::default(), None)
        .await
        .unwrap();
    assert!(empty.never_used);
    assert_eq!(empty.chains, ["ETH", "USDT"]);
    // The account has 20.
    let first = till.ask("9", "ETH", "1", STRANGERS[0]).await;
    till.ask("9", "ETH", "2", STRANGERS[0]).await;
    let last = till.ask("9", "ETH", "3", STRANGERS[0]).await;
    till.work().await;
    let view = gateway
        .treasury_view(TreasuryFilter::default(), None)
        .await
        .unwrap();
    let [account] = view.accounts.as_slice() else {
        panic!("{:?}", view.accounts);
    };
    assert_eq!((account.next_nonce, account.pays), (Some(2), true));
    let coins: Vec<&str> = account
        .balances
        .iter()
        .map(|balance| balance.code.as_str())
        .collect();
    assert_eq!(coins, ["ETH", "USDT"]);
    let [waiting] = view.waiting.as_slice() else {
        panic!("{:?}", view.waiting);
    };
    assert_eq!(waiting.operation_id, last);
    let why = waiting.why.as_deref().unwrap();
    assert!(why.starts_with("waiting for funds"), "{why}");
    // The newest in front.
    let [newest, row] = view.rows.as_slice() else {
        panic!("{:?}", view.rows);
    };
    assert_eq!(row.withdrawal, Some((first, till.world.merchant)));
    assert_eq!((row.kind.as_str(), row.nonce), ("Withdrawal", 0));
    assert_eq!(row.state.word, "unsigned");
    assert!(row.waits_for_signature && !row.is_fee_final);
    for (filter, rows) in [
        (only("drafted", "withdrawal"), 2),
        (only("paid", ""), 0),
        (only("", "sweep"), 0),
        (only("\0'; --", "%"), 0),
    ] {
        let view = gateway.treasury_view(filter.clone(), None).await.unwrap();
        assert_eq!(view.rows.len(), rows, "{filter:?}");
        assert!(!view.never_used);
        let file = gateway.export_treasury(&filter, None).await.unwrap();
        assert_eq!(file.rows.len(), rows);
    }
    let one = gateway.treasury_payment_view(row.id).await.unwrap();
    assert!(one.by_hand && !one.can_bump);
    assert_eq!(one.txs.len(), 1);
    let unknown = gateway.treasury_payment_view(newest.id + 1).await;
    assert!(matches!(unknown, Err(Error::NotFound)), "{unknown:?}");
    // What the merchant reads names neither account nor amounts.
    let said = till.errors().await;
    assert_eq!(
        said,
        ["it waits until there are coins on the chain to pay it with"]
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_sweep_is_signed_by_people_with_the_key_of_its_deposit(pool: PgPool) {
    let till = Till::sweeping(&pool, Net::start().await, "by-hand", "10").await;
    let till = Till::filled(till).await;
    till.work_later().await;
    let gateway = &till.world.gateway;
    let view = gateway
        .treasury_view(only("drafted", "sweep"), None)
        .await
        .unwrap();
    let [row] = view.rows.as_slice() else {
        panic!("{:?}", view.rows);
    };
    let payment = row.id;
    let subject = format!("Sweep {payment} waits for a signature");
    assert!(till.mails().await.contains(&subject));
    let file = gateway.unsigned_payment(payment, BY).await.unwrap();
    assert_eq!(file.name, format!("sweep-{payment}.json"));
    let plan = read(&file.text);
    let json: Value = serde_json::from_str(&file.text).unwrap();
    assert_eq!(json["from"], row.from.as_str());
    let part = |name: &str| u32::try_from(json["deposit"][name].as_u64().unwrap()).unwrap();
    let role = Role::Sweep(DepositKey {
        account: part("account"),
        index: part("index"),
    });
    // The account that pays has another key.
    let wrong = hex::encode(sign_anything(&plan, &till.key().await).unwrap().0);
    for wrong in [wrong.as_str(), "", "0x", &"ab".repeat(20_000)] {
        let refused = gateway.signed_payment(payment, wrong, BY).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert!(gateway.treasury_waits_for_signature(payment).await.unwrap());
    let keys = Keys::parse(&till.seed().await, 0).unwrap();
    let (raw, _) = sign_anything_as(role, &plan, &keys).unwrap();
    let text = format!("0x{}\n", hex::encode(raw));
    gateway.signed_payment(payment, &text, BY).await.unwrap();
    assert!(!gateway.treasury_waits_for_signature(payment).await.unwrap());
    till.work().await;
    let one = gateway.treasury_payment_view(payment).await.unwrap();
    assert!(one.can_bump);
    till.mine(DEEP).await;
    let paid = gateway
        .treasury_view(only("paid", "sweep"), None)
        .await
        .unwrap();
    assert_eq!(paid.rows.len(), 1);
    assert!(paid.rows[0].is_fee_final);
    let log = till
        .texts("SELECT action FROM audit_log WHERE subject LIKE 'treasury:%' ORDER BY id")
        .await;
    assert_eq!(log, ["treasury.download", "treasury.sign"]);
    till.audit().await;
}
