ALTER TABLE organization_domains ADD COLUMN record_missing_since INTEGER;
