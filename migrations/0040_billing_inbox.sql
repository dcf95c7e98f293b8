-- The customers of organizations at billing providers, with the number of seats that was last asked for and is not
-- confirmed yet.
CREATE TABLE IF NOT EXISTS seatgate_billing_customers (
  provider TEXT NOT NULL CHECK (length(provider) > 0),
  organization_id TEXT NOT NULL REFERENCES seatgate_organizations (id),
  customer_id TEXT NOT NULL CHECK (length(customer_id) > 0),
  changes INTEGER NOT NULL DEFAULT 0 CHECK (changes >= 0),
  seats INTEGER CHECK (seats > 0),
  proration TEXT CHECK (proration IN ('create', 'none', 'always_invoice')),
  due_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  last_error TEXT,
  checked_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, provider)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS seatgate_billing_customers_customer ON seatgate_billing_customers (provider, customer_id);
CREATE INDEX IF NOT EXISTS seatgate_billing_customers_checked ON seatgate_billing_customers (checked_at);
CREATE INDEX IF NOT EXISTS seatgate_billing_customers_due ON seatgate_billing_customers (due_at) WHERE due_at IS NOT NULL;

-- The webhooks of billing providers: identifiers and times, no bodies. A row with a due time is work.
CREATE TABLE IF NOT EXISTS seatgate_billing_inbox (
  provider TEXT NOT NULL CHECK (length(provider) > 0),
  account TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
  event_id TEXT NOT NULL CHECK (length(event_id) > 0),
  type TEXT NOT NULL,
  subscription_id TEXT,
  customer_id TEXT,
  provider_time INTEGER,
  status TEXT NOT NULL CHECK (status IN ('received', 'parked', 'failed', 'succeeded', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at INTEGER,
  last_error TEXT,
  received_at INTEGER NOT NULL,
  finished_at INTEGER,
  PRIMARY KEY (provider, account, mode, event_id),
  CHECK ((due_at IS NULL) = (status IN ('succeeded', 'dead'))),
  CHECK ((finished_at IS NULL) = (due_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seatgate_billing_inbox_due ON seatgate_billing_inbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_billing_inbox_subscription ON seatgate_billing_inbox (provider, subscription_id) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS seatgate_billing_inbox_finished ON seatgate_billing_inbox (status, finished_at) WHERE finished_at IS NOT NULL;
