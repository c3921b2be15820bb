//! Signature hashes, the scripts and witnesses made of signatures, and whether they hold.
//!
//! Invariant: one way in and one way out. What is verified is built again from the signature and
//! key found in it, and has to be the same bytes, so nothing else can hide in a scriptSig.

use bitcoin::script::{Builder, Instruction};
use bitcoin::secp256k1::{Message, Secp256k1, Verification};
use bitcoin::sighash::SighashCache;
use bitcoin::{
    CompressedPublicKey, EcdsaSighashType, PublicKey, Script, ScriptBuf, Transaction, TxIn, TxOut,
    Witness, ecdsa,
};

use crate::script_kind::{ScriptKind, redeem_script};

/// The hash to be signed for an input; `None` when there is no such input, or the output it spends
/// is of another kind.
pub(crate) fn message(
    cache: &mut SighashCache<&Transaction>,
    input: usize,
    kind: ScriptKind,
    prevout: &TxOut,
    key: &CompressedPublicKey,
) -> Option<Message> {
    let all = EcdsaSighashType::All;
    let hash: Message = match kind {
        ScriptKind::P2wpkh => cache
            .p2wpkh_signature_hash(input, &prevout.script_pubkey, prevout.value, all)
            .ok()?
            .into(),
        ScriptKind::P2shP2wpkh => cache
            .p2wpkh_signature_hash(input, &redeem_script(key), prevout.value, all)
            .ok()?
            .into(),
        ScriptKind::P2pkh => cache
            .legacy_signature_hash(input, &prevout.script_pubkey, all.to_u32())
            .ok()?
            .into(),
    };
    Some(hash)
}

/// The scriptSig of a nested output: one push of the 22 bytes of the witness program.
pub(crate) fn push_program(program: &Script) -> ScriptBuf {
    let mut script = Vec::with_capacity(program.len() + 1);
    script.push(22);
    script.extend_from_slice(program.as_bytes());
    ScriptBuf::from_bytes(script)
}

/// The scriptSig and witness that spend an output with this signature.
pub(crate) fn unlock(
    kind: ScriptKind,
    signature: &ecdsa::Signature,
    key: &CompressedPublicKey,
) -> (ScriptBuf, Witness) {
    match kind {
        ScriptKind::P2wpkh => (ScriptBuf::new(), Witness::p2wpkh(signature, &key.0)),
        ScriptKind::P2shP2wpkh => (
            push_program(&redeem_script(key)),
            Witness::p2wpkh(signature, &key.0),
        ),
        ScriptKind::P2pkh => {
            let script = Builder::new()
                .push_slice(signature.serialize())
                .push_key(&PublicKey::from(*key));
            (script.into_script(), Witness::new())
        }
    }
}

/// Whether an input of a signed transaction spends the output it claims to, with a signature of
/// everything (`SIGHASH_ALL`).
pub(crate) fn holds<C: Verification>(
    secp: &Secp256k1<C>,
    cache: &mut SighashCache<&Transaction>,
    tx: &Transaction,
    input: usize,
    prevout: &TxOut,
) -> bool {
    verify(secp, cache, tx, input, prevout).is_some()
}

fn verify<C: Verification>(
    secp: &Secp256k1<C>,
    cache: &mut SighashCache<&Transaction>,
    tx: &Transaction,
    input: usize,
    prevout: &TxOut,
) -> Option<()> {
    let kind = ScriptKind::of(&prevout.script_pubkey)?;
    let txin = tx.input.get(input)?;
    let (signature, key) = signature_and_key(kind, txin)?;
    let (script_sig, witness) = unlock(kind, &signature, &key);
    if signature.sighash_type != EcdsaSighashType::All
        || kind.script(&key) != prevout.script_pubkey
        || script_sig != txin.script_sig
        || !witness.iter().eq(txin.witness.iter())
    {
        return None;
    }
    let message = message(cache, input, kind, prevout, &key)?;
    key.verify(secp, &message, &signature).ok()
}

fn signature_and_key(
    kind: ScriptKind,
    txin: &TxIn,
) -> Option<(ecdsa::Signature, CompressedPublicKey)> {
    let (signature, key) = if kind.is_segwit() {
        (txin.witness.nth(0)?, txin.witness.nth(1)?)
    } else {
        two_pushes(&txin.script_sig)?
    };
    Some((
        ecdsa::Signature::from_slice(signature).ok()?,
        CompressedPublicKey::from_slice(key).ok()?,
    ))
}

fn two_pushes(script: &Script) -> Option<(&[u8], &[u8])> {
    let mut pushes = script.instructions_minimal().map(|instruction| {
        let Ok(Instruction::PushBytes(bytes)) = instruction else {
            return None;
        };
        Some(bytes.as_bytes())
    });
    Some((pushes.next()??, pushes.next()??))
}
