import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  addMember,
  createOrganization,
  fetchOrganization,
  getActiveSlugAlias,
  getMembership,
  getOrganization,
  getOrganizationBySlug,
  listAuditEvents,
  listMembers,
  listOrganizations,
  listOrganizationsForUser,
  loadActiveOrganization,
  countMembers,
  countMembersWithoutMfa,
  putActiveOrganization,
  seatUsage,
  selectActiveOrganization,
  suspendMember,
  updateSlug,
  type OrganizationScope,
} from '../../../../src/index.ts'
import {
  postMember,
  postOrganization,
  people,
  seatgateWith,
  type Person,
  createKit,
  everything,
  freshSlug,
  EVERY_CHANGE,
  newTeam,
  pointerOf,
  sessionOf,
  softDeleted,
  unwrap,
  codeOf,
  join,
  newUser,
  PASSWORD,
  shareOf,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

afterEach(() => vi.useRealTimers())

describe('an organization by its id', () => {
  it('is fetched with and without a scope; a deleted and an unknown one are the same [ORG-113]', async () => {
    const organization = await kit.organization()
    const { id, owner, as } = organization
    const live = unwrap(await fetchOrganization(seatgate, id))
    expect(live).toEqual(unwrap(await getOrganization(seatgate, as(owner))))
    await softDeleted(seatgate, organization)
    const unknown = crypto.randomUUID()
    for (const name of [id, unknown]) {
      const notFound = { ok: false, error: { code: 'organization_not_found' } }
      const scope = { caller: { userId: owner }, organization: name }
      expect(await fetchOrganization(seatgate, name)).toEqual(notFound)
      expect(await getOrganization(seatgate, scope)).toEqual(notFound)
    }
  })

  it.each([
    [''],
    [' '],
    ['__proto__'],
    ['constructor'],
    ["' OR 1=1 --"],
    ['%'],
    ['_'],
    ['\u0000'],
    ['x'.repeat(70_000)],
    ['\ud800'],
  ])('is not found by the name %j', async (name) => {
    const scope = { caller: { userId: await newUser() }, organization: name }
    expect(codeOf(await fetchOrganization(seatgate, name))).toBe('organization_not_found')
    expect(codeOf(await getOrganization(seatgate, scope))).toBe('organization_not_found')
    expect(await getOrganizationBySlug(seatgate, name)).toBeNull()
  })

  it.each([['\u0000'], ['\u0000x'], ['\n'], [' '], ['\u200b'], ['%00']])(
    'is not found by its id or slug with %j behind it',
    async (suffix) => {
      const { id, slug, owner } = await kit.organization()
      for (const name of [id + suffix, slug + suffix]) {
        const scope = { caller: { userId: owner }, organization: name }
        expect(codeOf(await getOrganization(seatgate, scope))).toBe('organization_not_found')
        expect(codeOf(await fetchOrganization(seatgate, name))).toBe('organization_not_found')
      }
    }
  )

  it.each([[7], [null], [{}], [['acme']], [undefined]])(
    'throws for %j, which is no name',
    async (name) => {
      const scope = { caller: { userId: 'x' }, organization: name } as unknown as OrganizationScope
      await expect(fetchOrganization(seatgate, name as never)).rejects.toThrow(TypeError)
      if (name !== undefined)
        await expect(getOrganization(seatgate, scope)).rejects.toThrow(TypeError)
    }
  )
})

describe('an organization by its slug', () => {
  it('is found in any case; an unknown one is null [ORG-114]', async () => {
    const { id, slug } = await kit.organization()
    for (const name of [slug, slug.toUpperCase(), `T${slug.slice(1)}`]) {
      expect(await getOrganizationBySlug(seatgate, name)).toMatchObject({ id, slug })
    }
    for (const name of [freshSlug(), id, `${slug}x`, slug.slice(1)]) {
      expect(await getOrganizationBySlug(seatgate, name)).toBeNull()
    }
  })
})

describe('getMembership', () => {
  it('is null for a stranger and for a deleted organization [ORG-115]', async () => {
    const organization = await kit.organization()
    const { id, owner, as } = organization
    const member = await join(kit, organization)
    unwrap(await suspendMember(seatgate, as(owner), member))
    expect(await getMembership(seatgate, owner, id)).toMatchObject({ userId: owner, role: 'owner' })
    expect(await getMembership(seatgate, member, id)).toMatchObject({ status: 'suspended' })
    expect(await getMembership(seatgate, await newUser(), id)).toBeNull()
    expect(await getMembership(seatgate, owner, crypto.randomUUID())).toBeNull()
    await softDeleted(seatgate, organization)
    for (const userId of [owner, member]) {
      expect(await getMembership(seatgate, userId, id)).toBeNull()
      expect(await getMembership(seatgate, userId, id, { includeDeleted: true })).toMatchObject({
        organizationId: id,
        userId,
      })
    }
  })
})

describe('the organizations of a user', () => {
  async function atTimes(userId: string, times: readonly number[]) {
    const ids: string[] = []
    for (const time of times) {
      const clocked = createKit({ now: () => new Date(time) })
      const input = { name: 'Acme', slug: freshSlug() }
      const made = await createOrganization(clocked.seatgate, { caller: { userId } }, input)
      ids.push(unwrap(made).id)
    }
    return ids
  }

  it('are all listed, the newest organization first, live ones alone [ORG-116]', async () => {
    const [me, other] = [await newUser(), await newUser()]
    const [second, first, third] = await atTimes(me, [2000, 1000, 3000])
    const [oldest] = await atTimes(other, [500])
    const scope = { caller: { userId: other }, organization: oldest! }
    unwrap(await addMember(seatgate, scope, { userId: me, role: 'member' }))
    const listed = async () => (await listOrganizationsForUser(seatgate, me)).map(({ id }) => id)
    expect(await listed()).toEqual([third, second, first, oldest])
    await softDeleted(seatgate, { id: second!, owner: me }, 'Acme')
    expect(await listed()).toEqual([third, first, oldest])
    expect(await listOrganizationsForUser(seatgate, await newUser())).toEqual([])
  })

  it('of one time have an order of their own, however often they are asked for [ORG-116]', async () => {
    const me = await newUser()
    const ids = await atTimes(
      me,
      Array.from({ length: 60 }, () => 1000)
    )
    const listed = (await listOrganizationsForUser(seatgate, me)).map(({ id }) => id)
    expect(listed).toEqual(ids.sort().reverse())
  })

  it('are listed with their roles, the newest membership first, live ones alone [ORG-117]', async () => {
    const [me, other] = (await people(2)) as [Person, Person]
    const mine = await postOrganization(me)
    const theirs = await postOrganization(other)
    const gone = await postOrganization(me)
    vi.setSystemTime(Date.now() + 5000)
    await postMember(theirs, other, me, 'admin')
    await softDeleted(seatgate, { id: gone.id, owner: me.userId }, 'Acme')
    const caller = { userId: me.userId }
    const { data } = unwrap(await listOrganizations(seatgate, { caller }))
    expect(data.map(({ organization, role }) => [organization.id, role])).toEqual([
      [theirs.id, 'admin'],
      [mine.id, 'owner'],
    ])
  })
})

describe('deleted organizations', () => {
  it('is in no read, list, selector or look-up [ORG-28]', async () => {
    const organization = await kit.organization()
    const { id, slug, owner } = organization
    const session = await sessionOf(owner)
    const caller = { userId: owner, session: { ...session, activeOrganizationId: id } }
    const reads = {
      fetched: async () => codeOf(await fetchOrganization(seatgate, id)),
      bySlug: async () => (await getOrganizationBySlug(seatgate, slug))?.id ?? null,
      membership: async () => (await getMembership(seatgate, owner, id))?.role ?? null,
      listed: async () => (await listOrganizationsForUser(seatgate, owner)).length,
      withRoles: async () =>
        unwrap(await listOrganizations(seatgate, { caller: { userId: owner } })).data.length,
      selected: async () =>
        (await selectActiveOrganization(seatgate, owner, { previous: id })).kind,
      loaded: async () =>
        (await loadActiveOrganization(seatgate, { caller })).organization?.id ?? null,
    }
    const all = async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(reads).map(async ([name, read]) => [name, await read()]))
      ) as object
    expect(await all()).toEqual({
      fetched: 'ok',
      bySlug: id,
      membership: 'owner',
      listed: 1,
      withRoles: 1,
      selected: 'one',
      loaded: id,
    })
    await softDeleted(seatgate, organization)
    expect(await all()).toEqual({
      fetched: 'organization_not_found',
      bySlug: null,
      membership: null,
      listed: 0,
      withRoles: 0,
      selected: 'none',
      loaded: null,
    })
  })

  it('has no alias that redirects to it [ORG-28]', async () => {
    const organization = await kit.organization()
    const { id, slug: oldSlug, owner, as } = organization
    const change = { slug: freshSlug(), confirmSlug: oldSlug, password: PASSWORD }
    unwrap(await updateSlug(seatgate, as(owner), change))
    expect(await getActiveSlugAlias(seatgate, oldSlug)).toMatchObject({ organizationId: id })
    await softDeleted(seatgate, organization)
    expect(await getActiveSlugAlias(seatgate, oldSlug)).toBeNull()
  })

  const scoped: [string, (scope: OrganizationScope) => Promise<{ ok: boolean }>][] = [
    ['getOrganization', (scope) => getOrganization(seatgate, scope)],
    ['listMembers', (scope) => listMembers(seatgate, scope)],
    ['countMembers', (scope) => countMembers(seatgate, scope)],
    ['countMembersWithoutMfa', (scope) => countMembersWithoutMfa(seatgate, scope)],
    ['listAuditEvents', (scope) => listAuditEvents(seatgate, scope)],
    ['seatUsage', (scope) => seatUsage(seatgate, scope)],
  ]
  it.each(scoped)(
    'is organization_not_found by id and by slug to %s [ORG-28]',
    async (_n, read) => {
      const organization = await kit.organization()
      const { id, slug, owner } = organization
      const bot = {
        type: 'service_account',
        serviceAccountId: 'b',
        organizationId: id,
        role: 'owner',
      }
      const callers = [{ userId: owner }, { type: 'system' }, bot] as OrganizationScope['caller'][]
      for (const caller of callers)
        expect(await read({ caller, organization: id })).toMatchObject({ ok: true })
      await softDeleted(seatgate, organization)
      for (const caller of callers) {
        for (const name of [id, slug, id.toUpperCase(), slug.toUpperCase()]) {
          expect(await read({ caller, organization: name })).toEqual({
            ok: false,
            error: { code: 'organization_not_found' },
          })
        }
      }
    }
  )

  const inside = EVERY_CHANGE.filter((mutator) => mutator.inside)
  it.each(shareOf(inside, 10).map((mutator) => [mutator.name, mutator] as const))(
    'is not there for %s by id and by slug, and no row is written [ORG-28]',
    async (name, { act }) => {
      const team = await newTeam('d1')
      await softDeleted(seatgateWith(), team.organization)
      const { id, slug } = team.organization
      const rows = await everything()
      const bySlug = name.startsWith('prepareMember') ? [id] : [id, slug]
      for (const organization of bySlug) {
        const as = (userId: string) => ({ caller: { userId }, organization })
        const asOperator = { ...team.organization.asOperator, organization }
        const gone = {
          ...team,
          organization: { ...team.organization, id: organization, as, asOperator },
        }
        const quiet = createKit({ provider: 'd1' })
        const refusal = await act(quiet.seatgate, gone)
        const expected =
          name === 'putActiveOrganization' ? 'not_a_member' : 'organization_not_found'
        expect(codeOf(refusal)).toBe(expected)
      }
      expect(await everything()).toEqual(rows)
    }
  )

  it('is no place for a session to point to [ORG-28]', async () => {
    const organization = await kit.organization()
    const session = await sessionOf(organization.owner)
    await softDeleted(seatgate, organization)
    const caller = { userId: organization.owner, session }
    for (const name of [organization.id, organization.slug]) {
      expect(codeOf(await putActiveOrganization(seatgate, { caller }, name))).toBe('not_a_member')
    }
    expect(await pointerOf(session)).toBeNull()
  })
})
