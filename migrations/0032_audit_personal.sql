CREATE UNIQUE INDEX IF NOT EXISTS audit_events_idempotency ON audit_events (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_events_actor ON audit_events (organization_id, actor_id);
CREATE INDEX IF NOT EXISTS audit_events_target ON audit_events (organization_id, target_id);
CREATE INDEX IF NOT EXISTS audit_events_action ON audit_events (organization_id, action);

CREATE TABLE IF NOT EXISTS audit_personal (
  organization_id TEXT NOT NULL,
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  user_id TEXT,
  salt TEXT NOT NULL CHECK (length(salt) = 64),
  ip_address TEXT CHECK (length(ip_address) <= 64),
  user_agent TEXT CHECK (length(user_agent) <= 512),
  PRIMARY KEY (organization_id, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_personal_user ON audit_personal (user_id) WHERE user_id IS NOT NULL;
