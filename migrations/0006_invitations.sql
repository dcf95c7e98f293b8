-- An invitation is unfinished until it is accepted, revoked or declined, and pending until it expires.
CREATE TABLE IF NOT EXISTS seatgate_invitations (
  id TEXT PRIMARY KEY NOT NULL,
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  email TEXT NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 160),
  role TEXT NOT NULL CHECK (length(role) > 0),
  token_hash TEXT NOT NULL CHECK (length(token_hash) = 64),
  token_version INTEGER NOT NULL DEFAULT 1 CHECK (token_version > 0),
  seat_id TEXT,
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER,
  accepted_by_id TEXT,
  revoked_at INTEGER,
  revoked_by_id TEXT,
  revoke_reason TEXT CHECK (revoke_reason IN ('revoked', 'superseded', 'organization_deleted')),
  declined_at INTEGER,
  mail_status TEXT NOT NULL DEFAULT 'skipped' CHECK (mail_status IN ('queued', 'sent', 'failed', 'skipped')),
  locale TEXT,
  invited_by_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((accepted_at IS NOT NULL) + (revoked_at IS NOT NULL) + (declined_at IS NOT NULL) <= 1),
  CHECK ((accepted_at IS NULL) = (accepted_by_id IS NULL)),
  CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_invitations_token ON seatgate_invitations (token_hash);
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_invitations_unfinished ON seatgate_invitations (organization_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_invitations_seat ON seatgate_invitations (seat_id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invitations_pending ON seatgate_invitations (organization_id, expires_at) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invitations_newest ON seatgate_invitations (organization_id, created_at, id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invitations_email ON seatgate_invitations (email, created_at, id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
CREATE INDEX IF NOT EXISTS seatgate_invitations_expiry ON seatgate_invitations (expires_at);
