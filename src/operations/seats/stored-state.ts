/**
 * The queries of a verification of an organization's seats.
 *
 * @module
 */
import { and, eq, inArray, isNotNull, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { Database } from '../../database/database.ts'
import type { AccessContext, Roles } from '../../engine/access/roles.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { seatLedgers } from '../../database/schema/seats-tables.ts'
import { carriedSeats, selectCarriedSeats } from '../../engine/seats/assigned-seats.ts'
import type { Expected, StoredFacts } from './differences.ts'
import { LEDGER_OUTBOX } from '../../engine/seats/provider.ts'
import { poolOf, readPool, type SeatType } from '../../base/seat-types.ts'
import { isPending, seatsReserved, isOfType } from '../../engine/seats/counts.ts'
import { entitlementOf, limitFrom } from '../../engine/seats/count-seats.ts'

/** The content of D1 for an organization as a whole, at one moment. */
export interface Overview extends StoredFacts {
  readonly epoch: number
  readonly version: Expected['version']
  readonly limit: Expected['limit']
  /** The seats of types that members hold; `rows.seats` has them too. */
  readonly typed: number
  /** The seats of the default type that open invitations hold. */
  readonly reserved: number
  /** The epochs of the ledgers of types, by their pools. */
  readonly typeEpochs: ReadonlyMap<string, number>
  readonly entitlement: Parameters<typeof limitFrom>[0]
  /** The organization's last event, and the last one that the ledger has received. */
  readonly head: number
  readonly heard: number
}

/** Reads the overview: one row for each member and each open invitation, and few others. */
export async function readOverview(
  { db, roles }: AccessContext,
  organizationId: string,
  now: Date
): Promise<Overview> {
  const { facts, needless, entitlement, epochs, miscounted } = await batch(db, {
    facts: db.select(FACTS).from(selectFacts(roles, organizationId, now)),
    needless: needlessSeats(db, roles, organizationId),
    entitlement: entitlementOf(db, organizationId),
    epochs: typeEpochs(db, roles, organizationId),
    miscounted: miscountedTypes(db, roles, organizationId),
  })
  const [row] = facts
  if (row === undefined) throw new Error('D1 returned no overview.')
  return {
    rows: { active: row.active, suspended: row.suspended, seats: row.seats },
    counter: {
      active: row.countedActive,
      suspended: row.countedSuspended,
      seats: row.countedSeats,
    },
    typed: row.typed,
    seatless: JSON.parse(row.seatless) as [string, string][],
    misplaced: JSON.parse(row.misplaced) as [string, string, string][],
    miscounted,
    needless: needless.flatMap(({ userId, seatId }) =>
      seatId === null ? [] : [{ userId, seatId }]
    ),
    fenced: [row.fenced, row.reservedFenced].flatMap((ids) => JSON.parse(ids) as string[]),
    epoch: row.epoch,
    reserved: row.reserved,
    head: row.head,
    heard: row.heard,
    ...limitFrom(entitlement),
    entitlement,
    typeEpochs: new Map(epochs.map(({ organizationId: pool, epoch }) => [pool, epoch])),
  }
}

/**
 * Reads the suspicious seats again, after the ledger, and the events that the ledger had not received
 * when it was read.
 */
export async function readExpected(
  db: Database,
  pool: string,
  seatIds: readonly string[],
  { heard }: Overview,
  now: Date
): Promise<Expected> {
  const { organizationId, type } = readPool(pool)
  const { members, reservations, entitlement, ledger, events } = await batch(db, {
    ...selectCarriedSeats(db, organizationId, seatIds, now),
    entitlement: entitlementOf(db, organizationId),
    ledger: rowsWhere(db, seatLedgers, eq(seatLedgers.organizationId, pool)),
    events: db
      .select({
        action: sql<string>`action`.as('action'),
        targetId: sql<string>`target_id`.as('target_id'),
        number: sql<string>`coalesce(metadata -> '$.version', metadata -> ${epochPath(type)})`.as(
          'number'
        ),
      })
      .from(
        sql`(select action, target_id, metadata from seatgate_audit_events
          where organization_id = ${organizationId} and sequence > ${heard}
          and action in ('seat.released', 'seat.limit_changed', 'seat.drift_repaired'))`
      ),
  })
  const numbers = (action: string) =>
    new Set(events.flatMap((event) => (event.action === action ? [Number(event.number)] : [])))
  const released = events.filter(({ action }) => action === 'seat.released')
  return {
    organizationId: pool,
    epoch: ledger[0]?.epoch ?? 0,
    ...limitFrom(entitlement, type),
    seats: carriedSeats(members, reservations),
    unheard: {
      released: new Set(released.map(({ targetId }) => targetId)),
      versions: numbers('seat.limit_changed'),
      renewed: numbers('seat.drift_repaired'),
    },
    now,
  }
}

function epochPath(type: SeatType): string {
  return type === null ? '$.ledger_epoch' : `$.type_epochs.${type}`
}

const column = (name: string) => sql<number>`${sql.raw(name)}`.as(name)
const list = (name: string) => sql<string>`${sql.raw(name)}`.as(name)

const FACTS = {
  active: column('active'),
  suspended: column('suspended'),
  seats: column('seats'),
  countedActive: column('counted_active'),
  countedSuspended: column('counted_suspended'),
  countedSeats: column('counted_seats'),
  typed: column('typed'),
  seatless: list('seatless'),
  misplaced: list('misplaced'),
  fenced: list('fenced'),
  reservedFenced: list('promised_fenced'),
  epoch: column('epoch'),
  reserved: column('reserved'),
  head: column('head'),
  heard: column('heard'),
}

// No query if every role takes a seat.
function needlessSeats(db: Database, { seatless }: Roles, organizationId: string) {
  return seatless.length === 0
    ? null
    : db
        .select({ userId: memberships.userId, seatId: memberships.seatId })
        .from(memberships)
        .where(
          and(
            eq(memberships.organizationId, organizationId),
            inArray(memberships.role, seatless),
            isNotNull(memberships.seatId)
          )
        )
}

// No query without types.
function typeEpochs(db: Database, { seatTypes }: Roles, organizationId: string) {
  const pools = [...seatTypes.keys()].map((type) => poolOf(organizationId, type))
  return pools.length === 0
    ? null
    : rowsWhere(db, seatLedgers, inArray(seatLedgers.organizationId, pools))
}

// No query without types: the count of a type that is no longer configured is that of its own seats.
function miscountedTypes(db: Database, { seatTypes }: Roles, organizationId: string) {
  return seatTypes.size === 0
    ? null
    : db
        .select({
          type: sql<string>`type`.as('type'),
          rows: sql<number>`sum(there)`.as('there'),
          counted: sql<number>`sum(counted)`.as('counted'),
        })
        .from(
          sql`(select substr(seat_id, 2, instr(seat_id, '/') - 2) as type, 1 as there, 0 as counted
              from seatgate_memberships
              where organization_id = ${organizationId} and seat_id glob '~[a-z]*/*'
            union all select seat_type, 0, seats from seatgate_seat_type_counts
              where organization_id = ${organizationId})`
        )
        .groupBy(sql`type`)
        .having(sql`sum(there) <> sum(counted)`)
}

// Whether a seat is of another type than that of the role. A role without a seat is not asked about.
function isMisplaced({ seatless, seatTypes }: Roles): SQL {
  const typed = [...seatTypes.values()].flatMap(({ roles }) => roles)
  const wrong = [...seatTypes].map(
    ([type, { roles }]) => sql`(role in ${roles} and not (${isOfType(type)}))`
  )
  const others = [...seatless, ...typed]
  const isOther = others.length === 0 ? sql`` : sql`role not in ${others} and `
  return sql.join([sql`(${isOther}not (${isOfType(null)}))`, ...wrong], sql` or `)
}

// An invitation that is about to expire may have expired for the ledger already, and be fenced.
function selectFacts(roles: Roles, organizationId: string, now: Date) {
  const { seatless } = roles
  const takesSeat = seatless.length === 0 ? sql`` : sql` and role not in ${seatless}`
  const fenced = sql`seat_id in (select seat_id from seatgate_seat_fences)`
  const later = new Date(now.getTime() + 60_000)
  return sql`(
    select present.*,
      coalesce(counter.active, 0) as counted_active,
      coalesce(counter.suspended, 0) as counted_suspended,
      coalesce(counter.seats, 0) as counted_seats,
      coalesce((select epoch from seatgate_seat_ledgers where organization_id = ${organizationId}), 0) as epoch,
      ${seatsReserved(organizationId, now)} as reserved,
      (select json_group_array(seat_id) from seatgate_invitations
        where organization_id = ${organizationId} and ${isPending(later)} and ${fenced}) as promised_fenced,
      coalesce((select max(sequence) from seatgate_audit_events
        where organization_id = ${organizationId}), 0) as head,
      coalesce((select sequence from seatgate_sink_cursors
        where organization_id = ${organizationId} and sink_id = ${LEDGER_OUTBOX}), 0) as heard
    from (
      select count(*) filter (where status = 'active') as active,
        count(*) filter (where status = 'suspended') as suspended,
        count(seat_id) as seats,
        count(*) filter (where not (${isOfType(null)})) as typed,
        json_group_array(json_array(user_id, role))
          filter (where status = 'active' and seat_id is null${takesSeat}) as seatless,
        json_group_array(json_array(user_id, role, seat_id))
          filter (where seat_id is not null and (${isMisplaced(roles)})) as misplaced,
        json_group_array(seat_id) filter (where ${fenced}) as fenced
      from seatgate_memberships where organization_id = ${organizationId}
    ) as present
    left join seatgate_member_counts as counter on counter.organization_id = ${organizationId}
  )`
}
