import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  getActiveSlugAlias,
  getOrganizationBySlug,
  softDeleteOrganization,
  updateSlug,
  type Organization,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  type FlatOptions,
  asUser,
  embedded,
  everything,
  freshSlug,
  isChange,
  lastEventOf,
  meanwhile,
  softDeleted,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  PASSWORD,
  type TestOrganization,
} from '../../../kit/index.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const kit = createKit()
const { seatgate } = kit

const clock = { now: Date.now() }
const clocked = (options: Partial<FlatOptions> = {}) =>
  createKit({ now: () => new Date(clock.now), ...options }).seatgate

async function change(
  organization: Pick<TestOrganization, 'as' | 'owner'>,
  confirmSlug: string,
  slug: string,
  by = seatgate
): Promise<Organization> {
  const input = { slug, confirmSlug, password: PASSWORD }
  return unwrap(await updateSlug(by, organization.as(organization.owner), input))
}

async function founded(slug: string, by = seatgate) {
  const owner = await newUser()
  const scope = { caller: { userId: owner } }
  const { id } = unwrap(await createOrganization(by, scope, { name: 'Test', slug }))
  return { id, owner, slug, as: (userId: string) => ({ caller: { userId }, organization: id }) }
}

const aliasesOf = async (organizationId: string) => {
  const { results } = await testEnv.DB.prepare(
    'SELECT old_slug AS slug FROM seatgate_organization_slug_aliases WHERE organization_id = ? ORDER BY created_at, old_slug'
  )
    .bind(organizationId)
    .all<{ slug: string }>()
  return results.map(({ slug }) => slug)
}

async function refusal(organization: TestOrganization, input: unknown, by = seatgate) {
  const rows = await everything()
  const result = await updateSlug(by, organization.as(organization.owner), input as never)
  expect(await everything()).toEqual(rows)
  if (result.ok || result.error.code !== 'validation_error') return codeOf(result)
  return result.error.errors
}

