-- What the last audit of the books found: a single row. The audit itself only reads.
CREATE TABLE book_audits (
    id         smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    -- Somebody audits right now, since then; NULL when nobody does.
    begun_at   timestamptz,
    checked_at timestamptz,
    -- Who asked for the one that is kept: an address, or `command`.
    asked_by   text,
    took_ms    bigint CHECK (took_ms >= 0),
    -- Postings, accounts and checks, as the page shows them.
    found      jsonb,
    CHECK ((checked_at IS NULL) = (found IS NULL)),
    CHECK ((checked_at IS NULL) = (asked_by IS NULL)),
    CHECK ((checked_at IS NULL) = (took_ms IS NULL))
);
