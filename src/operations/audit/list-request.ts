import type { Runtime } from '../../base/runtime.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { parseLimit, type PageInput } from '../../base/page.ts'
import { invalid, type PageRefusal } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { parseFilters, type AuditFilters, type ReadFilters } from '../../engine/audit/filters.ts'
import { placesAt, type Places, type Trail } from './trail-cursor.ts'

/** The request of a list: filters, the order (default `newest` first) and a page. */
export type AuditListInput = AuditFilters & PageInput & { readonly order?: 'newest' | 'oldest' }

/** The context of a function that lists events. */
export interface ListContext extends DatabaseContext, Pick<Runtime, 'measure'> {
  /** The key that cursors are signed with. */
  readonly cursorKey: Uint8Array
}

/** A parsed request of a list. */
export interface ListRequest {
  readonly filters: ReadFilters
  readonly trail: Trail
  readonly limit: number
  readonly places: Places
}

const BESIDE_FILTERS = ['limit', 'cursor', 'order']

/** Parses the request of a list; `name` distinguishes its cursors from those of others. */
export function readRequest(
  { cursorKey }: Pick<ListContext, 'cursorKey'>,
  name: string,
  input: AuditListInput,
  largest: number
): Result<ListRequest, PageRefusal> {
  const filters = parseFilters(input, BESIDE_FILTERS)
  if (!filters.ok) return filters
  const { order = 'newest', cursor } = input
  if (order !== 'newest' && order !== 'oldest') {
    return refused(invalid({ order: ['Must be "newest" or "oldest".'] }))
  }
  const limit = parseLimit(input.limit, largest)
  if (!limit.ok) return limit
  const trail = { organization: name, order, filters: filters.value }
  const places = cursor === undefined ? [] : placesAt(cursorKey, trail, cursor)
  if (places === null) return refused({ code: 'invalid_cursor' })
  return ok({ filters: filters.value, trail, limit: limit.value, places })
}
