-- A posting is found by its entry and leg, and by the lines of its accounts. By its own id only a hold is
-- looked for, by whatever ends it. Every posting paid for an index over all ids.
ALTER TABLE postings DROP CONSTRAINT postings_pkey;
CREATE UNIQUE INDEX postings_hold ON postings (id) WHERE movement = 'hold';
-- Who follows the table by logical replication needs a key.
ALTER TABLE postings REPLICA IDENTITY USING INDEX postings_leg;
