-- entries per transaction: 2
\set payer random(2, 1000)
BEGIN;
SELECT move_money(:payer, 1, 2);
SELECT move_money(:payer, 1, 1);
END;
