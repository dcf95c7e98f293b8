/**
 * The ledger's storage in its Durable Object: one row per seat, and one row with the limit, the
 * epoch and the counts. Triggers keep the counts, so that they cannot differ from the seats. While the
 * seats of D1 are imported there is a row that says how far.
 *
 * @module
 */
import {
  finite,
  unknown,
  unlimited,
  type SeatCount,
  type SeatLimit,
} from '../engine/seats/limit.ts'
import type { LedgerSeat, LedgerSnapshot } from '../engine/seats/reserve-rules.ts'
import type { CarriedSeat } from '../engine/seats/assigned-seats.ts'
import type { ImportPlace, LedgerStart, SeatPage } from '../parts/ledger/start-ledger.ts'

export type LedgerTables = ReturnType<typeof openLedgerTables>

const TABLES = `
  CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    organization_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    limit_kind TEXT NOT NULL,
    limit_seats INTEGER,
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0)
  );
  CREATE TABLE IF NOT EXISTS seats (
    seat_id TEXT PRIMARY KEY,
    holder TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'held')),
    deadline INTEGER,
    CHECK ((state = 'reserved') = (deadline IS NOT NULL))
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS seats_deadline ON seats (deadline) WHERE deadline IS NOT NULL;
  CREATE TABLE IF NOT EXISTS import (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    stage TEXT NOT NULL CHECK (stage IN ('invitations', 'members')),
    after TEXT NOT NULL,
    pending INTEGER NOT NULL CHECK (pending >= 0),
    filling INTEGER NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS released (seat_id TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS seats_counted AFTER INSERT ON seats
  WHEN NOT EXISTS (SELECT 1 FROM import WHERE filling = 1) BEGIN
    UPDATE ledger SET held = held + (NEW.state = 'held'), reserved = reserved + (NEW.state = 'reserved');
  END;
  CREATE TRIGGER IF NOT EXISTS seats_recounted AFTER UPDATE OF state ON seats BEGIN
    UPDATE ledger SET held = held + (NEW.state = 'held') - (OLD.state = 'held'),
      reserved = reserved + (NEW.state = 'reserved') - (OLD.state = 'reserved');
  END;
  CREATE TRIGGER IF NOT EXISTS seats_discounted AFTER DELETE ON seats BEGIN
    UPDATE ledger SET held = held - (OLD.state = 'held'), reserved = reserved - (OLD.state = 'reserved');
  END;
`

type LedgerRow = {
  organization_id: string
  epoch: number
  version: number
  limit_kind: string
  limit_seats: number | null
  held: number
  reserved: number
}

type ImportRow = { stage: ImportPlace['stage']; after: string; pending: number }

type SeatRow = { seat_id: string; holder: string; state: 'reserved' | 'held' }

const NAMES = ['ledger', 'import', 'released', 'seats']

/**
 * Opens the tables. They are made when the ledger starts, so that an object that was only asked about one
 * costs no storage. Every call is synchronous.
 */
