-- A promise whose deposit is there stays with it, and a new one may wait at the same address beside it:
-- only the ones that wait exclude each other (contract 80, Processing).
DROP INDEX futures_running;
CREATE UNIQUE INDEX futures_open ON futures (deposit_address_id) WHERE state = 'open';
CREATE INDEX futures_matched ON futures (deposit_address_id) WHERE state = 'matched';
