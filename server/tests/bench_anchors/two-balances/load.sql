INSERT INTO balances (account, held)
SELECT n, 1000000000 FROM generate_series(1, 1000) AS n;

-- As our own ledger is when it has been loaded.
ANALYZE balances;
