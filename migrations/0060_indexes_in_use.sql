DROP INDEX IF EXISTS seatgate_invitations_token;
DROP INDEX IF EXISTS seatgate_organization_slug_aliases_organization;
DROP INDEX IF EXISTS seatgate_billing_inbox_subscription;
CREATE INDEX IF NOT EXISTS seatgate_billing_inbox_subject ON seatgate_billing_inbox (subscription_id, provider) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_memberships_over_limit ON seatgate_memberships (organization_id, created_at, id) WHERE suspended_by = 'over_limit';
