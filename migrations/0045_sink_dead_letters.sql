CREATE TABLE IF NOT EXISTS sink_dead_letters (
  organization_id TEXT NOT NULL,
  sink_id TEXT NOT NULL,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  event_id TEXT NOT NULL,
  action TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('dead', 'queued', 'delivered')),
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL CHECK (attempts > 0),
  died_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (organization_id, sink_id, sequence)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sink_dead_letters_queued ON sink_dead_letters (organization_id, sink_id, sequence) WHERE state = 'queued';
