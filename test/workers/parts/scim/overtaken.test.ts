/**
 * A person who comes in, or leaves the waitlist, while the identity provider's request is under way: the
 * simulation found that the request was answered as if nothing had happened.
 */
import { expect, it } from 'vitest'
import {
  addMember,
  joinRules,
  listJoinRequests,
  listMembers,
  removeMember,
  withdrawJoinRequest,
} from '../../../../src/index.ts'
import {
  active,
  createScimKit,
  eventsOf,
  joinAs,
  meanwhile,
  patch,
  pushedOrganization,
  pushingTo,
  testEnv,
  unwrap,
  type PushedOrganization,
} from '../../../kit/index.ts'

const waitlist = {
  provider: 'd1',
  joining: joinRules({
    verifyDomain: () => true,
    whenFull: { domain: 'wait', request: 'wait' },
  }),
} as const

const calm = createScimKit(waitlist, { whenFull: 'wait' })

/** The same organization, where something else is done just before the first batch that writes. */
function overtaken(organization: PushedOrganization, act: () => Promise<unknown>) {
  let isFirst = true
  const options = {
    ...waitlist,
    async around({ asked }: { readonly asked: readonly string[] }, run: () => Promise<unknown>) {
      if (
        isFirst &&
        asked.some((sql) => sql.includes('"seatgate_scim_users"') && !sql.startsWith('select'))
      ) {
        isFirst = false
        await act()
      }
      return run()
    },
  }
  return pushingTo(createScimKit(options as typeof waitlist, { whenFull: 'wait' }), organization)
}

const pushedOut = async (seats: number) => {
  const organization = await pushedOrganization(calm, seats)
  const { id } = await organization.push('ann', { active: false })
  const userId = (await testEnv.DB.prepare('SELECT user_id FROM seatgate_scim_users WHERE id = ?')
    .bind(id)
    .first<string>('user_id'))!
  const scope = organization.as(organization.owner)
  const isIn = async () =>
    (await organization.ask('GET', `/Users/${id}`)).body.active as boolean | undefined
  return { organization, id, userId, scope, isIn }
}

const titled = (more: object) => ({ title: 'Engineer', ...more })

it('a deactivation wins over an admission at once', async () => {
  const { organization, id, userId, scope, isIn } = await pushedOut(3)
  const add = () => addMember(calm.seatgate, scope, { userId, role: 'member' })
  const { ask, person } = overtaken(organization, async () => unwrap(await add()))
  const out = await ask('PUT', `/Users/${id}`, person('ann', titled({ active: false })))
  expect(out).toMatchObject({ status: 200, body: { active: false } })
  expect(await isIn()).toBe(false)
})

it('a deletion wins over an admission at once', async () => {
  const { organization, id, userId, scope } = await pushedOut(3)
  const add = () => addMember(calm.seatgate, scope, { userId, role: 'member' })
  const { ask } = overtaken(organization, async () => unwrap(await add()))
  expect((await ask('DELETE', `/Users/${id}`)).status).toBe(204)
  const row = testEnv.DB.prepare(
    'SELECT status FROM seatgate_memberships WHERE organization_id = ? AND user_id = ?'
  ).bind(organization.id, userId)
  expect(await row.first('status')).toBe('suspended')
})

it('a deletion removes a place that is taken on the waitlist at once with it', async () => {
  const { organization, id, userId } = await pushedOut(1)
  const mode = "UPDATE seatgate_organization_domains SET mode = 'auto' WHERE organization_id = ?"
  await testEnv.DB.prepare(mode).bind(organization.id).run()
  const { ask } = overtaken(organization, () => joinAs(calm, organization, userId))
  expect((await ask('DELETE', `/Users/${id}`)).status).toBe(204)
  expect(await waitingIn(organization)).toBe(0)
})

it('an activation takes a new place on the waitlist if the earlier one ends at once with it', async () => {
  const { organization, id, userId } = await pushedOut(1)
  expect((await organization.ask('PATCH', `/Users/${id}`, active(true))).body.active).toBe(false)
  const requests = unwrap(
    await listJoinRequests(calm.seatgate, organization.as(organization.owner))
  )
  const caller = { userId }
  const { ask, person } = overtaken(organization, async () =>
    unwrap(await withdrawJoinRequest(calm.seatgate, { caller }, requests.data[0]!.id))
  )
  await ask('PUT', `/Users/${id}`, person('ann', titled({ active: true })))
  expect(await waitingIn(organization)).toBe(1)
})

it('a deactivation suspends no member who is removed at once with it [SCIM-5]', async () => {
  const organization = await pushedOrganization(calm)
  const { id } = await organization.push('ann')
  const scope = organization.as(organization.owner)
  const { data } = unwrap(await listMembers(calm.seatgate, scope))
  const ann = data.find(({ userId }) => userId !== organization.owner)!
  const around = meanwhile(() => removeMember(calm.seatgate, scope, ann.userId))
  const { ask } = pushingTo(createScimKit({ ...waitlist, around }), organization)
  expect(await ask('PATCH', `/Users/${id}`, active(false))).toMatchObject({
    status: 200,
    body: { active: false },
  })
  expect(await eventsOf(organization.id, 'organization.member_suspend')).toEqual([])
  expect(await eventsOf(organization.id, 'organization.member_remove')).toHaveLength(1)
})

it('two changes of attributes at once are both made [SCIM-17]', async () => {
  const { organization, id } = await pushedOut(3)
  const set = (path: string, value: string) => patch({ op: 'replace', path, value })
  const other = () => organization.ask('PATCH', `/Users/${id}`, set('title', 'Engineer'))
  const { ask } = overtaken(organization, other)
  await ask('PATCH', `/Users/${id}`, set('displayName', 'Ann'))
  const { body } = await organization.ask('GET', `/Users/${id}`)
  expect(body).toMatchObject({ title: 'Engineer', displayName: 'Ann' })
})

async function waitingIn(organization: PushedOrganization): Promise<number> {
  const requests = unwrap(
    await listJoinRequests(calm.seatgate, organization.as(organization.owner))
  )
  return requests.data.filter(({ state }) => state === 'waiting').length
}
