/**
 * The refusals of organizations' own roles.
 *
 * @module
 */
import type { Person } from '../../kit/index.ts'
import { application } from '../../kit/openapi-application.ts'
import { scene, type Recorder } from './scene.ts'

// Where roles of these names were configured.
const VISITORS = application({
  roles: ['owner', 'admin', 'member', 'guest', 'visitor'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
})
const ONE_ROLE = application({ mostRoles: 1 })
const roles = '/organizations/:org/roles'

export async function refuseRoles(record: Recorder) {
  const { exchange } = record
  const { as, param, others } = await scene(record, 'Roles')
  const create = (name: string, app?: typeof ONE_ROLE) =>
    exchange(`POST ${roles}`, { as, param, body: { name, permissions: [] } }, app)
  const named = (name: string) => ({ as, param: { ...param, name } })
  await create('visitor')
  await create('another', ONE_ROLE)
  await create('Visitor')
  const [guest, visitor] = others as [Person, Person]
  for (const body of [
    { userId: guest.userId, role: 'guest' },
    { userId: visitor.userId, role: 'visitor' },
  ]) {
    await exchange('POST /organizations/:org/members', { as, param, body }, VISITORS)
  }
  await create('guest')
  await exchange(`PATCH ${roles}/:name`, { ...named('visitor'), body: { name: 'guest' } })
  await exchange(`PATCH ${roles}/:name`, { ...named('visitor'), body: { name: 'Visitor' } })
  await exchange(`DELETE ${roles}/:name`, named('visitor'))
  await exchange(`DELETE ${roles}/:name`, { ...named('visitor'), query: { replacement: 'owner' } })
}
