-- The suspense page leads from a refund to the deposit it sends back. The audit log is where that is
-- written down, so it is asked by the number of the refund.
CREATE INDEX audit_log_refunds ON audit_log (((data ->> 'refund')::bigint)) WHERE action = 'deposit.refunded';
