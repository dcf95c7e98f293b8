-- One index finds the unfinished invitation of an address in an organization, and those of an address in all.
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_invitations_address ON seatgate_invitations (email, organization_id) WHERE accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL;
DROP INDEX IF EXISTS seatgate_invitations_unfinished;
DROP INDEX IF EXISTS seatgate_invitations_email;
