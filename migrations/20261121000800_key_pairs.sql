-- Key pairs of the Processing and Command APIs. The private key is the MAC key, the ASCII text as
-- shown, so it has to be readable.
CREATE TABLE key_pairs (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id    bigint NOT NULL REFERENCES merchants,
    label          text NOT NULL,
    public_key     text NOT NULL CONSTRAINT key_pairs_public_key_key UNIQUE,
    private_key    text NOT NULL,
    -- Commands that are switched on; a new pair has none.
    permissions    text[] NOT NULL DEFAULT '{}',
    -- Once a pair was used with a nonce, it has to be from then on, higher each time.
    nonce_required boolean NOT NULL DEFAULT false,
    last_nonce     numeric CHECK (last_nonce >= 0 AND last_nonce = trunc(last_nonce)),
    created_at     timestamptz NOT NULL,
    revoked_at     timestamptz
);
CREATE INDEX key_pairs_of_merchant ON key_pairs (merchant_id);
