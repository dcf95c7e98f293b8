/**
 * The ledger's storage in its Durable Object: one row per seat, and one row with the limit, the epoch, the
 * counts and the claims. A claim is a seat that was granted and is not confirmed yet: it is in the row
 * that counts it, so that granting a seat writes two rows and confirming it one. While the seats of D1 are
 * imported there is a row that says how far.
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
import { invitationHolder } from '../base/seat-types.ts'
import type { CarriedSeat } from '../engine/seats/assigned-seats.ts'
import type { ImportPlace, LedgerStart, SeatPage } from '../parts/ledger/start-ledger.ts'

export type LedgerTables = ReturnType<typeof openLedgerTables>

const wasHeld = `(OLD.deadline IS NULL AND NOT EXISTS (SELECT 1 FROM json_each(claims) WHERE key = OLD.seat_id))`

// A seat is reserved if it has a deadline or a claim. An invitation's seat has a deadline, and so has one
// that was granted when there were many claims. `claimed` is the deadline that the seat was claimed with,
// which comes before the invitation's until the claim ends.
const TABLES = `
  CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    organization_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    limit_kind TEXT NOT NULL,
    limit_seats INTEGER,
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    claims TEXT NOT NULL DEFAULT '{}'
  );
  CREATE TABLE IF NOT EXISTS seats (
    holder TEXT PRIMARY KEY,
    seat_id TEXT NOT NULL,
    deadline INTEGER,
    claimed INTEGER
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
    UPDATE ledger SET held = held + (coalesce(NEW.deadline, NEW.claimed) IS NULL),
      reserved = reserved + (coalesce(NEW.deadline, NEW.claimed) IS NOT NULL),
      claims = iif(NEW.claimed IS NULL, claims,
        json_patch(claims, json_object(NEW.seat_id, json_array(NEW.claimed, NEW.holder))));
  END;
  CREATE TRIGGER IF NOT EXISTS seats_recounted AFTER UPDATE OF deadline ON seats BEGIN
    UPDATE ledger SET held = held + (NEW.deadline IS NULL) - ${wasHeld},
      reserved = reserved + (NEW.deadline IS NOT NULL) - NOT ${wasHeld},
      claims = json_patch(claims, json_object(OLD.seat_id, NULL));
  END;
  CREATE TRIGGER IF NOT EXISTS seats_discounted AFTER DELETE ON seats BEGIN
    UPDATE ledger SET held = held - ${wasHeld}, reserved = reserved - NOT ${wasHeld},
      claims = json_patch(claims, json_object(OLD.seat_id, NULL));
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
  claims: string
}

/** The claims by their seats: until when each waits for its confirmation, and its holder. */
type Claims = ReadonlyMap<string, readonly [until: number, holder: string]>

// In a rush more claims are open. Then each has a deadline in its own row, or the one row would grow long.
const MOST_CLAIMS = 32

type ImportRow = { stage: ImportPlace['stage']; after: string; pending: number }

type SeatRow = { seat_id: string; holder: string; deadline: number | null }

const NAMES = ['ledger', 'import', 'released', 'seats']

/**
 * Opens the tables. They are made when the ledger starts, so that an object that was only asked about one
 * costs no storage. Every call is synchronous.
 */
