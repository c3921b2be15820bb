-- entries per transaction: 1
\set payer random(1, 1000)
\set step random(1, 999)
\set payee (:payer - 1 + :step) % 1000 + 1
SELECT move_money(:payer, :payee, 1);
