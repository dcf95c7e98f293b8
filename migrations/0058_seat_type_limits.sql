ALTER TABLE seatgate_entitlements ADD COLUMN type_limits TEXT CHECK (json_valid(type_limits));
