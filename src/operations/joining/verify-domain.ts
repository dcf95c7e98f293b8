import { eq, sql } from 'drizzle-orm'
import { domainEvent } from '../../engine/audit/part-actions.ts'
import { organizationDomains, type DomainRow } from '../../database/schema/joining-tables.ts'
import { unchanged, withHook } from '../../engine/model/plan.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { within } from '../../base/async.ts'
import { changeDomain, type DomainChange } from './change-domain.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import { challengeOf, domainView, type Domain } from '../../engine/model/join-request.ts'
import { domainsOf } from './joining-lookup.ts'
import type { DatabaseContext } from '../../database/database.ts'

const CHECK_SECONDS = 10

/** Why {@link verifyDomain} refuses. */
export type VerifyDomainRefusal =
  | AccessRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'domain_not_verified'
  | 'domain_taken'

/**
 * Verifies a domain by its DNS record; from then on it opens the organization to users with an address in
 * it, as its mode says. A domain is verified for one organization at a time. Clears the flag of a
 * verified domain whose record was missing and is back.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `StoreRefusal` (`unavailable` also if the
 * record cannot be looked up now), `not_found`, `domain_not_verified` (the record is not there),
 * `domain_taken` (it is verified for another organization).
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * const verified = await verifyDomain(seatgate, scope, domain.id)
 * if (!verified.ok) console.log(verified.error.code)
 * ```
 */
export async function verifyDomain(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<Domain, VerifyDomainRefusal>> {
  const { db, roles } = context
  configured(context)
  const queries = {
    targets: domainsOf(db, scope, id),
    others: db
      .select({ id: organizationDomains.id })
      .from(organizationDomains)
      .where(
        sql`${organizationDomains.domain} = (select mine.domain from seatgate_organization_domains mine
            where mine.id = ${id})
          and ${organizationDomains.id} <> ${id} and ${organizationDomains.verifiedAt} is not null`
      ),
  }
  const verified = await perform<typeof queries, Sighting | Domain, VerifyDomainRefusal, never>(
    context,
    scope,
    {
      name: 'organization.domain.verify',
      input: id,
      grows: false,
      refusals: [],
      queries,
      plan(found) {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        const [target] = found.rows.targets
        if (target === undefined) return refused({ code: 'not_found' })
        return ok(unchanged({ target, isTaken: found.rows.others.length > 0 }))
      },
      finish: (sighting) => verify(context, scope, sighting as Sighting),
    },
    options
  )
  return verified as Result<Domain, VerifyDomainRefusal>
}

/** The domain to verify, and whether it is verified for another organization. */
interface Sighting {
  readonly target: DomainRow
  readonly isTaken: boolean
}

async function verify(
  context: JoiningContext,
  scope: OrganizationScope,
  { target, isTaken }: Sighting
): Promise<Result<Domain, VerifyDomainRefusal>> {
  const { db } = context
  const { id } = target
  if (isVerified(target)) return ok(domainView(target))
  const proven = await isProven(context, target)
  if (!proven.ok) return proven
  // Only a caller who controls the DNS learns that the domain is taken.
  if (isTaken) return refused({ code: 'domain_taken' })
  return changeDomain(
    context,
    scope,
    id,
    { name: 'verify', input: ok(null) },
    (row, now, _input, caller) => {
      if (isVerified(row)) return ok(null)
      if (row.challenge !== target.challenge) return refused({ code: 'domain_not_verified' })
      if (row.verifiedAt !== null) return ok(decideRecheck(context, row, true, now))
      const seen = { verifiedAt: now, checkedAt: now, recordMissingSince: null, updatedAt: now }
      const verified = { ...row, ...seen }
      return ok({
        before: { hook: 'beforeDomainVerify', state: { domain: domainView(row), caller } },
        value: verified,
        write: db.update(organizationDomains).set(seen).where(eq(organizationDomains.id, id)),
        event: withHook(domainEvent(row, 'organization.domain.verified'), 'afterDomainVerify', {
          domain: domainView(verified),
        }),
      })
    }
  )
}

const isVerified = ({ verifiedAt, recordMissingSince }: DomainRow) =>
  verifiedAt !== null && recordMissingSince === null

/** Looks up the record of a domain. A failed lookup is `unavailable`. */
export async function isProven(
  context: Pick<JoiningContext, 'joining' | 'report'>,
  row: DomainRow
): Promise<Result<null, 'domain_not_verified' | 'unavailable'>> {
  const { verifyDomain: look } = configured(context)
  try {
    const looked = (async () => look(challengeOf(row)))()
    const proven = await within(CHECK_SECONDS, looked)
    return proven ? ok(null) : refused({ code: 'domain_not_verified' })
  } catch (error) {
    const { organizationId } = row
    context.report({ event: 'domain_check_failed', organizationId, error })
    return refused({ code: 'unavailable' })
  }
}

const DAY_MS = 24 * 60 * 60_000

/** Decides on a domain after a lookup of its record. */
export function decideRecheck(
  context: Pick<JoiningContext, 'db' | 'joining'>,
  row: DomainRow,
  found: boolean,
  now: Date
): DomainChange | null {
  const { mode, recordMissingSince: since } = row
  if (found) return since === null ? null : change(context, row, now, recordFound(row))
  if (since === null) {
    const event = domainEvent(row, 'organization.domain.record_missing')
    return change(context, row, now, { set: { recordMissingSince: now }, event })
  }
  const graceMs = context.joining.recordGraceDays * DAY_MS
  if (mode !== 'auto' || now.getTime() - since.getTime() < graceMs) return null
  const modes = { old_mode: mode, new_mode: 'request', reason: 'record_missing' }
  const event = withHook(
    domainEvent(row, 'organization.domain.mode_change', modes),
    'afterDomainChange',
    { domain: domainView({ ...row, mode: 'request' }), oldMode: mode }
  )
  return change(context, row, now, { set: { mode: 'request' }, event })
}

// The mode does not return to `auto`: a new owner of the domain could copy the record, which was public.
const recordFound = (row: DomainRow) => ({
  set: { recordMissingSince: null },
  event: domainEvent(row, 'organization.domain.record_found'),
})

function change(
  { db }: DatabaseContext,
  row: DomainRow,
  now: Date,
  {
    set,
    event,
  }: {
    readonly set: Partial<Pick<DomainRow, 'mode' | 'recordMissingSince'>>
    readonly event: DomainChange['event']
  }
): DomainChange {
  const write = db
    .update(organizationDomains)
    .set({ ...set, updatedAt: now })
    .where(eq(organizationDomains.id, row.id))
  return { value: { ...row, ...set, updatedAt: now }, write, event }
}
