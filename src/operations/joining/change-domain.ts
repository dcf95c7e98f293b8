import { eq } from 'drizzle-orm'
import * as v from 'valibot'
import type { EventDraft } from '../../engine/audit/event.ts'
import { domainEvent } from '../../engine/audit/part-actions.ts'
import type { Statement } from '../../database/database.ts'
import { organizationDomains, type DomainRow } from '../../database/schema/joining-tables.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import type { Question } from '../../engine/model/hooks.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type HookRefusal,
  type InputRefusal,
  type RefusalCode,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope, Principal } from '../../engine/access/principal.ts'
import { ModeInput } from './add-domain.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import { domainView, type Domain } from '../../engine/model/join-request.ts'
import { domainsOf, guardDomain } from './joining-lookup.ts'

const Input = v.object({ mode: ModeInput }, 'Must be an object.')

/** The input of {@link setDomainMode}. */
export interface DomainModeInput {
  readonly mode: v.InferOutput<typeof ModeInput>
}

/** Why {@link setDomainMode} refuses. */
export type SetDomainModeRefusal =
  | AccessRefusal
  | InputRefusal
  | HookRefusal
  | CommitRefusal
  | 'not_found'
  | 'domain_not_verified'

/**
 * Sets the mode of a domain `{ mode }`: `off`, `request` (users may request to join) or `auto` (users
 * join). Existing members stay.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `HookRefusal`, `CommitRefusal`, `not_found`,
 * `domain_not_verified` (`auto` while the DNS record is missing).
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * await setDomainMode(seatgate, scope, domain.id, { mode: 'request' })
 * ```
 */
export async function setDomainMode(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string,
  input: DomainModeInput
): Promise<Result<Domain, SetDomainModeRefusal>> {
  const parsed = parseInput(Input, input)
  return changeDomain(
    context,
    scope,
    id,
    { name: 'mode_change', input: parsed },
    (row, now, { mode }, caller) => {
      if (row.mode === mode) return ok(null)
      if (mode === 'auto' && row.recordMissingSince !== null) {
        return refused({ code: 'domain_not_verified' })
      }
      const changed = { ...row, mode, updatedAt: now }
      return ok({
        value: changed,
        write: context.db
          .update(organizationDomains)
          .set({ mode, updatedAt: now })
          .where(eq(organizationDomains.id, id)),
        before: {
          hook: 'beforeDomainChange',
          state: { domain: domainView(row), newMode: mode, caller },
        },
        event: withHook(
          domainEvent(row, 'organization.domain.mode_change', {
            old_mode: row.mode,
            new_mode: mode,
          }),
          'afterDomainChange',
          { domain: domainView(changed), oldMode: row.mode }
        ),
      })
    }
  )
}

/** Why {@link removeDomain} refuses. */
export type RemoveDomainRefusal = AccessRefusal | HookRefusal | CommitRefusal | 'not_found'

/**
 * Removes a domain: it admits no user any more. Existing members stay.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `CommitRefusal`, `not_found`.
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * await removeDomain(seatgate, scope, domain.id)
 * ```
 */
export async function removeDomain(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string
): Promise<Result<Domain, RemoveDomainRefusal>> {
  return changeDomain(
    context,
    scope,
    id,
    { name: 'remove', input: ok(null) },
    (row, _now, _input, caller) =>
      ok({
        before: { hook: 'beforeDomainRemove', state: { domain: domainView(row), caller } },
        value: row,
        write: context.db.delete(organizationDomains).where(eq(organizationDomains.id, id)),
        event: withHook(domainEvent(row, 'organization.domain.removed'), 'afterDomainRemove', {
          domain: domainView(row),
        }),
      })
  )
}

/** A change of a domain: the hook that may refuse it, the new row, its write and its event. */
export interface DomainChange {
  /** The hook, asked if a user makes the change. */
  readonly before?: Question
  readonly value: DomainRow
  readonly write: Statement
  readonly event: EventDraft
}

type ChangeDomainRefusal = AccessRefusal | HookRefusal | CommitRefusal | 'not_found'

/** Changes a domain of the scope's organization as `decide` returns; null changes no row. */
export async function changeDomain<I, Code extends RefusalCode = never>(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string,
  { name, input }: { readonly name: string; readonly input: Result<I, Code> },
  decide: (
    row: DomainRow,
    now: Date,
    input: I,
    caller: Principal
  ) => Result<DomainChange | null, Code>
): Promise<Result<Domain, Code | ChangeDomainRefusal>> {
  const { db, roles } = context
  configured(context)
  return perform(context, scope, {
    name: `organization.domain.${name}`,
    input: [id, input.ok ? input.value : null],
    grows: false,
    refusals: HOOK_REFUSALS,
    queries: { targets: domainsOf(db, scope, id) },
    plan(found, caller, now): Result<Plan<Domain>, Code | AccessRefusal | 'not_found'> {
      const access = authorizeFor(roles, found, 'organization:update')
      if (!access.ok) return access
      if (!input.ok) return input
      const [target] = found.rows.targets
      if (target === undefined) return refused({ code: 'not_found' })
      const change = decide(target, now, input.value, caller)
      if (!change.ok) return change
      if (change.value === null) return ok(unchanged(domainView(target)))
      const { before, value, write, event } = change.value
      return ok({
        value: domainView(value),
        before: before ? [before] : [],
        statements: [guardAccess(context, access.value), guardDomain(context, target), write],
        events: [event],
      })
    },
  })
}
