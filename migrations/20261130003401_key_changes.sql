-- Every process keeps the keys it looked up for a moment. Whatever changes what a key stands for is
-- announced to all of them when it is committed, whoever changed it: a page, a command, or a person
-- with psql. The use of a key (last_used_at) is no change, and neither is a new key: what does not
-- exist is not kept.
CREATE FUNCTION tell_of_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('exchequer_keys', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER merchant_keys_told
    AFTER DELETE OR TRUNCATE OR UPDATE OF id, merchant_id, hash, revoked_at ON merchant_keys
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_keys();

CREATE TRIGGER key_pairs_told
    AFTER DELETE OR TRUNCATE OR UPDATE OF id, merchant_id, public_key, private_key, permissions,
        created_by, revoked_at ON key_pairs
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_keys();

-- Who made a pair is found by the address of a user.
CREATE TRIGGER users_told
    AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF id, email ON users
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_keys();

CREATE TRIGGER merchants_told AFTER DELETE OR TRUNCATE OR UPDATE OF id ON merchants
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_keys();
