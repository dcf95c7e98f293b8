CREATE TABLE IF NOT EXISTS organization_slug_aliases (
  old_slug TEXT PRIMARY KEY NOT NULL CHECK (old_slug = lower(old_slug) AND length(old_slug) > 0),
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS organization_slug_aliases_organization ON organization_slug_aliases (organization_id);
CREATE INDEX IF NOT EXISTS organization_slug_aliases_expiry ON organization_slug_aliases (expires_at);
