-- A posting is known by its entry and its place in it. Its own id is looked for only when it is a hold, so only
-- holds have it in an index: each other posting costs an index entry less (decision 057). `exchequer audit`
-- looks whether two have one id.
ALTER TABLE postings
    DROP CONSTRAINT postings_pkey,
    DROP CONSTRAINT postings_leg,
    ADD CONSTRAINT postings_pkey PRIMARY KEY (entry_id, leg);
CREATE UNIQUE INDEX postings_hold ON postings (id) WHERE movement = 'hold';
