/**
 * The ledger's storage in its Durable Object: one row per seat, and one row with the limit, the
 * epoch and the counts. Triggers keep the counts, so that they cannot differ from the seats.
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
import type { LedgerStart } from '../parts/ledger/start-ledger.ts'

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
  CREATE TRIGGER IF NOT EXISTS seats_counted AFTER INSERT ON seats BEGIN
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

type SeatRow = { seat_id: string; holder: string; state: 'reserved' | 'held' }

/** Opens the tables, and creates them on first use. Every call is synchronous. */
export function openLedgerTables(sql: SqlStorage) {
  sql.exec(TABLES)
  const ledger = () => sql.exec<LedgerRow>('SELECT * FROM ledger').toArray().at(0)
  const seatWhere = (condition: string, value: string): LedgerSeat | null => {
    const row = sql
      .exec<SeatRow>(`SELECT seat_id, holder, state FROM seats WHERE ${condition}`, value)
      .toArray()
      .at(0)
    return row ? { seatId: row.seat_id, holder: row.holder, state: row.state } : null
  }
  return {
    organizationId: () => ledger()?.organization_id ?? null,
    epoch: () => ledger()?.epoch ?? null,

    count(defaultLimit: SeatLimit): SeatCount {
      const row = ledger()
      if (row === undefined) throw new Error('The ledger has not been started.')
      const { version, held, reserved } = row
      return { limit: version === 0 ? defaultLimit : limitOf(row), version, held, reserved }
    },

    start(
      start: LedgerStart & { organizationId: string },
      seats: readonly (LedgerSeat & { readonly deadline: number | null })[]
    ): void {
      const { organizationId, epoch, version } = start
      const limit = start.limit ?? unknown
      sql.exec(
        'INSERT INTO ledger (id, organization_id, epoch, version, limit_kind, limit_seats) VALUES (1, ?, ?, ?, ?, ?)',
        organizationId,
        epoch,
        version,
        limit.kind,
        limit.kind === 'finite' ? limit.seats : null
      )
      for (const seat of seats) this.add(seat, seat.deadline)
    },

    /** Deletes all rows; the counts are deleted first. */
    clear(): void {
      sql.exec('DELETE FROM ledger')
      sql.exec('DELETE FROM seats')
    },

    snapshot(now: number): LedgerSnapshot | null {
      const row = ledger()
      if (row === undefined) return null
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
    },

    dropReservation(seatId: string): void {
      sql.exec("DELETE FROM seats WHERE seat_id = ? AND state = 'reserved'", seatId)
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
      sql
        .exec<{ next: number | null }>(
          'SELECT min(deadline) AS next FROM seats WHERE deadline IS NOT NULL'
        )
        .one().next,
  }
}

function limitOf({ limit_kind, limit_seats }: LedgerRow): SeatLimit {
  if (limit_kind === 'unlimited') return unlimited
  return limit_kind === 'finite' && limit_seats !== null ? finite(limit_seats) : unknown
}
