//! What a node's answer to a transaction means.

/// `RPC_VERIFY_ALREADY_IN_UTXO_SET`, which older nodes call already in the chain.
const ALREADY_MINED: i64 = -27;

/// Parts of reasons that say: something else spends, or spent, what this one spends. Nodes give
/// them no codes of their own; a part stands for the wordings of several versions.
const SPENT: [&str; 10] = [
    "missingorspent",
    "missing inputs",
    "missing-inputs",
    "inputs-spent",
    "txn-mempool-conflict",
    "bad-txns-spends-conflicting-tx",
    // A replacement that does not pay enough more than what it would replace.
    "insufficient fee",
    "insufficient feerate",
    "too many potential replacements",
    "replacement",
];

/// Parts of reasons that say: the network has it.
const KNOWN: [&str; 4] = [
    "txn-already-in-mempool",
    "txn-already-known",
    "txn-same-nonwitness-data-in-mempool",
    "already in",
];

/// A refusal, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The same transaction is in the mempool or in a block.
    Known,
    /// Its inputs are used by another, or this very transaction was mined and its own outputs are
    /// spent: the node cannot tell.
    Spent,
    /// Wrong, too cheap, or the node is not able to say.
    Other,
}

pub(super) fn judge(code: i64, reason: &str) -> Judgement {
    let reason = reason.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
    if code == ALREADY_MINED || says(&KNOWN) {
        Judgement::Known
    } else if says(&SPENT) {
        Judgement::Spent
    } else {
        Judgement::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_nodes_old_and_new() {
        for (code, reason, expected) in [
            (-27, "Transaction already in block chain", Judgement::Known),
            (
                -27,
                "Transaction outputs already in utxo set",
                Judgement::Known,
            ),
            (-26, "txn-already-in-mempool", Judgement::Known),
            (-25, "bad-txns-inputs-missingorspent", Judgement::Spent),
            (-25, "Missing inputs", Judgement::Spent),
            (-26, "txn-mempool-conflict", Judgement::Spent),
            (
                -26,
                "insufficient fee, rejecting replacement 00ff; new feerate 0.00001 <= old feerate",
                Judgement::Spent,
            ),
            (
                -26,
                "replacement-failed, insufficient feerate: does not improve feerate diagram",
                Judgement::Spent,
            ),
            (
                -26,
                "bad-txns-spends-conflicting-tx, 00 spends conflicting",
                Judgement::Spent,
            ),
            (-26, "min relay fee not met, 100 < 141", Judgement::Other),
            (-26, "mempool min fee not met", Judgement::Other),
            (-26, "dust", Judgement::Other),
            (
                -25,
                "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)",
                Judgement::Other,
            ),
            (-22, "TX decode failed", Judgement::Other),
            (
                -26,
                "mandatory-script-verify-flag-failed (Signature must be zero)",
                Judgement::Other,
            ),
        ] {
            assert_eq!(judge(code, reason), expected, "{reason}");
        }
    }
}
