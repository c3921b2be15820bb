-- Signatures of P2PKH coins are part of a transaction's id. One of ours can come with another id than it
-- was stored with: a person sends it past us, or somebody on the way writes its signatures otherwise. It spends
-- and pays the same, by which it is known.
CREATE TABLE payout_other_ids (
    chain        text NOT NULL,
    txid         text NOT NULL,
    payout_tx_id bigint NOT NULL REFERENCES payout_txs,
    PRIMARY KEY (chain, txid)
);
CREATE INDEX payout_other_ids_of ON payout_other_ids (payout_tx_id);
