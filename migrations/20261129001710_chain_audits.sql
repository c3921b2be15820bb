-- What was found last when the books, the chain tables and a node were compared.
CREATE TABLE chain_audits (
    chain      text PRIMARY KEY,
    -- Somebody compares right now, since then; NULL when nobody does.
    begun_at   timestamptz,
    checked_at timestamptz,
    found      jsonb,
    CHECK ((checked_at IS NULL) = (found IS NULL))
);
