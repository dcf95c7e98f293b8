-- The API keys of organizations. Only their hash is stored. A key has either a role or permissions.
CREATE TABLE IF NOT EXISTS seatgate_api_keys (
  id TEXT PRIMARY KEY NOT NULL CHECK (length(id) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  start TEXT NOT NULL,
  name TEXT NOT NULL CHECK (length(name) > 0),
  role TEXT CHECK (length(role) > 0),
  permissions TEXT CHECK ((permissions IS NULL) <> (role IS NULL) AND (permissions IS NULL OR json_valid(permissions))),
  created_by_id TEXT,
  ends_with_creator INTEGER NOT NULL CHECK (ends_with_creator IN (0, 1)),
  expires_at INTEGER,
  replaced_by_id TEXT,
  last_used_at INTEGER,
  created_at INTEGER NOT NULL,
  CHECK (ends_with_creator = 0 OR created_by_id IS NOT NULL)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_api_keys_hash ON seatgate_api_keys (token_hash);
CREATE INDEX IF NOT EXISTS seatgate_api_keys_organization ON seatgate_api_keys (organization_id, created_at, id);
CREATE INDEX IF NOT EXISTS seatgate_api_keys_creator ON seatgate_api_keys (organization_id, created_by_id) WHERE ends_with_creator = 1;
