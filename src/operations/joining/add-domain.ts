import { bytesToHex } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import { domainEvent } from '../../engine/audit/part-actions.ts'
import { organizationDomains } from '../../database/schema/joining-tables.ts'
import { MailDomain } from '../../base/email.ts'
import { unchanged, withHook } from '../../engine/model/plan.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import { domainView, type Domain } from '../../engine/model/join-request.ts'
import { domainsOf, guardDomainCount } from './joining-lookup.ts'

const MOST_DOMAINS = 20

export const ModeInput = v.picklist(
  ['off', 'request', 'auto'],
  'Must be "off", "request" or "auto".'
)

const Input = v.object(
  { domain: MailDomain, mode: v.optional(ModeInput, 'off') },
  'Must be an object.'
)

/** The input of {@link addDomain}. */
export interface AddDomainInput {
  /** A mail domain, such as `example.com`. */
  readonly domain: string
  /** Whether its users join at once (`auto`), on request, or not. Default `off`. */
  readonly mode?: v.InferOutput<typeof ModeInput> | undefined
}

/** Why {@link addDomain} refuses. */
export type AddDomainRefusal = AccessRefusal | InputRefusal | HookRefusal | StoreRefusal

/**
 * Adds a mail domain to an organization `{ domain, mode? }`, for those who administer it. The result has
 * the DNS record that proves ownership; until `verifyDomain` finds it, the domain admits no user. `mode`:
 * `off` (default), `request` (users may request to join), `auto` (users join). A domain that is there
 * already is returned unchanged.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `domain`, also of a public mail provider, and `mode`),
 * `HookRefusal`, `StoreRefusal`.
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * const added = await addDomain(seatgate, scope, { domain: 'acme.example', mode: 'auto' })
 * if (added.ok) console.log(added.value.record.name, 'TXT', added.value.record.value)
 * ```
 */
export async function addDomain(
  context: JoiningContext,
  scope: OrganizationScope,
  input: AddDomainInput,
  options: OperationOptions = {}
): Promise<Result<Domain, AddDomainRefusal>> {
  const { db, roles, newId, newSecret } = context
  const { publicDomains } = configured(context)
  const parsed = parseInput(Input, input)
  return perform(
    context,
    scope,
    {
      name: 'organization.domain.add',
      input,
      grows: false,
      refusals: [...HOOK_REFUSALS],
      queries: { existing: domainsOf(db, scope) },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { domain, mode } = parsed.value
        if (publicDomains.has(domain)) {
          return refused(invalid({ domain: ['Must not be a public mail provider.'] }))
        }
        const { existing } = found.rows
        const same = existing.find((row) => row.domain === domain)
        if (same) return ok(unchanged(domainView(same)))
        if (existing.length >= MOST_DOMAINS) {
          return refused(invalid({ domain: [`There are already ${MOST_DOMAINS} domains.`] }))
        }
        const row = {
          id: newId(),
          organizationId: access.value.organization.id,
          domain,
          mode,
          challenge: bytesToHex(newSecret()),
          verifiedAt: null,
          checkedAt: now,
          recordMissingSince: null,
          createdAt: now,
          updatedAt: now,
        }
        const { organizationId } = row
        return ok({
          value: domainView(row),
          before: [{ hook: 'beforeDomainAdd', state: { organizationId, domain, mode, caller } }],
          statements: [
            guardAccess(context, access.value),
            guardDomainCount(context, row.organizationId, existing.length),
            db.insert(organizationDomains).values(row),
          ],
          events: [
            withHook(domainEvent(row, 'organization.domain.added', { mode }), 'afterDomainAdd', {
              domain: domainView(row),
            }),
          ],
        })
      },
    },
    options
  )
}
