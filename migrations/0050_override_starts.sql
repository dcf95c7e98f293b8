ALTER TABLE seatgate_entitlement_overrides ADD COLUMN starts_at INTEGER;
