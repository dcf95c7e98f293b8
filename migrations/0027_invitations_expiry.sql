CREATE INDEX IF NOT EXISTS invitations_expiry ON invitations (expires_at);
