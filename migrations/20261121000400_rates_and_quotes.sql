-- Rates arrive on a schedule or by hand, never inside a request. A rate is units of `to` for one `from`.
CREATE TABLE rate_observations (
    from_id     smallint NOT NULL REFERENCES currencies,
    to_id       smallint NOT NULL REFERENCES currencies,
    source      text NOT NULL,
    rate        numeric(28, 18) NOT NULL CHECK (rate > 0),
    observed_at timestamptz NOT NULL,
    -- Fixed and pinned rates do not age.
    ages        boolean NOT NULL,
    -- A pin ends here.
    expires_at  timestamptz,
    PRIMARY KEY (from_id, to_id, source),
    CHECK (from_id <> to_id)
);

-- What everything priced refers to; never changed.
CREATE TABLE quotes (
    id            uuid PRIMARY KEY,
    merchant_id   bigint NOT NULL REFERENCES merchants,
    -- What the payer gives.
    coin_id       smallint NOT NULL REFERENCES currencies,
    coin_amount   numeric(38, 0) NOT NULL CHECK (coin_amount > 0 AND coin_amount < 1e28),
    -- What it is worth.
    currency_id   smallint NOT NULL REFERENCES currencies,
    amount        numeric(38, 0) NOT NULL CHECK (amount > 0 AND amount < 1e28),
    mid           numeric(28, 18) NOT NULL CHECK (mid > 0),
    spread_basis_points int NOT NULL CHECK (spread_basis_points BETWEEN 0 AND 9999),
    price         numeric(28, 18) NOT NULL CHECK (price > 0),
    sources       text[] NOT NULL,
    fixed_at      timestamptz NOT NULL,
    release_at    timestamptz NOT NULL CHECK (release_at > fixed_at)
);
CREATE TRIGGER quotes_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON quotes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
