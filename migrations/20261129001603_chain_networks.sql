-- Which network of its coin a chain runs on, and where the follower begins.

ALTER TABLE chain_accounts
    -- `simulated`, or the network's name. Addresses and blocks of two networks never share a database.
    ADD COLUMN network  text NOT NULL DEFAULT 'simulated',
    -- Height of the first block that may pay an address of the account; NULL until the node was asked.
    ADD COLUMN birthday bigint CHECK (birthday >= 0);

UPDATE chain_accounts SET birthday = 0;

ALTER TABLE chain_accounts ALTER COLUMN network DROP DEFAULT;