describe('updateSlug', () => {
  it.each([
    [{}, ['confirmSlug', 'password', 'slug']],
    [{ slug: 'fine-slug' }, ['confirmSlug', 'password']],
    [{ slug: 'fine-slug', confirmSlug: 'x' }, ['password']],
    [{ password: PASSWORD }, ['confirmSlug', 'slug']],
    [{ slug: null, confirmSlug: null, password: null }, ['confirmSlug', 'password', 'slug']],
    [{ slug: ['fine-slug'], confirmSlug: 7, password: {} }, ['confirmSlug', 'password', 'slug']],
    [
      JSON.parse('{"__proto__":{"slug":"fine","confirmSlug":"x","password":"y"}}'),
      ['confirmSlug', 'password', 'slug'],
    ],
    [[], ['confirmSlug', 'password', 'slug']],
    [null, ['body']],
    ['fine-slug', ['body']],
  ])('names each field that is missing or wrong in %j [ORG-65]', async (input, fields) => {
    const organization = await kit.organization()
    expect(Object.keys(await refusal(organization, input)).sort()).toEqual(fields)
  })

  it('names the step-up where there are no passwords [ORG-65]', async () => {
    const organization = await kit.organization()
    const stepped = createKit({ verifyPassword: undefined as never, stepUp: () => true })
    const fields = Object.keys(await refusal(organization, {}, stepped.seatgate))
    expect(fields.sort()).toEqual(['confirmSlug', 'slug', 'stepUpProof'])
  })

  it('requires the current slug typed exactly, before it checks the password [ORG-66]', async () => {
    const organization = await kit.organization()
    let looked = 0
    const looking = createKit({ verifyPassword: () => (looked += 1) > 0 })
    const { slug: present, id } = organization
    for (const confirmSlug of ['', present.toUpperCase(), `${present} `, id, freshSlug()]) {
      const input = { slug: freshSlug(), confirmSlug, password: 'wrong' }
      expect(await refusal(organization, input, looking.seatgate)).toEqual({
        confirmSlug: ['Must be the current slug.'],
      })
    }
    expect(looked).toBe(0)
  })

  it('answers invalid_password to a wrong password and writes no row [ORG-67]', async () => {
    const organization = await kit.organization()
    const input = { slug: freshSlug(), confirmSlug: organization.slug, password: 'wrong' }
    expect(await refusal(organization, input)).toBe('invalid_password')
  })

  it('sets the slug, an alias for seven days and the event, in one batch [ORG-68]', async () => {
    clock.now = new Date('2031-01-01T00:00:00.000Z').getTime()
    const organization = await kit.organization()
    const { id, owner, slug: oldSlug } = organization
    const changes: (readonly string[])[] = []
    const watched = clocked()
    const slug = freshSlug()
    const noted = createKit({
      now: () => new Date(clock.now),
      around({ asked }, run) {
        if (isChange(asked)) changes.push(asked)
        return run()
      },
    })
    const changed = await change(organization, oldSlug, slug, noted.seatgate)
    expect(changed).toMatchObject({ id, slug, name: 'Test' })
    expect(changes).toHaveLength(1)
    for (const write of [
      'update "seatgate_organizations"',
      'insert into "seatgate_organization_slug_aliases"',
    ]) {
      expect(changes[0]!.some((sql) => sql.startsWith(write))).toBe(true)
    }
    expect(await getOrganizationBySlug(watched, slug)).toMatchObject({ id })
    expect(await getOrganizationBySlug(watched, oldSlug)).toBeNull()
    const expiresAt = '2031-01-08T00:00:00.000Z'
    expect(await getActiveSlugAlias(watched, oldSlug)).toEqual({
      oldSlug,
      organizationId: id,
      expiresAt,
    })
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.slug_change',
      actorId: owner,
      targetType: 'organization',
      targetId: id,
      metadata: { old_slug: oldSlug, new_slug: slug, alias_expires_at: expiresAt },
    })
  })

  it('applies the form, the length and the reserved words, configured ones too [ORG-69]', async () => {
    const organization = await kit.organization()
    const own = createKit({
      additionalReservedSlugs: ['acme'],
      slugLength: { min: 4, max: 10 },
    }).seatgate
    const ask = async (slug: string, by = seatgate) => {
      const input = { slug, confirmSlug: organization.slug, password: PASSWORD }
      const { slug: messages } = (await refusal(organization, input, by)) as { slug: string[] }
      return messages.map((message) => /letter|characters long|reserved/.exec(message)?.[0])
    }
    expect(await ask('ab')).toEqual(['characters long'])
    expect(await ask('a'.repeat(64))).toEqual(['characters long'])
    expect(await ask('admin')).toEqual(['reserved'])
    expect(await ask('Not A Slug')).toEqual(['letter'])
    expect(await ask('acme', own)).toEqual(['reserved'])
    expect(await ask('new', own)).toEqual(['characters long', 'reserved'])
    expect(await ask('abcdefghijk', own)).toEqual(['characters long'])
  })

  it('refuses a slug that is taken, or was given up lately by another user [ORG-70]', async () => {
    const [organization, other] = [await kit.organization(), await kit.organization()]
    const taken = { slug: other.slug, confirmSlug: organization.slug, password: PASSWORD }
    expect(await refusal(organization, taken)).toEqual({ slug: ['This slug is already taken.'] })
    await change(other, other.slug, freshSlug())
    expect(await refusal(organization, taken)).toEqual({ slug: ['This slug is already taken.'] })
  })

  it('does not disclose to an outsider whether a slug is taken [ORG-70]', async () => {
    const [organization, other] = [await kit.organization(), await kit.organization()]
    const member = await join(kit, organization)
    for (const slug of [other.slug, freshSlug(), 'admin', '']) {
      const input = { slug, confirmSlug: organization.slug, password: PASSWORD }
      const answers = [organization.as(member), organization.as(other.owner)].map((scope) =>
        updateSlug(seatgate, scope, input)
      )
      expect((await Promise.all(answers)).map(codeOf)).toEqual([
        'insufficient_role',
        'organization_not_found',
      ])
    }
  })

  it('refuses the slug that it has [ORG-71]', async () => {
    const organization = await kit.organization()
    const { slug } = organization
    expect(await refusal(organization, { slug, confirmSlug: slug, password: PASSWORD })).toEqual({
      slug: ['Must differ from the current slug.'],
    })
  })

  it('refuses a confirmation that another change has overtaken, on the new slug', async () => {
    const organization = await kit.organization()
    const [between, late] = [freshSlug(), freshSlug()]
    const around = meanwhile(() => change(organization, organization.slug, between))
    const slow = createKit({ around })
    const input = { slug: late, confirmSlug: organization.slug, password: PASSWORD }
    const overtaken = await updateSlug(slow.seatgate, organization.as(organization.owner), input)
    expect(overtaken).toMatchObject({
      error: { errors: { confirmSlug: ['Must be the current slug.'] } },
    })
    expect(await getOrganizationBySlug(seatgate, between)).toMatchObject({ id: organization.id })
    expect(await aliasesOf(organization.id)).toEqual([organization.slug])
  })

  it('lets the host itself change it without a proof', async () => {
    const { id, slug } = await kit.organization()
    const to = freshSlug()
    const scope = { caller: { type: 'system' }, organization: slug } as const
    const changed = await updateSlug(seatgate, scope, { slug: to, confirmSlug: slug })
    expect(unwrap(changed)).toMatchObject({ id, slug: to })
  })
})

