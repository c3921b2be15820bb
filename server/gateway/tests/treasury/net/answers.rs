//! What the node answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use signing::evm::{Account, Paid};

use super::world::{cost, gas};
use super::{Block, CHAIN_ID, CONTRACT, GWEI, Tx, World, hash};

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

pub(super) async fn answer(
    State(world): State<Arc<Mutex<World>>>,
    Json(asked): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let mut world = world.lock().unwrap();
    if world.is_away {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let is_lost = world.loses_answers && asked["method"] == json!("eth_sendRawTransaction");
    let mut one = |call: &Value| {
        let method = call["method"].as_str().unwrap();
        match world.answer(method, &call["params"]) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
            Err(message) => json!({
                "jsonrpc": "2.0", "id": call["id"], "error": { "code": -32000, "message": message },
            }),
        }
    };
    let answer: Value = match asked.as_array() {
        Some(calls) => calls.iter().map(one).collect(),
        None => one(&asked),
    };
    if is_lost {
        return Err(StatusCode::BAD_GATEWAY);
    }
    Ok(Json(answer))
}

impl World {
    fn height_of(&self, place: &Value) -> Option<usize> {
        match place.as_str() {
            Some("latest" | "pending") => Some(self.blocks.len() - 1),
            Some(text) if text.len() == 66 => self.blocks.iter().position(|b| b.hash == text),
            Some(text) => {
                let height = usize::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
                (height < self.blocks.len()).then_some(height)
            }
            None => self.height_of(place.get("blockHash")?),
        }
    }

    fn header(&self, height: usize, full: bool) -> Value {
        let block = &self.blocks[height];
        let txs: Vec<Value> = block
            .txs
            .iter()
            .map(|tx| {
                if full {
                    shown(tx, Some(block))
                } else {
                    json!(tx.hash)
                }
            })
            .collect();
        json!({
            "hash": block.hash, "number": format!("{height:#x}"), "parentHash": block.parent,
            "timestamp": "0x70000000", "baseFeePerGas": format!("{:#x}", block.base.max(self.base)),
            "transactions": txs,
        })
    }

    fn receipt(&self, tx: &Tx, height: usize) -> Value {
        let block = &self.blocks[height];
        let gas = gas(tx);
        json!({
            "transactionHash": tx.hash, "blockHash": block.hash, "blockNumber": format!("{height:#x}"),
            "status": if tx.fails { "0x0" } else { "0x1" }, "gasUsed": format!("{gas:#x}"),
            "effectiveGasPrice": format!("{:#x}", cost(tx, block.base) / gas),
            "logs": log(tx, block).into_iter().collect::<Vec<_>>(),
        })
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        let text = |place: usize| params[place].as_str().unwrap_or_default().to_owned();
        Ok(match method {
            "eth_chainId" => json!(format!("{CHAIN_ID:#x}")),
            "eth_syncing" => json!(false),
            "web3_clientVersion" => json!("memory"),
            "txpool_status" => json!({ "pending": "0x0", "queued": "0x0" }),
            "txpool_content" => {
                let mut pending: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
                for tx in &self.pool {
                    let of = pending.entry(tx.from.to_string()).or_default();
                    of.insert(tx.plan.nonce.to_string(), shown(tx, None));
                }
                json!({ "pending": pending, "queued": {} })
            }
            "eth_getBlockByNumber" | "eth_getBlockByHash" => {
                let full = params[1].as_bool().unwrap_or(false);
                let height = self.height_of(&params[0]);
                height.map_or(Value::Null, |height| self.header(height, full))
            }
            "eth_getBlockReceipts" => {
                let height = self.height_of(&params[0]).ok_or("unknown block")?;
                let txs = self.blocks[height].txs.iter();
                txs.map(|tx| self.receipt(tx, height)).collect()
            }
            "eth_getLogs" => {
                let height = self
                    .height_of(&params[0]["blockHash"])
                    .ok_or("unknown block")?;
                let block = &self.blocks[height];
                block.txs.iter().filter_map(|tx| log(tx, block)).collect()
            }
            "eth_getTransactionByHash" => match self.find(&text(0)) {
                None => Value::Null,
                Some((tx, height)) => shown(tx, height.map(|height| &self.blocks[height])),
            },
            "eth_getTransactionReceipt" => match self.find(&text(0)) {
                Some((tx, Some(height))) => {
                    let mut receipt = self.receipt(tx, height);
                    if self.is_astray {
                        receipt["blockHash"] = json!(hash("branch", 0));
                    }
                    receipt
                }
                _ => Value::Null,
            },
            "eth_getBalance" => {
                let height = self.height_of(&params[1]).ok_or("unknown block")?;
                let account: Account = text(0).parse().unwrap();
                let wei = self.balances(height + 1).0.get(&account).copied();
                json!(format!("{:#x}", wei.unwrap_or(0)))
            }
            "eth_getTransactionCount" => {
                let height = self.height_of(&params[1]).ok_or("unknown block")?;
                let is_pending = params[1] == json!("pending");
                let account = text(0).parse().unwrap();
                json!(format!("{:#x}", self.sent(account, height + 1, is_pending)))
            }
            "eth_getCode" => json!("0x60"),
            "eth_maxPriorityFeePerGas" => json!(format!("{GWEI:#x}")),
            "eth_estimateGas" => {
                let is_call = params[0]["data"] != json!("0x");
                json!(if is_call { "0xc350" } else { "0x5208" })
            }
            "eth_call" => {
                let data = params[0]["data"].as_str().unwrap();
                if data == "0x313ce567" {
                    json!(format!("0x{:064x}", 6))
                } else {
                    let height = self.height_of(&params[1]).ok_or("unknown block")?;
                    let mut account = [0; 20];
                    hex::decode_to_slice(&data[34..], &mut account).unwrap();
                    let units = self.balances(height + 1).1.get(&Account(account)).copied();
                    json!(format!("0x{:064x}", units.unwrap_or(0)))
                }
            }
            "eth_sendRawTransaction" => {
                let raw = text(0);
                let raw = hex::decode(raw.trim_start_matches("0x")).map_err(|e| e.to_string())?;
                self.take(&raw)?
            }
            other => return Err(format!("the method {other} does not exist")),
        })
    }
}

fn shown(tx: &Tx, block: Option<&Block>) -> Value {
    json!({
        "hash": tx.hash, "from": tx.from.to_string().to_lowercase(),
        "to": tx.plan.to.to_string().to_lowercase(), "nonce": format!("{:#x}", tx.plan.nonce),
        "value": format!("{:#x}", tx.plan.value), "input": format!("0x{}", hex::encode(&tx.plan.data)),
        "blockHash": block.map(|block| block.hash.clone()),
    })
}

fn log(tx: &Tx, block: &Block) -> Option<Value> {
    let Some(Paid::Token { to, units, .. }) = tx.plan.paid() else {
        return None;
    };
    let word = |account: Account| format!("0x{:0>64}", hex::encode(account.0));
    let place = block.txs.iter().position(|each| each.hash == tx.hash)?;
    (!tx.fails).then(|| {
        json!({
            "address": CONTRACT.to_string().to_lowercase(), "topics": [TRANSFER, word(tx.from), word(to)],
            "data": format!("0x{:064x}", units - tx.keeps), "blockHash": block.hash, "transactionHash": tx.hash,
            "logIndex": format!("{place:#x}"), "removed": false,
        })
    })
}
