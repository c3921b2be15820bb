-- What the delivery log and the rates page read.

-- The log of one merchant, newest first.
CREATE INDEX deliveries_of_merchant ON deliveries (merchant_id, id DESC);
-- Test callbacks are few among many events.
CREATE INDEX events_test ON events (merchant_id, created_at DESC) WHERE type = 'webhook.test';

-- The last rate of each hour, so that a page can say how a rate has changed in a day. Written by a
-- trigger, because rates are written in several places.
CREATE TABLE rate_hours (
    from_id smallint NOT NULL REFERENCES currencies,
    to_id   smallint NOT NULL REFERENCES currencies,
    source  text NOT NULL,
    -- Its beginning.
    hour    timestamptz NOT NULL,
    rate    numeric(28, 18) NOT NULL CHECK (rate > 0),
    PRIMARY KEY (from_id, to_id, source, hour)
);

CREATE FUNCTION keep_rate_hour() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rate_hours (from_id, to_id, source, hour, rate)
    VALUES (NEW.from_id, NEW.to_id, NEW.source, date_trunc('hour', NEW.observed_at, 'UTC'), NEW.rate)
    ON CONFLICT (from_id, to_id, source, hour) DO UPDATE SET rate = EXCLUDED.rate;
    -- The newest one of two days ago was in force until the next: it stays, what is before it goes.
    DELETE FROM rate_hours past
    WHERE past.from_id = NEW.from_id AND past.to_id = NEW.to_id AND past.source = NEW.source
      AND past.hour < (SELECT max(kept.hour) FROM rate_hours kept
                      WHERE kept.from_id = NEW.from_id AND kept.to_id = NEW.to_id
                        AND kept.source = NEW.source
                        AND kept.hour <= NEW.observed_at - interval '2 days');
    RETURN NULL;
END
$$;

CREATE TRIGGER rate_observations_hours AFTER INSERT OR UPDATE ON rate_observations
    FOR EACH ROW EXECUTE FUNCTION keep_rate_hour();

INSERT INTO rate_hours (from_id, to_id, source, hour, rate)
SELECT from_id, to_id, source, date_trunc('hour', observed_at, 'UTC'), rate FROM rate_observations;
