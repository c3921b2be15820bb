-- What a program was answered first about a reference of its own. The same reference with the same
-- wish (`request_hash`) gives it again byte for byte, for ever (contract 80, Processing), whatever has
-- become of the operation or the invoice since.
CREATE TABLE first_answers (
    -- Of the operation or the invoice: both come out of one sequence.
    id     bigint PRIMARY KEY,
    status smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
    body   bytea NOT NULL
);
CREATE TRIGGER first_answers_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON first_answers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
