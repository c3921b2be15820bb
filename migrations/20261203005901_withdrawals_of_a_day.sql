-- Each withdrawal of a merchant with a limit of a day asks what was withdrawn since midnight.
CREATE INDEX operations_withdrawn ON operations (merchant_id, created_at)
    WHERE kind IN ('withdrawal', 'withdrawal_exchange');
