-- The sweep finds impersonations that have expired.
CREATE INDEX IF NOT EXISTS seatgate_impersonations_expired ON seatgate_impersonations (expires_at, id);
