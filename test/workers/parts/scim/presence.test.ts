import { describe, expect, it } from 'vitest'
import {
  billing,
  createInvitation,
  deleteUser,
  getOrganization,
  joinRules,
  listJoinRequests,
  listMembers,
  setEntitlement,
  suspendMember,
  type LifecycleHook,
} from '../../../../src/index.ts'
import { deleteScimUser } from '../../../../src/hono/scim/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  active,
  codeOf,
  createScimKit,
  everything,
  joinAs,
  PASSWORD,
  patch,
  pushedOrganization,
  seatUsageOf,
  testEnv,
  unwrap,
  violations,
  type PushedOrganization,
} from '../../../kit/index.ts'

const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })
const kit = createScimKit({ provider: 'd1', lifecycle: { onDelete } })

const userIdOf = async (id: string) =>
  (await testEnv.DB.prepare('SELECT user_id FROM seatgate_scim_users WHERE id = ?')
    .bind(id)
    .first<string>('user_id'))!

describe('without a free seat, on the waitlist', () => {
  const waiting = createScimKit(
    {
      provider: 'd1',
      joining: joinRules({ verifyDomain: () => true, whenFull: { domain: 'wait' } }),
    },
    { whenFull: 'wait' }
  )

  it('a pushed user waits, inactive, and is active once a seat is free [SCIM-14]', async () => {
    const organization = await pushedOrganization(waiting, 2)
    const ann = await organization.push('ann')
    expect(ann.active).toBe(true)
    const ben = await organization.push('ben')
    expect(ben.active).toBe(false)
    const again = await organization.ask('PATCH', `/Users/${ben.id}`, active(true))
    expect(again).toMatchObject({ status: 200, body: { active: false } })
    expect(await waitingIn(organization)).toBe(1)
    await organization.ask('DELETE', `/Users/${ann.id}`)
    await waiting.settled()
    expect((await organization.ask('GET', `/Users/${ben.id}`)).body.active).toBe(true)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('a waiting user loses their place when they are deactivated', async () => {
    const organization = await pushedOrganization(waiting, 1)
    const ann = await organization.push('ann')
    expect(await waitingIn(organization)).toBe(1)
    const out = await organization.ask('PATCH', `/Users/${ann.id}`, active(false))
    expect(out).toMatchObject({ status: 200, body: { active: false } })
    expect(await waitingIn(organization)).toBe(0)
    const ben = await organization.push('ben')
    expect(await organization.ask('DELETE', `/Users/${ben.id}`)).toMatchObject({ status: 204 })
    expect(await waitingIn(organization)).toBe(0)
  })

  it('a change that does not name `active` keeps the place of a user who waits', async () => {
    const organization = await pushedOrganization(waiting, 1)
    const ann = await organization.push('ann')
    const renamed = patch({ op: 'replace', path: 'displayName', value: 'Ann' })
    for (const [method, body] of [
      ['PATCH', renamed],
      ['PUT', organization.person('ann', { displayName: 'Anna' })],
    ] as const) {
      const changed = await organization.ask(method, `/Users/${ann.id}`, body)
      expect(changed).toMatchObject({ status: 200, body: { active: false } })
      expect([method, await waitingIn(organization)]).toEqual([method, 1])
    }
  })

  const waitingIn = async (organization: PushedOrganization) => {
    const scope = organization.as(organization.owner)
    const { data } = unwrap(await listJoinRequests(waiting.seatgate, scope, {}))
    return data.filter(({ state }) => state === 'waiting').length
  }
})

describe.each(['suspend', 'remove'] as const)('where deprovision is "%s"', (deprovision) => {
  const limited = createScimKit(
    {
      provider: 'd1',
      billing: billing({ plans: {}, baseSeats: 20, whenOver: 'suspend_excess' }),
      lifecycle: { onDelete },
    },
    { deprovision }
  )
  const set = async (organization: PushedOrganization, included: number) => {
    const input = { included, reason: 'test' }
    unwrap(await setEntitlement(limited.seatgate, organization.asOperator, input))
    await limited.settled()
  }

  /** An organization with one seat, whose pushed users are suspended because of that. */
  async function overLimit(...names: readonly string[]) {
    const organization = await pushedOrganization(limited)
    await set(organization, 20)
    const pushed = []
    for (const name of names) pushed.push(await organization.push(name))
    await set(organization, 1)
    await sweepHandler(limited.seatgate)()
    await limited.settled()
    const activeOf = async (id: string) =>
      (await organization.ask('GET', `/Users/${id}`)).body.active
    for (const { id } of pushed) expect(await activeOf(id)).toBe(false)
    return { organization, pushed, activeOf }
  }

  it('a user who is deactivated while a limit has them suspended does not return with a seat [SCIM-15]', async () => {
    const { organization, pushed, activeOf } = await overLimit('ann', 'ben', 'cat')
    const [ann, ben, cat] = pushed.map(({ id }) => id) as [string, string, string]
    const out = await organization.ask('PATCH', `/Users/${ann}`, active(false))
    expect(out).toMatchObject({ status: 200, body: { active: false } })
    const benId = await userIdOf(ben)
    expect(await organization.ask('DELETE', `/Users/${ben}`)).toMatchObject({ status: 204 })
    const renamed = patch({ op: 'replace', path: 'displayName', value: 'Cat' })
    expect((await organization.ask('PATCH', `/Users/${cat}`, renamed)).status).toBe(200)
    await set(organization, 20)
    expect([await activeOf(ann), await activeOf(cat)]).toEqual([false, true])
    expect(codeOf(await getOrganization(limited.seatgate, organization.as(benId)))).toBe(
      'organization_not_found'
    )
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('a deprovisioned user', () => {
  it('cannot return by the domain, and their invitations end [SCIM-15]', async () => {
    const auto = createScimKit({ provider: 'd1' })
    const organization = await pushedOrganization(auto)
    const scope = organization.as(organization.owner)
    await testEnv.DB.prepare(
      "UPDATE seatgate_organization_domains SET mode = 'auto' WHERE organization_id = ?"
    )
      .bind(organization.id)
      .run()
    const ann = await organization.push('ann')
    const userId = await userIdOf(ann.id)
    await organization.ask('DELETE', `/Users/${ann.id}`)
    expect(codeOf(await joinAs(auto, organization, userId))).toBe('already_member')
    // Pushed again, they are let in, with the invitation to them taken over.
    const { domain } = organization.domain
    const email = `ben@${domain}`
    unwrap(await createInvitation(auto.seatgate, scope, { email, role: 'member' }))
    const before = await seatUsageOf(auto, organization)
    await organization.push('ben')
    expect(await seatUsageOf(auto, organization)).toMatchObject({
      held: (before.held ?? 0) + 1,
      reserved: 0,
    })
    expect((await organization.push('ann')).active).toBe(true)
  })

  it('leaves no row of SCIM after the deletion of the account [SCIM-16]', async () => {
    const organization = await pushedOrganization(kit)
    const ann = await organization.push('ann', { name: { givenName: 'Annabel' } })
    const ben = await organization.push('ben')
    const userId = await userIdOf(ann.id)
    unwrap(await deleteUser(kit.seatgate, { caller: { userId } }, { password: PASSWORD }))
    expect(JSON.stringify((await everything())['seatgate_scim_users'])).not.toContain('Annabel')
    const { body } = await organization.ask('GET', '/Users')
    expect(body).toMatchObject({ totalResults: 1, Resources: [{ id: ben.id }] })
  })
})

describe('inactive from the start', () => {
  it('a pushed user takes no seat, and a member is suspended', async () => {
    const organization = await pushedOrganization(kit, 2)
    const ann = await organization.push('ann', { active: false })
    expect(ann.active).toBe(false)
    expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 1 })
    expect(await organization.ask('PATCH', `/Users/${ann.id}`, active('true'))).toMatchObject({
      body: { active: true },
    })
    const members = unwrap(await listMembers(kit.seatgate, organization.as(organization.owner), {}))
    expect(members.data).toHaveLength(2)
  })
})

describe('entity tags', () => {
  it('guard a change, and follow the membership [SCIM-17]', async () => {
    const organization = await pushedOrganization(kit)
    const ann = await organization.push('ann')
    const path = `/Users/${ann.id}`
    const first = await organization.send('GET', path)
    const tag = first.headers.get('etag')!
    expect(tag).toMatch(/^W\/"/)
    const same = await organization.send('GET', path, undefined, { 'if-none-match': tag })
    expect(same.status).toBe(304)
    const title = patch({ op: 'add', path: 'title', value: 'Lead' })
    const changed = await organization.send('PATCH', path, title, { 'if-match': tag })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(tag)
    for (const [method, body] of [
      ['PATCH', title],
      ['PUT', organization.person('ann')],
      ['DELETE', undefined],
    ] as const) {
      const stale = await organization.send(method, path, body, { 'if-match': tag })
      expect(stale.status).toBe(412)
      expect(await stale.json()).toMatchObject({ status: '412' })
    }
    const now = changed.headers.get('etag')!
    const userId = await userIdOf(ann.id)
    unwrap(await suspendMember(kit.seatgate, organization.as(organization.owner), userId))
    const other = await organization.send('DELETE', path, undefined, { 'if-match': now })
    expect(other.status).toBe(412)
    const any = await organization.send('DELETE', path, undefined, { 'if-match': '*' })
    expect(any.status).toBe(204)
  })
})

describe('the operations', () => {
  it('are allowed to the host and to owners, and to no other caller', async () => {
    const organization = await pushedOrganization(kit)
    const { id } = await organization.push('ann')
    const member = await userIdOf(id)
    const by = (userId: string) => ({ caller: { userId }, organization: organization.id })
    expect(codeOf(await deleteScimUser(kit.context, by('stranger'), id))).toBe(
      'organization_not_found'
    )
    expect(codeOf(await deleteScimUser(kit.context, by(member), id))).toBe('insufficient_role')
    unwrap(await deleteScimUser(kit.context, by(organization.owner), id))
  })
})
