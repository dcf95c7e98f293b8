ALTER TABLE seatgate_organizations ADD COLUMN roles_version INTEGER NOT NULL DEFAULT 0;
