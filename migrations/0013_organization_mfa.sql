ALTER TABLE organizations ADD COLUMN enforce_mfa_for_members INTEGER NOT NULL DEFAULT 0 CHECK (enforce_mfa_for_members IN (0, 1));
