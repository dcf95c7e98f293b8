ALTER TABLE seatgate_entitlement_overrides ADD COLUMN before TEXT CHECK (json_valid(before));
