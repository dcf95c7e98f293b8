ALTER TABLE invitations ADD COLUMN locale TEXT;