export function openLedgerTables(sql: SqlStorage) {
  // Known without a row read, as most calls meet no import.
  let [made, importing] = [false, false]
  const refresh = () => {
    const tables = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ledger'"
    made = sql.exec(tables).toArray().length > 0
    importing = made && sql.exec('SELECT 1 FROM import').toArray().length > 0
  }
  refresh()
  const ledger = () =>
    made ? sql.exec<LedgerRow>('SELECT * FROM ledger').toArray().at(0) : undefined
  const progress = () =>
    importing
      ? sql.exec<ImportRow>('SELECT stage, after, pending FROM import').toArray().at(0)
      : undefined
  const seatWhere = (condition: string, value: string): LedgerSeat | null => {
    const row = sql
      .exec<SeatRow>(`SELECT seat_id, holder, state FROM seats WHERE ${condition}`, value)
      .toArray()
      .at(0)
    return row ? { seatId: row.seat_id, holder: row.holder, state: row.state } : null
  }
  return {
    /** Looks again at what is there, after a transaction that may have been rolled back. */
    refresh,

    organizationId: () => ledger()?.organization_id ?? null,
    epoch: () => ledger()?.epoch ?? null,

    count(defaultLimit: SeatLimit): SeatCount {
      const row = ledger()
      if (row === undefined) throw new Error('The ledger has not been started.')
      const { version, reserved } = row
      const held = row.held + (progress()?.pending ?? 0)
      return { limit: version === 0 ? defaultLimit : limitOf(row), version, held, reserved }
    },

    /** Returns where the next page of the import begins; null if the import is over. */
    place(): ImportPlace | null {
      const row = progress()
      return row ? { stage: row.stage, after: row.after } : null
    },

    /**
     * Whether the count may be above the seats in use: a seat that was released before its row was
     * imported is counted until the import is over.
     */
    mayOvercount: (): number =>
      sql.exec<{ count: number }>('SELECT count(*) AS count FROM released').one().count,

    start(start: LedgerStart & { organizationId: string }): void {
      sql.exec(TABLES)
      const { organizationId, epoch, version, members } = start
      const limit = start.limit ?? unknown
      sql.exec(
        'INSERT INTO ledger (id, organization_id, epoch, version, limit_kind, limit_seats) VALUES (1, ?, ?, ?, ?, ?)',
        organizationId,
        epoch,
        version,
        limit.kind,
        limit.kind === 'finite' ? limit.seats : null
      )
      sql.exec(
        "INSERT INTO import (id, stage, after, pending) VALUES (1, 'members', '', ?)",
        members
      )
      refresh()
      this.import(start)
    },

    /**
     * Adds imported seats, without those that were released since they were read. The ledger's own rows
     * are newer: a seat or a holder that is there stays as it is. With `next` the import goes on from
     * that place, with null it is over; without, its place stays the same.
     */
    import({ seats, next }: Pick<SeatPage, 'seats'> & Partial<SeatPage>): void {
      if (!importing) return
      sql.exec('UPDATE import SET filling = 1')
      const added = sql
        .exec<{ state: LedgerSeat['state'] }>(FILL, JSON.stringify(seats.map(entryOf)))
        .toArray()
      const held = added.filter(({ state }) => state === 'held').length
      sql.exec(
        'UPDATE ledger SET held = held + ?, reserved = reserved + ?',
        held,
        added.length - held
      )
      sql.exec('UPDATE import SET filling = 0, pending = max(0, pending - ?)', held)
      if (next) sql.exec('UPDATE import SET stage = ?, after = ?', next.stage, next.after)
      if (next !== null) return
      sql.exec('DELETE FROM import')
      sql.exec('DELETE FROM released')
      refresh()
    },

    /** Drops all tables: this writes few rows at any number of seats. */
    clear(): void {
      for (const table of NAMES) sql.exec(`DROP TABLE IF EXISTS ${table}`)
      refresh()
    },

    /** Returns the whole content; null before the start, and until the import is over. */
    snapshot(now: number): LedgerSnapshot | null {
      const row = ledger()
      if (row === undefined || importing) return null
      const { organization_id: organizationId, epoch, version, held, reserved } = row
      const limit = version === 0 ? null : limitOf(row)
      const seats = sql
        .exec<SeatRow & { deadline: number | null }>('SELECT * FROM seats')
        .toArray()
        .map(({ seat_id: seatId, holder, state, deadline }) => ({
          seatId,
          holder,
          state,
          remainingMs: deadline === null ? null : deadline - now,
        }))
      return { organizationId, epoch, version, limit, held, reserved, seats }
    },

    setLimit(version: number, limit: SeatLimit): void {
      sql.exec(
        'UPDATE ledger SET version = ?1, limit_kind = ?2, limit_seats = ?3 WHERE version < ?1',
        version,
        limit.kind,
        limit.kind === 'finite' ? limit.seats : null
      )
    },

    seatById: (seatId: string) => seatWhere('seat_id = ?', seatId),
    seatOf: (holder: string) => seatWhere('holder = ?', holder),

    add({ seatId, holder, state }: LedgerSeat, deadline: number | null): void {
      sql.exec('INSERT INTO seats VALUES (?, ?, ?, ?)', seatId, holder, state, deadline)
    },

    hold(seatId: string): void {
      sql.exec("UPDATE seats SET state = 'held', deadline = NULL WHERE seat_id = ?", seatId)
    },

    hasten(seatId: string, deadline: number): void {
      sql.exec(
        "UPDATE seats SET deadline = min(deadline, ?) WHERE seat_id = ? AND state = 'reserved'",
        deadline,
        seatId
      )
    },

    promise(seatId: string, until: number): void {
      sql.exec(
        "UPDATE seats SET deadline = ? WHERE seat_id = ? AND state = 'reserved'",
        until,
        seatId
      )
    },

    remove(seatId: string): void {
      sql.exec('DELETE FROM seats WHERE seat_id = ?', seatId)
      this.remember(seatId)
    },

    dropReservation(seatId: string): void {
      sql.exec("DELETE FROM seats WHERE seat_id = ? AND state = 'reserved'", seatId)
      this.remember(seatId)
    },

    // A page that was read before must not bring it back.
    remember(seatId: string): void {
      if (importing) sql.exec('INSERT OR IGNORE INTO released VALUES (?)', seatId)
    },

    due: (now: number, most: number): string[] =>
      sql
        .exec<{ seat_id: string }>(
          'SELECT seat_id FROM seats WHERE deadline <= ? ORDER BY deadline LIMIT ?',
          now,
          most
        )
        .toArray()
        .map((row) => row.seat_id),

    // The condition lets SQLite use the partial index; without it every seat is read.
    nextDeadline: (): number | null =>
      made
        ? sql
            .exec<{ next: number | null }>(
              'SELECT min(deadline) AS next FROM seats WHERE deadline IS NOT NULL'
            )
            .one().next
        : null,
  }
}

const FILL = `
  INSERT OR IGNORE INTO seats
  SELECT value ->> 0, value ->> 1, CASE WHEN value ->> 2 IS NULL THEN 'held' ELSE 'reserved' END, value ->> 2
  FROM json_each(?) WHERE value ->> 0 NOT IN (SELECT seat_id FROM released)
  RETURNING state
`

function entryOf({ seatId, holder, until }: CarriedSeat) {
  return [seatId, holder, until?.getTime() ?? null]
}

function limitOf({ limit_kind, limit_seats }: LedgerRow): SeatLimit {
  if (limit_kind === 'unlimited') return unlimited
  return limit_kind === 'finite' && limit_seats !== null ? finite(limit_seats) : unknown
}