export function openLedgerTables(sql: SqlStorage) {
  // Known without a row read, as most calls meet no import.
  let [made, importing] = [false, false]
  // The row of the ledger is read once a call, and again after a write.
  let read: { readonly row: LedgerRow | undefined } | null = null
  const refresh = () => {
    // Without claims it is a ledger of an earlier version, which is started again.
    const tables =
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'ledger' AND sql LIKE '%claims%'"
    read = null
    made = sql.exec(tables).toArray().length > 0
    importing = made && sql.exec('SELECT 1 FROM import').toArray().length > 0
  }
  refresh()
  const ledger = (): LedgerRow | undefined => {
    if (!made) return undefined
    read ??= { row: sql.exec<LedgerRow>('SELECT * FROM ledger').toArray().at(0) }
    return read.row
  }
  const write: typeof sql.exec = (...statement) => {
    read = null
    return sql.exec(...statement)
  }
  const progress = () =>
    importing
      ? sql.exec<ImportRow>('SELECT stage, after, pending FROM import').toArray().at(0)
      : undefined
  const rowOf = (holder: string): SeatRow | undefined =>
    sql
      .exec<SeatRow>('SELECT seat_id, holder, deadline FROM seats WHERE holder = ?', holder)
      .toArray()
      .at(0)
  const claimsNow = (): Claims => claimsIn(ledger()?.claims)

  /** Finds the row of a seat by its possible holders: its claim has the holder, else there are two. */
  const find = ({ seatId, userId }: SeatSought, claims: Claims): SeatRow | undefined => {
    const holders = new Set([claims.get(seatId)?.[1], userId, invitationHolder(seatId)])
    for (const holder of holders) {
      const row = holder == null ? undefined : rowOf(holder)
      if (row?.seat_id === seatId) return row
    }
    return undefined
  }
  /** Finds a seat that is reserved. */
  const findReserved = (sought: SeatSought) => {
    const claims = claimsNow()
    const row = find(sought, claims)
    if (!row) return undefined
    const claim = claims.get(row.seat_id)
    const until = claim?.[0] ?? row.deadline
    return until === null ? undefined : { ...row, until, isClaimed: claim !== undefined, claims }
  }
  const seatFrom = (row: SeatRow | undefined, claims: Claims): LedgerSeat | null => {
    if (!row) return null
    const { seat_id: seatId, holder, deadline } = row
    const reserved = deadline !== null || claims.has(seatId)
    return { seatId, holder, state: reserved ? 'reserved' : 'held' }
  }
  // The triggers count, and end the claim.
  const setDeadline = ({ holder }: Pick<SeatRow, 'holder'>, deadline: number | null) =>
    write('UPDATE seats SET deadline = ? WHERE holder = ?', deadline, holder)
  const endClaim = ({ seat_id }: Pick<SeatRow, 'seat_id'>) =>
    write('UPDATE ledger SET claims = json_patch(claims, json_object(?, NULL))', seat_id)
  const remove = ({ holder }: Pick<SeatRow, 'holder'>) =>
    write('DELETE FROM seats WHERE holder = ?', holder)
  const isFull = (claims: Claims) => claims.size >= MOST_CLAIMS
  return {
    /** Looks again at what is there, after a transaction that may have been rolled back. */
    refresh,

    /** Returns the organization, null before the start. Every call begins with it, so it reads the row. */
    organizationId(): string | null {
      read = null
      return ledger()?.organization_id ?? null
    },
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
      write(TABLES)
      const { organizationId, epoch, version, members } = start
      const limit = start.limit ?? unknown
      write(
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
        .exec<{ deadline: number | null }>(FILL, JSON.stringify(seats.map(entryOf)))
        .toArray()
      const held = added.filter(({ deadline }) => deadline === null).length
      write('UPDATE ledger SET held = held + ?, reserved = reserved + ?', held, added.length - held)
      sql.exec('UPDATE import SET filling = 0, pending = max(0, pending - ?)', held)
      if (next) sql.exec('UPDATE import SET stage = ?, after = ?', next.stage, next.after)
      if (next !== null) return
      sql.exec('DELETE FROM import')
      sql.exec('DELETE FROM released')
      refresh()
    },

    /** Drops all tables: this writes few rows at any number of seats. */
    clear(): void {
      for (const table of NAMES) write(`DROP TABLE IF EXISTS ${table}`)
      refresh()
    },

    /** Returns the whole content; null before the start, and until the import is over. */
    snapshot(now: number): LedgerSnapshot | null {
      const row = ledger()
      if (row === undefined || importing) return null
      const { organization_id: organizationId, epoch, version, held, reserved } = row
      const limit = version === 0 ? null : limitOf(row)
      const claims = claimsIn(row.claims)
      const seats = sql
        .exec<SeatRow>('SELECT seat_id, holder, deadline FROM seats ORDER BY holder')
        .toArray()
        .map(({ seat_id: seatId, holder, deadline }) => {
          const [claimed, claimer] = claims.get(seatId) ?? []
          const until = claimed !== undefined && claimer === holder ? claimed : deadline
          const state = until === null ? ('held' as const) : ('reserved' as const)
          return { seatId, holder, state, remainingMs: until === null ? null : until - now }
        })
      return { organizationId, epoch, version, limit, held, reserved, seats }
    },

    setLimit(version: number, limit: SeatLimit): void {
      write(
        'UPDATE ledger SET version = ?1, limit_kind = ?2, limit_seats = ?3 WHERE version < ?1',
        version,
        limit.kind,
        limit.kind === 'finite' ? limit.seats : null
      )
    },

    /** Returns the seat with this id and the seat of this holder. */
    seatsOf({ seatId, holder }: Pick<LedgerSeat, 'seatId' | 'holder'>) {
      const claims = claimsNow()
      const own = rowOf(holder)
      const same = own?.seat_id === seatId ? own : find({ seatId }, claims)
      return { sameSeat: seatFrom(same, claims), sameHolder: seatFrom(own, claims) }
    },

    /**
     * Reserves a seat that waits for its confirmation until the deadline. With `promised` an invitation
     * reserves it until then: its confirmation has to end the claim only. A claim is due no later than that,
     * because the alarm settles no other part of a claimed seat.
     */
    add(
      { seatId, holder }: Pick<LedgerSeat, 'seatId' | 'holder'>,
      until: number,
      promised: number | null = null
    ): void {
      const [claimed, deadline] = isFull(claimsNow())
        ? [null, until]
        : [Math.min(until, promised ?? until), promised]
      write(
        'INSERT INTO seats (holder, seat_id, claimed, deadline) VALUES (?, ?, ?, ?)',
        holder,
        seatId,
        claimed,
        deadline
      )
    },

    hold(sought: SeatSought): void {
      const seat = findReserved(sought)
      if (seat?.deadline === null) {
        write(
          'UPDATE ledger SET held = held + 1, reserved = reserved - 1, claims = json_patch(claims, json_object(?, NULL))',
          seat.seat_id
        )
      } else if (seat) setDeadline(seat, null)
    },

    hasten(sought: SeatSought, deadline: number): void {
      const seat = findReserved(sought)
      if (!seat) return
      const until = Math.min(seat.until, deadline)
      if (!seat.isClaimed && isFull(seat.claims)) setDeadline(seat, until)
      else {
        write(
          'UPDATE ledger SET claims = json_patch(claims, json_object(?, json_array(?, ?)))',
          seat.seat_id,
          until,
          seat.holder
        )
      }
    },

    promise(sought: SeatSought, until: number): void {
      const seat = findReserved(sought)
      if (seat?.isClaimed && seat.deadline === until) endClaim(seat)
      else if (seat) setDeadline(seat, until)
    },

    remove(sought: SeatSought): void {
      const row = find(sought, claimsNow())
      if (row) remove(row)
      this.remember(sought.seatId)
    },

    dropReservation(sought: SeatSought): void {
      const row = findReserved(sought)
      if (row) remove(row)
      this.remember(sought.seatId)
    },

    /**
     * Whether a reserved seat is there under its member, too: a request that comes late finds the seat of an
     * accepted invitation under another holder if the ledger was started again in between.
     */
    isDouble: ({ seatId, userId: holder }: SeatSought, member: string | null): boolean =>
      member !== null && member !== holder && rowOf(member)?.seat_id === seatId,

    // A page that was read before must not bring it back.
    remember(seatId: string): void {
      if (importing) sql.exec('INSERT OR IGNORE INTO released VALUES (?)', seatId)
    },

    /** Returns reserved seats whose deadline has passed, with their holders as `userId`. */
    due(now: number, most: number): readonly Required<SeatSought>[] {
      const claims = claimsNow()
      const claimed = [...claims].flatMap(([seatId, [until, userId]]) =>
        until <= now ? [{ seatId, userId }] : []
      )
      const rows = sql
        .exec<SeatRow>(
          'SELECT seat_id, holder FROM seats WHERE deadline <= ? ORDER BY deadline LIMIT ?',
          now,
          most
        )
        .toArray()
        .flatMap(({ seat_id: seatId, holder }) =>
          claims.has(seatId) ? [] : [{ seatId, userId: holder }]
        )
      return [...claimed, ...rows].slice(0, most)
    },

    // The condition lets SQLite use the partial index; without it every seat is read.
    nextDeadline(): number | null {
      if (!made) return null
      const { next } = sql
        .exec<{ next: number | null }>(
          'SELECT min(deadline) AS next FROM seats WHERE deadline IS NOT NULL'
        )
        .one()
      const claimed = [...claimsNow().values()].map(([until]) => until)
      const deadlines = next === null ? claimed : [...claimed, next]
      return deadlines.length === 0 ? null : Math.min(...deadlines)
    },
  }
}

/** A seat, and the member whose it may be. */
export interface SeatSought {
  readonly seatId: string
  readonly userId?: string | null | undefined
}

function claimsIn(text = '{}'): Claims {
  return new Map(Object.entries(JSON.parse(text) as Record<string, [number, string]>))
}

// A seat that an acceptance is about to make a member's is there under its invitation.
const FILL = `
  INSERT OR IGNORE INTO seats (holder, seat_id, deadline)
  SELECT value ->> 1, value ->> 0, value ->> 2
  FROM json_each(?) WHERE value ->> 0 NOT IN (SELECT seat_id FROM released)
    AND NOT EXISTS (SELECT 1 FROM seats AS own WHERE own.holder = 'invitation:' || (value ->> 0))
  RETURNING deadline
`

function entryOf({ seatId, holder, until }: CarriedSeat) {
  return [seatId, holder, until?.getTime() ?? null]
}

function limitOf({ limit_kind, limit_seats }: LedgerRow): SeatLimit {
  if (limit_kind === 'unlimited') return unlimited
  return limit_kind === 'finite' && limit_seats !== null ? finite(limit_seats) : unknown
}
