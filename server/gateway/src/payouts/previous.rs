//! Transactions that made the coins of a plan, as a signer wants to see them.

use bitcoin::absolute::LockTime;
use bitcoin::consensus::Decodable as _;
use bitcoin::transaction::Version;
use bitcoin::{Transaction, TxIn, TxOut};

/// Reads a transaction and leaves out everything that is not part of its id: witnesses, and
/// Litecoin's extension block data, which nothing here can read.
pub(super) fn without_witnesses(raw: &[u8]) -> Option<Transaction> {
    let (version, rest) = raw.split_first_chunk::<4>()?;
    // No inputs, where flags follow: then something stands between outputs and lock time.
    let mut rest = match rest {
        [0, flags, rest @ ..] if *flags != 0 => rest,
        _ => rest,
    };
    let input = Vec::<TxIn>::consensus_decode(&mut rest).ok()?;
    let output = Vec::<TxOut>::consensus_decode(&mut rest).ok()?;
    let lock_time = rest.last_chunk::<4>()?;
    Some(Transaction {
        version: Version(i32::from_le_bytes(*version)),
        lock_time: LockTime::from_consensus(u32::from_le_bytes(*lock_time)),
        input,
        output,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Witness, consensus};

    use super::*;

    fn transaction() -> Transaction {
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::from_consensus(7),
            input: vec![TxIn {
                previous_output: OutPoint::null(),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[vec![1_u8; 71], vec![2; 33]]),
            }],
            output: vec![TxOut {
                value: Amount::from_sat(1_000),
                script_pubkey: ScriptBuf::from_bytes(vec![0x51]),
            }],
        }
    }

    #[test]
    fn the_id_stays_and_the_witness_goes() {
        let whole = transaction();
        let read = without_witnesses(&consensus::serialize(&whole)).unwrap();
        assert_eq!(read.compute_txid(), whole.compute_txid());
        assert!(read.input.first().unwrap().witness.is_empty());
        assert_eq!(read.output, whole.output);
        // Without one it is the same.
        let bare = without_witnesses(&consensus::serialize(&read)).unwrap();
        assert_eq!(bare, read);
    }

    /// Flag 8, as Litecoin writes it: a byte that says there is no data, before the lock time.
    #[test]
    fn what_litecoin_adds_is_left_out() {
        let mut bare = transaction();
        bare.input
            .iter_mut()
            .for_each(|input| input.witness.clear());
        let plain = consensus::serialize(&bare);
        let (version, rest) = plain.split_at(4);
        let (parts, lock_time) = rest.split_at(rest.len() - 4);
        let extended = [version, &[0, 8], parts, &[0], lock_time].concat();
        assert_eq!(without_witnesses(&extended), Some(bare));
    }

    #[test]
    fn what_is_no_transaction_is_none() {
        for raw in [&[][..], &[1, 0, 0, 0], &[1, 0, 0, 0, 1], &[0xff; 40]] {
            assert_eq!(without_witnesses(raw), None);
        }
    }
}
