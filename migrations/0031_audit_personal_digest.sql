ALTER TABLE audit_events ADD COLUMN personal_digest TEXT CHECK (personal_digest IS NULL OR length(personal_digest) = 64);
