-- A ledger as small as one gets: balances that never fall below zero, and a row for each entry.

CREATE TABLE balances (
    account int PRIMARY KEY,
    held numeric(38, 0) NOT NULL CHECK (held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    debit int NOT NULL,
    credit int NOT NULL,
    amount numeric(38, 0) NOT NULL CHECK (amount > 0),
    debit_after numeric(38, 0) NOT NULL,
    credit_after numeric(38, 0) NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CHECK (debit <> credit)
);

-- Moves money and answers the number of the entry. Fails when the payer has too little.
CREATE FUNCTION move_money(payer int, payee int, moved numeric) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    payer_left numeric;
    payee_left numeric;
    made bigint;
BEGIN
    -- In the order of their numbers, so that two of these never wait for each other.
    PERFORM 1 FROM balances WHERE account IN (payer, payee) ORDER BY account FOR UPDATE;
    UPDATE balances SET held = held - moved WHERE account = payer RETURNING held INTO STRICT payer_left;
    UPDATE balances SET held = held + moved WHERE account = payee RETURNING held INTO STRICT payee_left;
    INSERT INTO transfers (debit, credit, amount, debit_after, credit_after)
    VALUES (payer, payee, moved, payer_left, payee_left)
    RETURNING id INTO made;
    RETURN made;
END
$$;
