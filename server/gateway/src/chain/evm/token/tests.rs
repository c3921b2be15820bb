use serde_json::{Value, json};

use super::*;

const SENDER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const RECEIVER: &str = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const RECEIVER_TEXT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const CONTRACT: &str = "0xdac17f958d2ee523a2206206994597c13d831ec7";
const OTHER: &str = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const TRANSFER_CALL: &str = "0xa9059cbb00";

fn hash(digit: &str) -> String {
    format!("0x{}", digit.repeat(64))
}

fn padded(account: &str) -> String {
    format!("0x{}{}", "0".repeat(24), &account[2..])
}

fn tx(digit: &str, to: &str, input: &str) -> Value {
    json!({
        "hash": hash(digit), "from": SENDER, "to": to, "nonce": "0x5", "value": "0x0",
        "input": input, "blockHash": hash("b"),
    })
}

fn log(digit: &str, index: u32, units: u32) -> Value {
    json!({
        "address": CONTRACT, "topics": [TRANSFER_TOPIC, padded(SENDER), padded(RECEIVER)],
        "data": format!("0x{units:064x}"), "blockHash": hash("b"),
        "transactionHash": hash(digit), "logIndex": format!("{index:#x}"), "removed": false,
    })
}

fn with(mut log: Value, field: &str, value: Value) -> Value {
    log[field] = value;
    log
}

fn read(transactions: &[Value], logs: &[Value]) -> Result<Vec<ChainTx>, String> {
    let block = json!({
        "hash": hash("b"), "number": "0x7", "parentHash": hash("a"), "timestamp": "0x1",
        "transactions": transactions,
    });
    let block: Block = serde_json::from_value(block).unwrap();
    let logs: Vec<Log> = serde_json::from_value(json!(logs)).unwrap();
    txs(
        &block,
        &logs,
        Account::try_from(CONTRACT.to_owned()).unwrap(),
    )
}

/// `vout` and units of what the only transaction pays.
fn paid(logs: &[Value]) -> Vec<(i32, u128)> {
    let txs = read(&[tx("1", OTHER, "0x")], logs).unwrap();
    txs[0]
        .outputs
        .iter()
        .map(|output| (output.vout, output.raw))
        .collect()
}

#[test]
fn a_transfer_pays_its_receiver_token_units() {
    let txs = read(&[tx("1", CONTRACT, TRANSFER_CALL)], &[log("1", 9, 1_500)]).unwrap();
    assert_eq!(
        txs[0].outputs,
        [ChainOutput {
            vout: 0,
            address: RECEIVER_TEXT.to_owned(),
            raw: 1_500,
        }]
    );
}

#[test]
fn several_transfers_count_within_their_transaction() {
    let first = paid(&[log("1", 7, 10), log("1", 9, 20)]);
    assert_eq!(first, [(0, 10), (1, 20)]);
    // The same transaction later in another block, its logs in another order.
    assert_eq!(paid(&[log("1", 44, 20), log("1", 40, 10)]), first);
}

#[test]
fn other_contracts_events_and_removed_logs_pay_nothing() {
    let approval = hash("8");
    let topics = json!([TRANSFER_TOPIC, padded(SENDER), padded(RECEIVER), hash("0")]);
    let others = [
        with(log("1", 1, 5), "address", json!(OTHER)),
        with(log("1", 2, 5), "removed", json!(true)),
        with(log("1", 3, 5), "topics", topics),
        with(
            log("1", 4, 5),
            "topics",
            json!([approval, padded(SENDER), padded(RECEIVER)]),
        ),
        with(log("1", 5, 5), "data", json!("0x")),
        log("1", 6, 5),
    ];
    assert_eq!(paid(&others), [(0, 5)]);
}

#[test]
fn a_receiver_that_is_no_account_keeps_its_place() {
    let topics = json!([TRANSFER_TOPIC, padded(SENDER), hash("f")]);
    let logs = [with(log("1", 1, 5), "topics", topics), log("1", 2, 6)];
    assert_eq!(paid(&logs), [(1, 6)]);
}

#[test]
fn more_than_the_type_holds_is_its_maximum() {
    let data = json!(format!("0x{}", "f".repeat(64)));
    assert_eq!(
        paid(&[with(log("1", 1, 0), "data", data)]),
        [(0, u128::MAX)]
    );
}

#[test]
fn a_transfer_without_a_log_has_failed() {
    let sent = [
        tx("1", CONTRACT, TRANSFER_CALL),
        tx("2", CONTRACT, "0x095ea7b3"),
    ];
    let txs = read(&sent, &[]).unwrap();
    assert_ne!(txs[0].txid, hash("1"));
    assert!(txs[0].outputs.is_empty());
    assert_eq!(
        txs[0].inputs[0].txid,
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266:5"
    );
    // Another call of the contract moves nothing and is as it should be.
    assert_eq!(txs[1].txid, hash("2"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let sent = [tx("1", CONTRACT, TRANSFER_CALL)];
    assert!(read(&sent, &[log("2", 1, 5)]).is_err());
    assert!(
        read(
            &sent,
            &[with(log("1", 1, 5), "blockHash", json!(hash("c")))]
        )
        .is_err()
    );
    assert!(read(&sent, &[log("1", 1, 5), log("1", 1, 6)]).is_err());
}
