import type { MiddlewareHandler } from 'hono'
import { partOf } from '../../engine/changes/part.ts'
import type { Parts } from '../../options.ts'
import { enteredGroup } from '../../parts/groups/entered-group.ts'
import { groupView, type Group } from '../../parts/groups/group.ts'
import type { GroupsPart } from '../../parts/groups/groups.ts'
import type { Seatgate } from '../../seatgate.ts'
import { checkSlugOptions, loadWith, type SlugOptions } from '../load-organization-from-slug.ts'
import type { OrganizationEnv } from '../request.ts'

/** Options of {@link loadGroup}. */
export interface GroupLoadOptions extends SlugOptions {
  /** The path parameter with the group's id. Default `"group"`. */
  readonly groupParameter?: string
}

/** The environment of routes after {@link loadGroup}. */
export interface GroupEnv<Permission extends string = string> {
  Variables: OrganizationEnv<Permission>['Variables'] & { readonly group: Group }
}

/**
 * Loads the organization and the group of the path into `c.var`, as `loadOrganizationFromSlug` does, in the same
 * single round trip. Only members of the group, and the host itself, are admitted: for others a group of
 * another organization, one that they are not in, and one that does not exist are the same `not_found`. No
 * permission stands in for being in the group, and a service account is in no group.
 *
 * @throws {TypeError} at set-up, if `groups` is not configured, or an option is invalid.
 *
 * @example
 * ```ts
 * const db = tenantDatabase(drizzle(env.DB), { groupTables: [documents] })
 * const app = new Hono()
 *   .use('/o/:org/g/:group/*', loadGroup(seatgate, { authenticate }))
 *   .get('/o/:org/g/:group/documents', async (c) =>
 *     c.json(await db.select().from(documents).where(forGroup(documents, c.var)))
 *   )
 * ```
 */
export function loadGroup<Permission extends string>(
  seatgate: Seatgate<string, Parts, Permission> & { readonly groups: GroupsPart },
  options: GroupLoadOptions
): MiddlewareHandler<GroupEnv<Permission>> {
  partOf(seatgate, 'groups')
  checkSlugOptions('loadGroup', options, ['groupParameter'])
  const { groupParameter = 'group' } = options
  if (typeof groupParameter !== 'string' || groupParameter === '') {
    throw new TypeError('loadGroup: groupParameter must be a name.')
  }
  return async function loadGroup(c, next) {
    const id = c.req.param(groupParameter) ?? ''
    const response = await loadWith(
      seatgate,
      options,
      c,
      (caller, organization) => ({
        group: enteredGroup(seatgate.db, caller, organization, id),
      }),
      ({ group: [row] }) => {
        if (!row) return { code: 'not_found' }
        c.set('group', groupView(row))
        return null
      }
    )
    if (response) return response
    await next()
  }
}
