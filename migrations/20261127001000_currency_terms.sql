-- What the operator asks for each currency: minimums, fees, confirmations. Data, edited on a page;
-- every change leaves a row in audit_log. Amounts are ledger units of the currency.
CREATE TABLE currency_terms (
    currency_id                smallint PRIMARY KEY REFERENCES currencies,
    -- Smallest deposit that is credited; less goes to suspense. Reusable addresses only.
    minimum_deposit            numeric(38, 0) NOT NULL CHECK (minimum_deposit >= 0 AND minimum_deposit < 1e28),
    -- The same for an address that converts.
    minimum_deposit_exchange   numeric(38, 0) NOT NULL CHECK (minimum_deposit_exchange >= 0 AND minimum_deposit_exchange < 1e28),
    -- Smallest amount given in an exchange.
    minimum_exchange           numeric(38, 0) NOT NULL CHECK (minimum_exchange >= 0 AND minimum_exchange < 1e28),
    -- Smallest amount asked for in a withdrawal.
    minimum_withdrawal         numeric(38, 0) NOT NULL CHECK (minimum_withdrawal >= 0 AND minimum_withdrawal < 1e28),
    deposit_fee_basis_points   int NOT NULL DEFAULT 100 CHECK (deposit_fee_basis_points BETWEEN 0 AND 10000),
    exchange_fee_basis_points  int NOT NULL DEFAULT 100 CHECK (exchange_fee_basis_points BETWEEN 0 AND 10000),
    withdrawal_fee_basis_points int NOT NULL DEFAULT 0 CHECK (withdrawal_fee_basis_points BETWEEN 0 AND 10000),
    -- Added to the share above.
    withdrawal_fee_fixed       numeric(38, 0) NOT NULL DEFAULT 0 CHECK (withdrawal_fee_fixed >= 0 AND withdrawal_fee_fixed < 1e28),
    -- Blocks until a receipt is final, below and from `large_from_euros` (whole euros) on.
    confirmations              int NOT NULL DEFAULT 1 CHECK (confirmations BETWEEN 0 AND 1000),
    confirmations_large        int NOT NULL DEFAULT 2 CHECK (confirmations_large BETWEEN 0 AND 1000),
    large_from_euros           bigint NOT NULL DEFAULT 10000 CHECK (large_from_euros BETWEEN 0 AND 1000000000),
    -- Changes say which version they saw, so that two people do not overwrite each other.
    version                    bigint NOT NULL DEFAULT 0,
    updated_by                 text,
    updated_at                 timestamptz,
    CHECK (confirmations_large >= confirmations)
);

-- The smallest payable unit, except for the coins, whose chains make dust expensive.
INSERT INTO currency_terms (currency_id, minimum_deposit, minimum_deposit_exchange, minimum_exchange, minimum_withdrawal)
SELECT c.id, m.minimum, m.minimum, m.minimum, m.minimum
FROM currencies c
CROSS JOIN LATERAL (SELECT CASE c.code
    WHEN 'BTC' THEN 10000 WHEN 'tBTC' THEN 10000
    WHEN 'LTC' THEN 100000 WHEN 'BCH' THEN 100000
    WHEN 'ETH' THEN 1000000000000000
    WHEN 'USDT' THEN 100000000
    ELSE power(10::numeric, c.ledger_scale - c.precision) END::numeric(38, 0) AS minimum) m;
