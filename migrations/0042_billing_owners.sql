-- What the host does for an event of a provider, once for each handler. A row with a due time is work.
CREATE TABLE IF NOT EXISTS seatgate_billing_handlers (
  provider TEXT NOT NULL CHECK (length(provider) > 0),
  account TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
  event_id TEXT NOT NULL CHECK (length(event_id) > 0),
  handler TEXT NOT NULL CHECK (length(handler) > 0),
  organization_id TEXT,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at INTEGER,
  last_error TEXT,
  finished_at INTEGER,
  PRIMARY KEY (provider, account, mode, event_id, handler),
  CHECK ((finished_at IS NULL) = (due_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_billing_handlers_due ON seatgate_billing_handlers (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_billing_handlers_finished ON seatgate_billing_handlers (finished_at) WHERE finished_at IS NOT NULL;

-- The customers of users, whose subscriptions are canceled with them. A row with a due time is work.
CREATE TABLE IF NOT EXISTS seatgate_billing_users (
  provider TEXT NOT NULL CHECK (length(provider) > 0),
  user_id TEXT NOT NULL CHECK (length(user_id) > 0),
  customer_id TEXT NOT NULL CHECK (length(customer_id) > 0),
  due_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  last_error TEXT,
  requested_at INTEGER,
  finished_at INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, provider)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_billing_users_customer ON seatgate_billing_users (provider, customer_id);
CREATE INDEX IF NOT EXISTS seatgate_billing_users_due ON seatgate_billing_users (due_at) WHERE due_at IS NOT NULL;
