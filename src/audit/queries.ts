import { and, desc, eq, lt } from 'drizzle-orm'
import * as v from 'valibot'
import { auditEvents } from '../database/schema.ts'
import { organizationIdOf, readable } from '../organizations/reference.ts'
import { find, standingWith } from '../organizations/standing.ts'
import { parsePage, toPage, type Page, type PageInput, type PageRequest } from '../page.ts'
import { invalid } from '../refusal.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { eventColumns, eventView, type AuditEvent } from './event.ts'

const Sequence = v.strictTuple([v.pipe(v.number(), v.safeInteger())])

/**
 * Lists an organization's audit events, newest first, for those who administer its members.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error` on
 * `limit`, `invalid_cursor`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listAuditEvents(seatgate, { caller: { userId }, organization: 'acme' })
 * ```
 */
export async function listAuditEvents(
  { db, roles }: Seatgate,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<Result<Page<AuditEvent>>> {
  const { caller, organization } = scope
  const request = parseFilters(input)
  const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
  const found = await find(db, scope, {
    events: db
      .select(eventColumns)
      .from(auditEvents)
      .where(
        and(
          eq(auditEvents.organizationId, organizationIdOf(organization)),
          readable(caller, organization, roles.memberAdmins),
          after ? lt(auditEvents.sequence, after[0]) : undefined
        )
      )
      .orderBy(desc(auditEvents.sequence))
      .limit(limit + 1),
  })
  const standing = standingWith(roles, found, roles.memberAdmins)
  if (!standing.ok) return standing
  if (!request.ok) return request
  return ok(toPage(found.rows.events, limit, eventView, ({ sequence }) => [sequence]))
}

// A filter that is not known is refused, not ignored: an exporter would take too much for all.
function parseFilters(input: PageInput): Result<PageRequest<v.InferOutput<typeof Sequence>>> {
  const unknown = Object.keys(input).find((name) => name !== 'limit' && name !== 'cursor')
  if (unknown !== undefined) return refused(invalid({ [unknown]: ['Is not a filter.'] }))
  return parsePage(input, Sequence)
}
