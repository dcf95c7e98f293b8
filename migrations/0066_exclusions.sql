CREATE TABLE IF NOT EXISTS exclusions (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  user_id TEXT NOT NULL,
  address_length INTEGER,
  salt TEXT CHECK (length(salt) = 64),
  digest TEXT CHECK (length(digest) = 64),
  created_at INTEGER NOT NULL,
  CHECK ((salt IS NULL) = (digest IS NULL) AND (salt IS NULL) = (address_length IS NULL))
);
CREATE INDEX IF NOT EXISTS exclusions_user ON exclusions (organization_id, user_id);
CREATE INDEX IF NOT EXISTS exclusions_address ON exclusions (organization_id, address_length);
CREATE INDEX IF NOT EXISTS exclusions_everywhere ON exclusions (user_id);
