-- A link to join an organization, for a number of uses. Only the hash of its token is stored.
CREATE TABLE IF NOT EXISTS seatgate_invite_links (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  role TEXT NOT NULL CHECK (length(role) > 0),
  domain TEXT CHECK (domain = lower(domain)),
  max_uses INTEGER NOT NULL CHECK (max_uses > 0),
  uses_left INTEGER NOT NULL CHECK (uses_left BETWEEN 0 AND max_uses),
  expires_at INTEGER NOT NULL,
  created_by_id TEXT,
  revoked_at INTEGER,
  revoked_by_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_invite_links_token ON seatgate_invite_links (token_hash);
CREATE INDEX IF NOT EXISTS seatgate_invite_links_newest ON seatgate_invite_links (organization_id, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invite_links_creator ON seatgate_invite_links (organization_id, created_by_id) WHERE revoked_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invite_links_expiry ON seatgate_invite_links (expires_at);
