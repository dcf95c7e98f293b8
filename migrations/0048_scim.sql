-- The tokens with which an identity provider calls SCIM. Only their hash is stored.
CREATE TABLE IF NOT EXISTS seatgate_scim_tokens (
  id TEXT PRIMARY KEY NOT NULL CHECK (length(id) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  name TEXT,
  created_by_id TEXT,
  expires_at INTEGER,
  last_used_at INTEGER,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_scim_tokens_hash ON seatgate_scim_tokens (token_hash);
CREATE INDEX IF NOT EXISTS seatgate_scim_tokens_organization ON seatgate_scim_tokens (organization_id, created_at, id);

-- The users that an identity provider has pushed. Whether one is active is the membership of its user. `position` counts from 1
-- without a gap, so that a page and the number of all cost the same for any size.
CREATE TABLE IF NOT EXISTS seatgate_scim_users (
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  id TEXT NOT NULL CHECK (length(id) > 0),
  position INTEGER NOT NULL CHECK (position > 0),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  user_name TEXT NOT NULL CHECK (length(user_name) > 0),
  user_name_key TEXT NOT NULL CHECK (length(user_name_key) > 0),
  external_id TEXT CHECK (length(external_id) > 0),
  email TEXT NOT NULL CHECK (length(email) > 0),
  attributes TEXT NOT NULL CHECK (json_valid(attributes)),
  version INTEGER NOT NULL CHECK (version > 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_scim_users_user ON seatgate_scim_users (organization_id, user_id);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_scim_users_name ON seatgate_scim_users (organization_id, user_name_key);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_scim_users_external ON seatgate_scim_users (organization_id, external_id);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_scim_users_position ON seatgate_scim_users (organization_id, position);
CREATE INDEX IF NOT EXISTS seatgate_scim_users_email ON seatgate_scim_users (organization_id, email);
CREATE INDEX IF NOT EXISTS seatgate_scim_users_everywhere ON seatgate_scim_users (user_id);
