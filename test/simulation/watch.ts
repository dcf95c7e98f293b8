/**
 * Looks at both stores after every step that may have changed them: nothing may be wrong in between
 * either.
 *
 * @module
 */
import { growth, unknownSeats, usedIn, type LedgerState } from '../../src/testing/index.ts'
import { poolOf, readPool, typeOfSeat, type SeatType } from './access/pools.ts'
import type { BatchListener } from './database.ts'
import type { LedgerCall } from './ledger-object.ts'
import type { Surroundings } from './network.ts'
import { watchPassing } from './passing.ts'
import { seatsIn, type Registry } from './people.ts'
import { keptOutByPurge, keptOutTooSoon } from './purged-fences.ts'
import { watchRepairs, type Repairs } from './repairs.ts'
import { noteBatch, noteCall } from './sightings.ts'
import type { ProviderName } from './host.ts'

export interface Watch {
  readonly batch: BatchListener
  readonly call: (call: LedgerCall) => void
  /** D1 is another now: what was known of it is void. */
  restored(): void
  readonly repairs: Repairs
  readonly violations: string[]
}

/** The further types of seats: the limit of each, and which role takes one. */
export interface WatchedTypes {
  readonly limits: ReadonlyMap<string, number>
  readonly ofRole: (role: string) => SeatType
}

const NO_TYPES: WatchedTypes = { limits: new Map(), ofRole: () => null }

interface Known {
  ledger: LedgerState | null
  /** Seats that some ledger gave, or that D1 had before. */
  granted: ReadonlySet<string>
  carried: number
}

export function createWatch(
  surroundings: Surroundings,
  registry: Registry,
  provider: ProviderName,
  defaultLimit: number,
  ledgerOf: (organizationId: string) => LedgerState | null,
  types: WatchedTypes = NO_TYPES
): Watch {
  const { scheduler, sometimes, trace } = surroundings
  const violations: string[] = []
  let freedAt = -Infinity
  const known = new Map<string, Known>()
  const passing = watchPassing(types.ofRole)
  const repairs = watchRepairs()
  const say = (organizationId: string, problems: readonly string[]) => {
    for (const problem of problems) {
      trace.note(`VIOLATION ${organizationId}: ${problem}`)
      violations.push(`${organizationId}: ${problem}`)
    }
  }

  /** Looks at the seats of a pool: those of an organization, or those of a further type there. */
  const lookAt = (organizationId: string, ledgerStarts: boolean) => {
    const { organizationId: ownerId, type } = readPool(organizationId)
    const view = registry.view(ownerId)
    if (view === null) return
    const now = scheduler.now()
    const seatsAt = (time: number) =>
      seatsIn(view, time).filter((seat) => typeOfSeat(seat) === type)
    const carried = seatsAt(now)
    const typeLimit = types.limits.get(type ?? '')
    if (typeLimit !== undefined) {
      const used = Math.max(carried.length, usedOrNone(ledgerOf(organizationId)))
      if (used > typeLimit) say(organizationId, [`${used} seats of ${typeLimit} are taken`])
    }
    const before = known.get(organizationId)
    if (provider === 'd1') {
      const limit = typeLimit ?? view.limit ?? defaultLimit
      const used = seatsAt(now - 60_000).length
      if (before) say(organizationId, growth({ used: before.carried }, { used, limit }))
      known.set(organizationId, { ledger: null, granted: new Set(), carried: used })
      return
    }
    const ledger = ledgerOf(organizationId)
    if (ledger !== null) {
      noteHands(before?.ledger ?? null, ledger, now)
      say(organizationId, unknownSeats(carried, ledger))
      if (before?.ledger && !ledgerStarts) {
        say(organizationId, ledgerGrowth(before.ledger, ledger, typeLimit ?? defaultLimit))
      }
    } else if (before) {
      const strangers = carried.filter((seat) => !before.granted.has(seat))
      say(
        organizationId,
        strangers.map((seat) => `${seat} was never granted`)
      )
    }
    const granted = new Set([
      ...carried,
      ...(ledger ? ledger.seats.map(({ seat_id }) => seat_id) : (before?.granted ?? [])),
    ])
    known.set(organizationId, { ledger, granted, carried: carried.length })
  }

  return {
    violations,
    repairs,
    restored() {
      known.clear()
      surroundings.grants.restored(registry.ids())
      surroundings.access?.restored(registry.ids())
      surroundings.delegation?.restored(registry.ids())
    },
    batch(batch) {
      noteBatch(surroundings, registry, batch)
      for (const keptOut of keptOutByPurge(registry, batch)) {
        sometimes('a late write met what its purged fence has left')
        say(keptOut.organizationId, keptOutTooSoon(keptOut, scheduler.now()))
      }
      const writes = batch.statements.filter(({ sql }) => !sql.startsWith('select'))
      if (batch.answers !== null && writes.some(({ sql }) => CHANGES_PROOFS.test(sql))) {
        say('mail', surroundings.post.unproven())
      }
      if (writes.some(({ sql }) => sql.startsWith('update "users"'))) {
        sometimes('a mail proved an address')
      }
      const lands = batch.answers !== null
      const { delegation } = surroundings
      const delegates = delegation !== undefined && writes.some(({ sql }) => DELEGATES.test(sql))
      if (lands && (delegates || writes.some(({ sql }) => CHANGES_GRANTS.test(sql)))) {
        for (const { sql, params } of writes) {
          if (sql.startsWith('insert into "seatgate_organizations"'))
            registry.learn(String(params[0]))
        }
        // Of several organizations there is a list.
        const named = JSON.stringify(writes.map(({ params }) => params))
        for (const id of registry.ids()) {
          if (named.includes(id)) say(id, surroundings.grants.changed(id))
        }
      }
      const { access } = surroundings
      if (lands && access && (delegates || writes.some(({ sql }) => CHANGES_ACCESS.test(sql)))) {
        const named = JSON.stringify(writes.map(({ params }) => params))
        for (const id of registry.ids()) {
          if (!named.includes(id)) continue
          say(id, access.changed(id))
          if (delegates) say(id, delegation.changed(id))
        }
      }
      if (!lands || !writes.some(({ sql }) => CHANGES_SEATS.test(sql))) return
      const ids = registry.ids()
      const before = new Map(ids.map((id) => [id, registry.known(id)]))
      registry.forget()
      for (const { sql, params } of writes) {
        if (sql.startsWith('insert into "seatgate_organizations"'))
          registry.learn(String(params[0]))
      }
      if (provider === 'unlimited') return
      const named = new Set(batch.statements.flatMap(({ params }) => params))
      for (const id of registry.ids()) {
        if (!named.has(id)) continue
        lookAt(id, false)
        for (const type of types.limits.keys()) lookAt(poolOf(id, type), false)
        const [then, now] = [before.get(id), registry.view(id)]
        if (then && now) say(id, passing.passed(then, now))
      }
    },
    call(call) {
      const { organizationId } = call
      const before = known.get(organizationId)?.ledger ?? null
      const after = ledgerOf(organizationId)
      noteCall(surroundings, before, after, call)
      passing.call(call)
      repairs.call(call, (seatId) => {
        const view = registry.view(readPool(organizationId).organizationId)
        const isInD1 = view !== null && seatsIn(view, scheduler.now()).includes(seatId)
        return !isInD1 && (after?.seats.some(({ seat_id }) => seat_id === seatId) ?? false)
      })
      if (before === null && after !== null) noteStart(organizationId, after)
      lookAt(organizationId, before === null)
      const there = known.get(organizationId)
      const granted = grantedBy(call)
      if (there && granted.length > 0) {
        known.set(organizationId, { ...there, granted: new Set([...there.granted, ...granted]) })
      }
    },
  }

  function noteHands(before: LedgerState | null, after: LedgerState, now: number) {
    const grew = after.seats.length - (before?.seats.length ?? after.seats.length)
    if (grew < 0) freedAt = now
    if (grew > 0 && after.seats.length === after.limit_seats && now - freedAt < 1_000) {
      sometimes('a seat changed hands within a second')
    }
  }

  function noteStart(organizationId: string, ledger: LedgerState) {
    const granted = known.get(organizationId)?.granted ?? new Set()
    const there = new Set(ledger.seats.map(({ seat_id }) => seat_id))
    if ([...granted].some((seat) => !there.has(seat))) {
      sometimes('a ledger started while a seat was reserved')
    }
  }
}

