/**
 * Chooses the organizations whose seats a sweep verifies: first those that changed since they were
 * verified, then the next in turn, as a change by hand leaves no event.
 *
 * @module
 */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { rotations } from '../../database/schema/changes-tables.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { seatChecks } from '../../database/schema/seats-tables.ts'
import type { Runtime } from '../../base/runtime.ts'
import { seatsHeld } from '../../engine/seats/counts.ts'

/** How many organizations a sweep verifies at most. */
export const ORGANIZATIONS_PER_SWEEP = 25
/** How many of them at most because they changed. The others are the next in turn. */
export const CHANGED_PER_SWEEP = 20
/** Of how many organizations a sweep compares the end of the trail with the last verification. */
export const COMPARED_PER_SWEEP = 5000
const SEATS_PER_SWEEP = 5000
// A busy organization is verified again after this time, and a large one later still.
const PAUSE_MS = 5 * 60_000
const PAUSE_PER_SEAT_MS = 60_000 / SEATS_PER_SWEEP

const TURN = 'seats'
const COMPARISON = 'seat_changes'

/** An organization that is to be verified. */
export interface DueOrganization {
  readonly id: string
  /** The end of its trail, to be recorded with the verification; null if no record is needed. */
  readonly sequence: number | null
}

/** The organizations of one sweep. Those in turn come last, and the turn goes from one id to another. */
export interface Turn {
  readonly changed: readonly DueOrganization[]
  readonly inTurn: readonly DueOrganization[]
  readonly from: string
  readonly to: string
}

interface Candidate {
  readonly id: string
  readonly seats: number
  readonly head: number
  readonly sequence: number | null
  readonly checkedAt: number | null
}

/**
 * Takes the next turn, in two round trips. The turn goes in the order of ids, and starts again at the
 * end. Of two concurrent sweeps one gets the turn.
 */
export async function takeTurn({ db, now }: DatabaseContext & Pick<Runtime, 'now'>): Promise<Turn> {
  const { places, compared, last, next } = await batch(db, {
    places: rowsWhere(db, rotations, inArray(rotations.name, [TURN, COMPARISON])),
    compared: selectChanged({ db }),
    last: selectLastCompared({ db }),
    next: selectNext({ db }),
  })
  const placeOf = (name: string) => places.find((row) => row.name === name)?.place ?? ''
  const changed = chooseChanged(compared, now())
  const known = new Set(changed.map(({ id }) => id))
  const left = ORGANIZATIONS_PER_SWEEP - changed.length
  const chosen = withinBudget(next.slice(0, left))
  const isRoundOver = chosen.length === next.length && next.length < ORGANIZATIONS_PER_SWEEP
  const [from, to] = [placeOf(TURN), isRoundOver ? '' : (chosen.at(-1)?.id ?? '')]
  const isWhole = (last[0]?.count ?? 0) < COMPARED_PER_SWEEP
  const comparedTo = isWhole ? '' : (last[0]?.last ?? '')
  const { moved } = await batch(db, {
    moved: movePlace({ db }, TURN, from, to),
    ...(comparedTo !== placeOf(COMPARISON) && {
      compared: movePlace({ db }, COMPARISON, placeOf(COMPARISON), comparedTo),
    }),
  })
  if (moved.length === 0) return { changed: [], inTurn: [], from, to }
  const inTurn = chosen.filter(({ id, deletedAt }) => deletedAt === null && !known.has(id))
  return { changed: changed.map(due), inTurn: inTurn.map(due), from, to }
}

/** Gives back the end of a turn, unless another sweep has moved on from there. */
export async function turnBack({ db }: DatabaseContext, { to }: Turn, last: string): Promise<void> {
  await batch(db, {
    back: db
      .update(rotations)
      .set({ place: last })
      .where(and(eq(rotations.name, TURN), eq(rotations.place, to))),
  })
}

