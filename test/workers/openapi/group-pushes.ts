/**
 * The groups that an identity provider pushes: granted and refused.
 *
 * @module
 */
import { patch, USER } from '../../kit/index.ts'
import { headers, refusePushes } from './push-refusals.ts'
import type { Recorder } from './recorder.ts'

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const groups = '/scim/v2/Groups'
const group = `${groups}/:id`

export async function pushGroups({ exchange }: Recorder, as: string) {
  const create = (body: unknown) => exchange(`POST ${groups}`, { as, body, headers })
  const person = { schemas: [USER], userName: 'kim@pushed.example', active: true }
  const kim = await exchange('POST /scim/v2/Users', { as, body: person, headers })
  const members = [{ value: kim.id }]
  const body = { schemas: [GROUP], displayName: 'Design', externalId: '00g1', members }
  const taken = { schemas: [GROUP], displayName: 'Research' }
  const renamed = patch({ op: 'replace', path: 'displayName', value: 'Product' })
  const { id } = await create(body)
  await create(taken)

  await refusePushes({ exchange }, { as, id }, [
    [`POST ${groups}`, body, body],
    [`PUT ${group}`, body, { ...body, displayName: taken.displayName }],
    [
      `PATCH ${group}`,
      renamed,
      patch({ op: 'replace', path: 'displayName', value: taken.displayName }),
    ],
    [`GET ${groups}`, undefined, null],
    [`GET ${group}`, undefined, null],
    [`DELETE ${group}`, undefined, null],
  ])
  const asked = { as, param: { id }, headers }
  await exchange(`GET ${groups}`, { as, query: { filter: 'displayName co "D"' } })
  await exchange(`GET ${groups}`, { as, query: { filter: 'displayName eq "design"' } })
  await exchange(`GET ${group}`, asked)
  await exchange(`GET ${group}`, { ...asked, headers: { 'if-none-match': '*' } })
  const stale = { ...headers, 'if-match': 'W/"99"' }
  for (const [route, change] of [
    [`PUT ${group}`, { body }],
    [`PATCH ${group}`, { body: renamed }],
    [`DELETE ${group}`, {}],
  ] as const) {
    await exchange(route, { ...asked, ...change, headers: stale })
    await exchange(route, { ...asked, ...change })
  }
}