describe('chains of slugs', () => {
  it('a to b and back leaves no alias a: no slug redirects to itself [ORG-72]', async () => {
    const organization = await kit.organization()
    const [a, b] = [organization.slug, freshSlug()]
    await change(organization, a, b)
    expect(await aliasesOf(organization.id)).toEqual([a])
    await change(organization, b, a)
    expect(await aliasesOf(organization.id)).toEqual([b])
    expect(await getActiveSlugAlias(seatgate, a)).toBeNull()
    await change(organization, a, b)
    expect(await aliasesOf(organization.id)).toEqual([a])
  })

  it('a to b to c leads from a and from b to c, in one step', async () => {
    const organization = await kit.organization()
    const [a, b, c] = [organization.slug, freshSlug(), freshSlug()]
    await change(organization, a, b)
    await change(organization, b, c)
    expect((await aliasesOf(organization.id)).sort()).toEqual([a, b].sort())
    const client = embedded()
    for (const old of [a, b]) {
      const response = await client.get(`/o/${old}`, asUser({ userId: organization.owner }))
      expect([response.status, response.headers.get('location')]).toEqual([302, `/o/${c}`])
    }
    const here = await client.get(`/o/${c}`, asUser({ userId: organization.owner }))
    expect(here.status).toBe(200)
  })

  it('frees a slug for any organization once its alias has expired [ORG-73]', async () => {
    clock.now = Date.now()
    const by = clocked()
    const slug = freshSlug()
    const first = await founded(slug, by)
    await change(first, slug, freshSlug(), by)
    const early = await createOrganization(
      by,
      { caller: { userId: first.owner } },
      { name: 'Test', slug }
    )
    expect(codeOf(early)).toBe('validation_error')
    clock.now += 7 * DAY_MS
    const second = await founded(slug, by)
    const moved = freshSlug()
    await change(second, slug, moved, by)
    expect(await getActiveSlugAlias(by, slug)).toMatchObject({ organizationId: second.id })
    clock.now += 7 * DAY_MS
    const present = (await getOrganizationBySlug(by, moved))!
    await change(second, present.slug, slug, by)
    await change(second, slug, freshSlug(), by)
    expect(await getActiveSlugAlias(by, slug)).toMatchObject({ organizationId: second.id })
    clock.now += 7 * DAY_MS
    expect(await aliasesOf(first.id)).toEqual([])
    await founded(slug, by)
  })

  it('give the organization its own old slug back at once, and its founder no other user’s', async () => {
    const organization = await kit.organization()
    const old = organization.slug
    const next = freshSlug()
    await change(organization, old, next)
    const scope = { caller: { userId: organization.owner } }
    const again = await createOrganization(seatgate, scope, { name: 'Test', slug: old })
    expect(codeOf(again)).toBe('validation_error')
    expect((await change(organization, next, old)).slug).toBe(old)
  })

  it('are free after the deletion of their organization, and the live one wins', async () => {
    const organization = await kit.organization()
    const old = organization.slug
    await change(organization, old, freshSlug())
    await softDeleted(seatgate, organization)
    const heir = await founded(old)
    expect(await getOrganizationBySlug(seatgate, old)).toMatchObject({ id: heir.id })
    const next = freshSlug()
    await change(heir, old, next)
    const response = await embedded().get(`/o/${old}`, asUser({ userId: heir.owner }))
    expect(response.headers.get('location')).toBe(`/o/${next}`)
  })
})

