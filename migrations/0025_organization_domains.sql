CREATE TABLE IF NOT EXISTS organization_domains (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  domain TEXT NOT NULL CHECK (domain = lower(domain) AND length(domain) BETWEEN 3 AND 253),
  mode TEXT NOT NULL DEFAULT 'off' CHECK (mode IN ('off', 'request', 'auto')),
  challenge TEXT NOT NULL CHECK (length(challenge) > 0),
  verified_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS organization_domains_own ON organization_domains (organization_id, domain);
CREATE UNIQUE INDEX IF NOT EXISTS organization_domains_verified ON organization_domains (domain) WHERE verified_at IS NOT NULL;
