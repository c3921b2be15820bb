-- Payments that failed are looked at after every block, in case theirs was undone: they are few.
CREATE INDEX treasury_payments_failed ON treasury_payments (chain) WHERE outcome = 'failed';
