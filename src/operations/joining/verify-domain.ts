import { eq, sql } from 'drizzle-orm'
import { domainEvent } from '../../engine/audit/event.ts'
import { organizationDomains, type DomainRow } from '../../database/schema.ts'
import { withHook } from '../../engine/model/after-hooks.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { standingWith } from '../../engine/access/authorize.ts'
import type { AccessRefusal, HookRefusal, InputRefusal, StoreRefusal } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { within } from '../../base/async.ts'
import { changeDomain } from './change-domain.ts'
import { configured } from './join-rules.ts'
import { challengeOf, domainView, type Domain } from '../../engine/model/domain.ts'
import { domainsOf } from './joining-lookup.ts'
import { decideRecheck } from './decide-recheck.ts'
import type { JoiningContext } from './join-rules.ts'

const CHECK_SECONDS = 10

/** Why {@link verifyDomain} refuses. */
export type VerifyDomainRefusal =
  | AccessRefusal
  | InputRefusal
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
 * Refusals: `AccessRefusal`, `InputRefusal`, `HookRefusal`, `StoreRefusal` (`unavailable` also if the
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
  seatgate: JoiningContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<Domain, VerifyDomainRefusal>> {
  const { db, roles } = seatgate
  configured(seatgate)
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
    seatgate,
    scope,
    {
      name: 'organization.domain.verify',
      input: id,
      grows: false,
      refusals: [],
      queries,
      plan(found) {
        const standing = standingWith(roles, found, roles.organizationAdmins)
        if (!standing.ok) return standing
        const [target] = found.rows.targets
        if (target === undefined) return refused({ code: 'not_found' })
        return ok(unchanged({ target, isTaken: found.rows.others.length > 0 }))
      },
      settle: (sighting) => verify(seatgate, scope, sighting as Sighting),
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
  seatgate: JoiningContext,
  scope: OrganizationScope,
  { target, isTaken }: Sighting
): Promise<Result<Domain, VerifyDomainRefusal>> {
  const { db } = seatgate
  const { id } = target
  if (isVerified(target)) return ok(domainView(target))
  const proven = await isProven(seatgate, target)
  if (!proven.ok) return proven
  // Only a caller who controls the DNS learns that the domain is taken.
  if (isTaken) return refused({ code: 'domain_taken' })
  return changeDomain(
    seatgate,
    scope,
    id,
    { name: 'verify', input: ok(null) },
    (row, now, _input, caller) => {
      if (isVerified(row)) return ok(null)
      if (row.challenge !== target.challenge) return refused({ code: 'domain_not_verified' })
      if (row.verifiedAt !== null) return ok(decideRecheck(seatgate, row, true, now))
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
  seatgate: Pick<JoiningContext, 'joining' | 'report'>,
  row: DomainRow
): Promise<Result<null, 'domain_not_verified' | 'unavailable'>> {
  const { verifyDomain: look } = configured(seatgate)
  try {
    const looked = (async () => look(challengeOf(row)))()
    const proven = await within(CHECK_SECONDS, looked)
    return proven ? ok(null) : refused({ code: 'domain_not_verified' })
  } catch (error) {
    const { organizationId } = row
    seatgate.report({ event: 'domain_check_failed', organizationId, error })
    return refused({ code: 'unavailable' })
  }
}
