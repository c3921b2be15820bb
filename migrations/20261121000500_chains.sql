-- What the follower knows of each chain, and the addresses we watch for ever.

-- Blocks we have connected, newest about 2 000 kept; `active` = on the chain we follow.
CREATE TABLE chain_blocks (
    chain     text NOT NULL,
    hash      text NOT NULL,
    height    bigint NOT NULL,
    prev_hash text NOT NULL,
    active    boolean NOT NULL,
    PRIMARY KEY (chain, hash)
);
CREATE UNIQUE INDEX chain_blocks_tip ON chain_blocks (chain, height) WHERE active;

-- Next derivation index per coin; taken with UPDATE … RETURNING, never given back.
CREATE TABLE chain_accounts (
    chain      text PRIMARY KEY,
    xpub       text NOT NULL,
    next_index bigint NOT NULL DEFAULT 0 CHECK (next_index BETWEEN 0 AND 2147483647)
);

CREATE TABLE chain_addresses (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chain       text NOT NULL,
    idx         bigint NOT NULL,
    -- Canonical form; coins that share a form of address share nothing else.
    address     text NOT NULL CONSTRAINT chain_addresses_address_key UNIQUE,
    merchant_id bigint NOT NULL REFERENCES merchants,
    created_at  timestamptz NOT NULL,
    CONSTRAINT chain_addresses_index_key UNIQUE (chain, idx)
);

-- Transactions that touch us, and those that spend what ours spend.
CREATE TABLE chain_txs (
    chain         text NOT NULL,
    txid          text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    -- Block it is in on the active chain; NULL in the mempool.
    block_hash    text,
    height        bigint,
    status        text NOT NULL CHECK (status IN ('mempool', 'confirmed', 'replaced', 'dropped')),
    replaced_by   text,
    PRIMARY KEY (chain, txid)
);
CREATE INDEX chain_txs_unsettled ON chain_txs (chain, height) WHERE status IN ('mempool', 'confirmed');

-- Transactions that are not in the chain: few, looked at after every block.
CREATE INDEX chain_txs_off_chain ON chain_txs (chain, txid) WHERE status <> 'confirmed';

CREATE TABLE chain_outputs (
    chain      text NOT NULL,
    txid       text NOT NULL,
    vout       int NOT NULL,
    address_id bigint NOT NULL REFERENCES chain_addresses,
    -- Base units of the chain (satoshi, wei, token units).
    raw        numeric(78, 0) NOT NULL CHECK (raw >= 0),
    PRIMARY KEY (chain, txid, vout),
    FOREIGN KEY (chain, txid) REFERENCES chain_txs
);
CREATE INDEX chain_outputs_address ON chain_outputs (address_id);

-- Inputs of every tracked transaction: how a replacement that pays nobody of ours is noticed.
CREATE TABLE chain_spends (
    chain     text NOT NULL,
    txid      text NOT NULL,
    prev_txid text NOT NULL,
    prev_vout int NOT NULL,
    PRIMARY KEY (chain, txid, prev_txid, prev_vout),
    FOREIGN KEY (chain, txid) REFERENCES chain_txs
);
CREATE INDEX chain_spends_outpoint ON chain_spends (chain, prev_txid, prev_vout);

-- The simulated chain of test mode. Only the simulated backend reads these.
CREATE SCHEMA sim;
CREATE TABLE sim.chains (
    chain text PRIMARY KEY,
    -- Makes hashes and ids of this chain unique and deterministic.
    counter bigint NOT NULL DEFAULT 0
);
CREATE TABLE sim.blocks (
    chain     text NOT NULL REFERENCES sim.chains,
    hash      text NOT NULL,
    height    bigint NOT NULL,
    prev_hash text NOT NULL,
    active    boolean NOT NULL,
    PRIMARY KEY (chain, hash)
);
CREATE UNIQUE INDEX sim_blocks_tip ON sim.blocks (chain, height) WHERE active;
CREATE TABLE sim.txs (
    chain      text NOT NULL REFERENCES sim.chains,
    txid       text NOT NULL,
    seq        bigint NOT NULL,
    inputs     jsonb NOT NULL,
    outputs    jsonb NOT NULL,
    -- In the mempool while neither is set.
    block_hash text,
    gone       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (chain, txid)
);
CREATE INDEX sim_txs_block ON sim.txs (chain, block_hash);
CREATE INDEX sim_txs_mempool ON sim.txs (chain, seq) WHERE block_hash IS NULL AND NOT gone;
