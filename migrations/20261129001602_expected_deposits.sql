-- What a deposit was worth when it was first seen, so that its first callback can say so (contract 30,
-- Callbacks). Nothing is booked by it: what the wallet gains is decided when the deposit is final.
ALTER TABLE deposits
    -- In the currency the operation receives, before the fee and after it; NULL without a rate.
    ADD COLUMN expected_amount numeric(38, 0) CHECK (expected_amount >= 0 AND expected_amount < 1e28),
    ADD COLUMN expected_net    numeric(38, 0) CHECK (expected_net >= 0 AND expected_net <= expected_amount),
    ADD CONSTRAINT deposits_expected CHECK ((expected_amount IS NULL) = (expected_net IS NULL));
