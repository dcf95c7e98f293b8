ALTER TABLE organization_domains ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0;