/** Records which organizations were verified, and how far their trails were then. */
export async function recordChecks(
  { db, now }: DatabaseContext & Pick<Runtime, 'now'>,
  verified: readonly DueOrganization[]
): Promise<void> {
  const rows = verified.filter(({ sequence }) => sequence !== null)
  if (rows.length === 0) return
  const list = JSON.stringify(rows.map(({ id, sequence }) => [id, sequence]))
  await batch(db, {
    recorded: db
      .insert(seatChecks)
      .select(
        sql`select value ->> 0, value ->> 1, ${now().getTime()} from json_each(${list}) where true`
      )
      .onConflictDoUpdate({
        target: seatChecks.organizationId,
        set: { sequence: sql`excluded.sequence`, checkedAt: sql`excluded.checked_at` },
      }),
  })
}

/**
 * Chooses among organizations with new events: those whose verification is longest ago first, and those
 * that were never verified last, since the turn reaches them too.
 */
export function chooseChanged(
  compared: readonly Candidate[],
  now: Date
): readonly (Candidate & { readonly checkedAt: number | null })[] {
  const isRested = ({ checkedAt, seats }: Candidate) =>
    checkedAt === null || now.getTime() - checkedAt >= PAUSE_MS + seats * PAUSE_PER_SEAT_MS
  const longestAgo = ({ checkedAt }: Candidate) => checkedAt ?? Infinity
  const due = compared
    .filter(isRested)
    .toSorted((a, b) => longestAgo(a) - longestAgo(b) || (a.id < b.id ? -1 : 1))
  return withinBudget(due.slice(0, CHANGED_PER_SWEEP))
}

function due({ id, head, sequence }: Omit<Candidate, 'checkedAt'>): DueOrganization {
  return { id, sequence: head === sequence ? null : head }
}

/** Returns the first organizations whose seats fit the budget together; at least one. */
function withinBudget<T extends { readonly seats: number }>(next: readonly T[]): readonly T[] {
  let sum = 0
  return next.filter(({ seats }, index) => {
    sum += seats
    return index === 0 || sum <= SEATS_PER_SWEEP
  })
}

const headOf = sql`coalesce((select max(sequence) from seatgate_audit_events
  where organization_id = seatgate_organizations.id), 0)`

function selectNext({ db }: DatabaseContext) {
  return db
    .select({
      id: organizations.id,
      deletedAt: organizations.deletedAt,
      seats: seatsHeld(sql`${organizations.id}`).as('seats'),
      head: sql<number>`${headOf}`.as('head'),
      sequence: sql<number | null>`(select sequence from seatgate_seat_checks
        where organization_id = seatgate_organizations.id)`.as('checked'),
    })
    .from(organizations)
    .where(gt(organizations.id, placeIn(TURN)))
    .orderBy(asc(organizations.id))
    .limit(ORGANIZATIONS_PER_SWEEP)
}

function placeIn(name: string) {
  return sql`coalesce((select place from seatgate_rotations where name = ${name}), '')`
}

// The ids alone, which are in the index.
const compare = sql`(select id from seatgate_organizations where id > ${placeIn(COMPARISON)}
  order by id limit ${COMPARED_PER_SWEEP})`

function selectLastCompared({ db }: DatabaseContext) {
  return db
    .select({
      last: sql<string | null>`max(id)`.as('last'),
      count: sql<number>`count(*)`.as('count'),
    })
    .from(sql`${compare}`)
}

// One row of the trail and one record for each: an organization without new events costs no more.
function selectChanged({ db }: DatabaseContext) {
  return db
    .select({
      id: sql<string>`id`.as('id'),
      seats: seatsHeld(sql`id`).as('seats'),
      head: sql<number>`head`.as('head'),
      sequence: sql<number | null>`checked`.as('checked'),
      checkedAt: sql<number | null>`checked_at`.as('checked_at'),
    })
    .from(
      sql`(select compared.id, record.sequence as checked, record.checked_at,
        (select max(sequence) from seatgate_audit_events
          where organization_id = compared.id) as head
      from ${compare} as compared
      left join seatgate_seat_checks as record on record.organization_id = compared.id) as changed`
    )
    .where(
      sql`head > coalesce(checked, 0) and exists (
        select 1 from seatgate_organizations as live
        where live.id = changed.id and live.deleted_at is null)`
    )
}

function movePlace({ db }: DatabaseContext, name: string, from: string, to: string) {
  return db
    .insert(rotations)
    .values({ name, place: to })
    .onConflictDoUpdate({
      target: rotations.name,
      set: { place: to },
      setWhere: eq(rotations.place, from),
    })
    .returning()
}
