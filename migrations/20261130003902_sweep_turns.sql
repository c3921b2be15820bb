-- Deposits are looked through a hundred at a time: by turns, so that large ones which cannot move keep no others out.
CREATE TABLE sweep_looks (
    chain     text NOT NULL,
    address   text NOT NULL,
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (chain, address)
);

-- What paid in a block that was taken off is looked for after every block: such blocks are few.
CREATE INDEX chain_blocks_taken_off ON chain_blocks (chain) WHERE NOT active;
CREATE INDEX treasury_txs_block ON treasury_txs (block_hash) WHERE block_hash IS NOT NULL;