const CHANGES_PROOFS = /^(insert into|update) "(seatgate_memberships|users)"/

const CHANGES_GRANTS =
  /"seatgate_(memberships|invitations|join_requests|exclusions|invite_links|api_keys|scim_tokens)"/

const CHANGES_ACCESS =
  /"seatgate_(memberships|organizations|join_requests|invite_links|api_keys|scim_tokens|scim_users)"/

// With own roles and groups every change may concern everything.
const DELEGATES =
  /"seatgate_(memberships|organizations|invitations|join_requests|invite_links|api_keys|scim_tokens|groups|group_members|impersonations|audit_events)"/

const CHANGES_SEATS =
  /"(seatgate_memberships|seatgate_invitations|seatgate_organizations|seatgate_entitlements|seatgate_join_requests|seatgate_organization_domains)"/

const usedOrNone = (ledger: LedgerState | null) => (ledger === null ? 0 : usedIn(ledger))

function ledgerGrowth(
  before: LedgerState,
  after: LedgerState,
  defaultLimit: number
): readonly string[] {
  const limit =
    after.version === 0
      ? defaultLimit
      : after.limit_kind === 'unlimited'
        ? Infinity
        : (after.limit_seats ?? 0)
  // Before all invitations are known nothing is granted, and known ones only become more.
  if (before.stage === 'invitations') return []
  return growth({ used: usedIn(before) }, { used: usedIn(after), limit })
}

function grantedBy({ method, request, answer }: LedgerCall): readonly string[] {
  if (answer === undefined || (method !== 'reserve' && method !== 'reserveEach')) return []
  const requests = [request].flat() as { seatId: string }[]
  const answers = [answer].flat() as { ok: boolean }[]
  return requests.flatMap(({ seatId }, index) => (answers[index]?.ok ? [seatId] : []))
}