describe('an alias', () => {
  it('is there until the moment it expires, and null from then on [ORG-74]', async () => {
    clock.now = Date.now()
    const by = clocked()
    const slug = freshSlug()
    const organization = await founded(slug, by)
    await change(organization, slug, freshSlug(), by)
    const start = clock.now
    const found = async (at: number) => {
      clock.now = at
      return (await getActiveSlugAlias(by, slug))?.organizationId ?? null
    }
    expect(await found(start)).toBe(organization.id)
    expect(await found(start + 7 * DAY_MS - 1)).toBe(organization.id)
    expect(await found(start + 7 * DAY_MS)).toBeNull()
    expect(await found(start + 7 * DAY_MS + 1)).toBeNull()
    expect(await found(start)).toBe(organization.id)
    expect((await getActiveSlugAlias(by, slug.toUpperCase()))?.oldSlug).toBe(slug)
    for (const unknown of [freshSlug(), '', '__proto__', `${slug}\u0000`]) {
      expect(await getActiveSlugAlias(by, unknown)).toBeNull()
    }
  })

  it.each([
    [0, 0],
    [1, DAY_MS],
    [365, 365 * DAY_MS],
  ])('lasts the %i days that are configured', async (slugAliasDays, lasts) => {
    clock.now = Date.now()
    const by = clocked({ slugAliasDays })
    const slug = freshSlug()
    await change(await founded(slug, by), slug, freshSlug(), by)
    if (lasts > 0) {
      clock.now += lasts - 1
      expect(await getActiveSlugAlias(by, slug)).not.toBeNull()
      clock.now += 1
    }
    expect(await getActiveSlugAlias(by, slug)).toBeNull()
    await founded(slug, by)
  })

  it('is deleted by the sweep once it has expired, and no other is [ORG-75]', async () => {
    clock.now = Date.now() + 400 * DAY_MS
    const by = clocked()
    const slugs = [freshSlug(), freshSlug(), freshSlug()]
    const [expired, exact, living] = await Promise.all(slugs.map((slug) => founded(slug, by)))
    await change(expired!, slugs[0]!, freshSlug(), by)
    clock.now += 1000
    await change(exact!, slugs[1]!, freshSlug(), by)
    clock.now += 1
    await change(living!, slugs[2]!, freshSlug(), by)
    clock.now += 7 * DAY_MS - 1
    const rows = await everything()
    await sweepHandler(by)()
    expect(await aliasesOf(expired!.id)).toEqual([])
    expect(await aliasesOf(exact!.id)).toEqual([])
    expect(await aliasesOf(living!.id)).toEqual([slugs[2]])
    const after = await everything()
    expect(after['seatgate_organizations']).toEqual(rows['seatgate_organizations'])
  })

  it('is swept even if another part of the sweep fails [ORG-75]', async () => {
    clock.now = Date.now() + 800 * DAY_MS
    const slug = freshSlug()
    const organization = await founded(slug, clocked())
    await change(organization, slug, freshSlug(), clocked())
    clock.now += 7 * DAY_MS
    const failing = clocked({
      queue: {
        async send() {},
        sendBatch: () => Promise.reject(new Error('down')),
      },
    })
    await sweepHandler(failing)()
    expect(await aliasesOf(organization.id)).toEqual([])
  })

  it('redirects only members, and no member of a deleted organization', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization)
    const old = organization.slug
    const next = freshSlug()
    await change(organization, old, next)
    const client = embedded()
    const go = async (userId: string) => {
      const response = await client.get(`/o/${old}`, asUser({ userId }))
      return [response.status, response.headers.get('location')]
    }
    expect(await go(member)).toEqual([302, `/o/${next}`])
    expect(await go(await newUser())).toEqual([404, null])
    const input = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(seatgate, organization.as(organization.owner), input))
    expect(await go(member)).toEqual([404, null])
  })
})
