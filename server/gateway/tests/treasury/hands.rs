//! Transactions that people sign.

use serde_json::Value;
use signing::evm::signer::sign_anything;
use signing::evm::{Account, Transaction};
use sqlx::PgPool;

use crate::STRANGERS;
use crate::net::ETHER;
use crate::till::{DEEP, Till};

fn number(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

/// What a wallet makes of the file.
pub fn read(text: &str) -> Transaction {
    let file: Value = serde_json::from_str(text).unwrap();
    let data = file["data"].as_str().unwrap().strip_prefix("0x").unwrap();
    let plan = Transaction {
        chain_id: file["chainId"].as_u64().unwrap(),
        nonce: file["nonce"].as_u64().unwrap(),
        gas_limit: file["gasLimit"].as_u64().unwrap(),
        max_fee_per_gas: number(&file["maxFeePerGas"]),
        max_priority_fee_per_gas: number(&file["maxPriorityFeePerGas"]),
        to: file["to"].as_str().unwrap().parse().unwrap(),
        value: number(&file["value"]),
        data: hex::decode(data).unwrap(),
    };
    let unsigned = format!("0x{}", hex::encode(plan.unsigned()));
    assert_eq!(file["unsigned"], unsigned);
    plan
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_comes_back_signed_is_taken_if_it_is_what_was_planned(pool: PgPool) {
    let till = Till::with(&pool, "by-hand").await;
    let id = till.ask("1", "ETH", "1", STRANGERS[0]).await;
    till.work().await;
    let gateway = &till.world.gateway;
    let file = gateway.unsigned_transaction(id, "admin").await.unwrap();
    assert_eq!(file.name, format!("withdrawal-{id}.json"));
    let plan = read(&file.text);
    let key = till.key().await;
    let sign = |plan: &Transaction| hex::encode(sign_anything(plan, &key).unwrap().0);
    let dearer = Transaction {
        value: plan.value + 1,
        ..plan.clone()
    };
    let elsewhere = Transaction {
        to: Account([9; 20]),
        ..plan.clone()
    };
    let later = Transaction {
        nonce: plan.nonce + 1,
        ..plan.clone()
    };
    let other_chain = Transaction {
        chain_id: 1,
        ..plan.clone()
    };
    for wrong in [
        sign(&dearer),
        sign(&elsewhere),
        sign(&later),
        sign(&other_chain),
        hex::encode(plan.unsigned()),
        "no".to_owned(),
    ] {
        let refused = gateway.signed_transaction(id, &wrong, "admin").await;
        assert!(
            matches!(refused, Err(gateway::Error::Invalid(_))),
            "{refused:?}"
        );
        assert_eq!(till.states().await, ["drafted"]);
    }
    let right = format!("0x{}\n", sign(&plan));
    gateway
        .signed_transaction(id, &right, "admin")
        .await
        .unwrap();
    let twice = gateway.signed_transaction(id, &right, "admin").await;
    assert!(
        matches!(twice, Err(gateway::Error::Conflict(_))),
        "{twice:?}"
    );
    till.work().await;
    assert_eq!(till.states().await, ["broadcast"]);
    till.mine(DEEP).await;
    assert_eq!(till.withdrawals().await, ["settled"]);
    assert_eq!(till.net.received(STRANGERS[0]), [ETHER]);
    till.audit().await;
}
