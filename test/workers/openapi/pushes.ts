/**
 * The tokens of an identity provider, and its requests: granted and refused.
 *
 * @module
 */
import { active, patch, USER } from '../../kit/index.ts'
import { ADVERSE } from '../../kit/openapi-application.ts'
import { pushGroups } from './group-pushes.ts'
import { headers, refusePushes } from './push-refusals.ts'
import { by, moveTo, scene, type Recorder, type Scene } from './scene.ts'

const users = '/scim/v2/Users'
const user = `${users}/:id`

export async function push(record: Recorder) {
  const there = await scene(record, 'Pushed')
  const { exchange } = record
  const { as, param } = there
  const body = { domain: 'pushed.example', mode: 'off' }
  const { id } = await exchange('POST /organizations/:org/domains', { as, param, body })
  await exchange('POST /organizations/:org/domains/:id/verify', { as, param: { ...param, id } })
  const token = await createTokens(record, there)
  await pushGroups(record, token)
  await pushUsers(record, there, token)
  await discover(record, token)
}

async function createTokens(record: Recorder, { as, param, member }: Scene): Promise<string> {
  const { exchange, send } = record
  const tokens = '/organizations/:org/scim-tokens'
  record.member = by(member)
  await send(`GET ${tokens}`, { as, param })
  const created = await send(`POST ${tokens}`, { as, param, body: { name: 'Okta' } })
  const named = { as, param: { ...param, id: created.id } }
  const rotated = await send(`POST ${tokens}/:id/rotate`, { ...named, body: {} })
  await exchange(`POST ${tokens}`, { as, param, body: { expiresAt: 'soon' } })
  await exchange(`POST ${tokens}/:id/rotate`, { ...named, body: { overlapHours: -1 } })
  const headers = { 'idempotency-key': 'a-token' }
  await exchange(`POST ${tokens}`, { as, param, headers, body: {} })
  await exchange(`POST ${tokens}`, { as, param, headers, body: { name: 'Entra' } })
  const further = { as, param: { ...param, id: rotated.id } }
  await exchange(`POST ${tokens}/:id/rotate`, { ...further, body: {} })
  await send(`DELETE ${tokens}/:id`, named)
  await exchange(`DELETE ${tokens}/:id`, named)
  await exchange(`POST ${tokens}/:id/rotate`, { ...named, body: {} })
  return rotated.token
}

async function pushUsers({ exchange }: Recorder, { owner }: Scene, as: string) {
  const person = (name: string) => ({ schemas: [USER], userName: `${name}@pushed.example` })
  const create = (body: unknown, more: object = {}) =>
    exchange(`POST ${users}`, { as, body, headers, ...more })
  const body = { ...person('zoe'), name: { givenName: 'Zoe' }, active: true }
  const { id } = await create(body)
  await create(body)
  await create(person('ann'))
  await create({ schemas: [USER], userName: 'zoe@elsewhere.example' })
  await moveTo(owner, 'pushed.example')
  const last = await create(person(owner.userId))

  await refusePushes({ exchange }, { as, id }, [
    [`POST ${users}`, person('bob'), null],
    [`PUT ${user}`, { ...body, active: false }, { ...body, userName: 'ann@pushed.example' }],
    [
      `PATCH ${user}`,
      active(false),
      patch({ op: 'replace', path: 'userName', value: 'ann@pushed.example' }),
    ],
    [`GET ${users}`, undefined, null],
    [`GET ${user}`, undefined, null],
    [`DELETE ${user}`, undefined, null],
  ])
  const asked = { as, param: { id }, headers }
  await exchange(`GET ${users}`, { as, query: { filter: 'userName eq' } })
  await exchange(`GET ${users}`, { as, query: { count: '1' } })
  await exchange(`GET ${user}`, asked)
  await exchange(`GET ${user}`, { ...asked, headers: { 'if-none-match': '*' } })
  const changes = [
    [`PUT ${user}`, { body: { ...body, active: false } }],
    [`PATCH ${user}`, { body: active(false) }],
    [`DELETE ${user}`, {}],
  ] as const
  const [, refusing] = ADVERSE
  for (const [route, change] of changes) {
    const stale = { ...headers, 'if-match': 'W/"9a"' }
    await exchange(route, { ...asked, ...change, headers: stale })
    await exchange(route, { ...asked, ...change }, refusing)
  }
  await exchange(`PUT ${user}`, { ...asked, body })
  await exchange(`PATCH ${user}`, { ...asked, body: active(true) })
  await exchange(`DELETE ${user}`, { ...asked, param: { id: last.id } })
  await exchange(`DELETE ${user}`, asked)
}

async function discover({ exchange }: Recorder, as: string) {
  for (const [path, id] of [
    ['ServiceProviderConfig', ''],
    ['ResourceTypes', ''],
    ['Schemas', ''],
    ['ResourceTypes/:id', 'User'],
    ['Schemas/:id', USER],
  ] as const) {
    for (const param of [{ id }, { id: 'none' }]) {
      await exchange(`GET /scim/v2/${path}`, { as, param })
    }
    await exchange(`GET /scim/v2/${path}`, { as, param: { id }, search: 'a=%ff' })
  }
}
