import { describe, expect, it } from 'vitest'
import { organizations } from '../../../../src/database/schema.ts'
import {
  allow,
  createOrganization,
  prepareOrganization,
  updateSlug,
  type Scope,
} from '../../../../src/index.ts'
import {
  db,
  actionsOf,
  everything,
  freshSlug,
  lastEventOf,
  pointerOf,
  sessionOf,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  PASSWORD,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit

async function create(input: unknown, userId?: string) {
  const caller = { userId: userId ?? (await newUser()) }
  const created = await createOrganization(seatgate, { caller }, input as never)
  await kit.settled()
  return created
}

/** Which fields are complained of. */
async function complaints(input: unknown) {
  const rows = await everything()
  const refusal = await create(input, 'nobody in particular')
  expect(await everything()).toEqual(rows)
  if (refusal.ok || refusal.error.code !== 'validation_error') return codeOf(refusal)
  return refusal.error.errors
}

const rowOf = (id: string) =>
  testEnv.DB.prepare('SELECT * FROM seatgate_organizations WHERE id = ?').bind(id).first()

describe('createOrganization', () => {
  it('returns the stored organization, founded by the caller [ORG-1 ORG-11]', async () => {
    const [userId, slug] = [await newUser(), freshSlug()]
    const created = unwrap(
      await create(
        { name: 'Acme', slug, ownerUserId: 'x', owner_user_id: 'x', founderUserId: 'x' },
        userId
      )
    )
    expect(created).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Acme',
      slug,
      founderUserId: userId,
      personal: false,
      enforceMfaForMembers: false,
      createdAt: expect.any(String),
      updatedAt: created.createdAt,
    })
    expect(await rowOf(created.id)).toMatchObject({ name: 'Acme', slug, owner_user_id: userId })
  })

  it('takes no personal, deleted_at or enforce_mfa_for_members from its input [ORG-12]', async () => {
    const input = {
      name: 'Acme',
      slug: freshSlug(),
      personal: true,
      deletedAt: 1,
      deleted_at: 1,
      enforceMfaForMembers: true,
      enforce_mfa_for_members: true,
    }
    const { id } = unwrap(await create(input))
    expect(await rowOf(id)).toMatchObject({
      personal: 0,
      deleted_at: null,
      enforce_mfa_for_members: 0,
    })
  })

  it('has no deletion, no policy and no personal data by default, and takes a date [ORG-21]', async () => {
    const now = new Date()
    const row = { name: 'Acme', ownerUserId: 'x', createdAt: now, updatedAt: now }
    const values = [null, now].map((deletedAt) => ({
      ...row,
      id: crypto.randomUUID(),
      slug: freshSlug(),
      deletedAt,
    }))
    const stored = await db.insert(organizations).values(values).returning()
    expect(stored.map(({ deletedAt }) => deletedAt)).toEqual([null, now])
    for (const one of stored) {
      expect(one).toMatchObject({ enforceMfaForMembers: false, personal: false })
    }
  })

  it('creates a personal workspace if the host asks for it, for any input', async () => {
    const caller = { userId: await newUser() }
    const input = { name: 'Mine', slug: freshSlug(), personal: false }
    const { id } = unwrap(await createOrganization(seatgate, { caller }, input, { personal: true }))
    expect(await rowOf(id)).toMatchObject({ personal: 1 })
  })

  it('writes organization.create with no metadata, the seat, and no member_add [ORG-13]', async () => {
    const caller = { userId: await newUser() }
    const quiet = createKit({ provider: 'unlimited' })
    const { id } = unwrap(
      await createOrganization(quiet.seatgate, { caller }, { name: 'Acme', slug: freshSlug() })
    )
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.create',
      actorId: caller.userId,
      targetType: 'organization',
      targetId: id,
      metadata: {},
    })
    const counted = unwrap(await create({ name: 'Acme', slug: freshSlug() }))
    expect(await actionsOf(counted.id)).toEqual(['organization.create', 'seat.assigned'])
  })

  it('does not move the pointer of the session [ORG-14]', async () => {
    const before = await kit.organization()
    for (const pointer of [null, before.id]) {
      const session = await sessionOf(before.owner, pointer)
      const caller = { userId: before.owner, session }
      unwrap(await createOrganization(seatgate, { caller }, { name: 'Acme', slug: freshSlug() }))
      expect(await pointerOf(session)).toBe(pointer)
    }
  })

  it('makes a slug of the name if no slug is given, of plain JSON too [ORG-4 ORG-5]', async () => {
    const mark = crypto.randomUUID().slice(0, 8)
    const input = JSON.parse(`{"name":"My Cool Project ${mark}"}`) as unknown
    expect(unwrap(await create(input)).slug).toBe(`my-cool-project-${mark}`)
    const none = { name: `My Cool Project 2 ${mark}`, slug: null }
    expect(unwrap(await create(none)).slug).toBe(`my-cool-project-2-${mark}`)
  })

  it.each([
    ['ORG-6', { name: 'Fine Name', slug: '' }, ['slug']],
    ['ORG-6', { name: 'Fine Name', slug: '!!!' }, ['slug']],
    ['ORG-6', { name: 'Fine Name', slug: 'Fine Name' }, ['slug']],
    ['ORG-6', { name: 'Fine Name', slug: false }, ['slug']],
    ['ORG-6', { name: 'Fine Name', slug: 0 }, ['slug']],
    ['ORG-7', { name: 'Fine Name', slug: 'admin' }, ['slug']],
    ['ORG-3', { slug: 'fine-slug' }, ['name']],
    ['ORG-3', { name: null, slug: 'fine-slug' }, ['name']],
    ['ORG-20', { name: '' }, ['name']],
    ['ORG-20', {}, ['name']],
    ['ORG-20', { name: '  ', slug: undefined }, ['name']],
    ['a number for a name', { name: 7 }, ['name']],
    ['lists', { name: ['Acme'], slug: ['acme'] }, ['name', 'slug']],
    ['objects', { name: { toString: 'Acme' }, slug: {} }, ['name', 'slug']],
    ['a list for everything', ['Acme', 'acme'], ['name']],
    ['prototype keys', JSON.parse('{"__proto__":{"name":"A","slug":"fine"}}'), ['name']],
    ['an inherited name', Object.create({ slug: 7 }), ['name', 'slug']],
    ['null', null, ['body']],
    ['nothing', undefined, ['body']],
    ['a text', 'Acme', ['body']],
    ['a number', 7, ['body']],
  ])('%s: refuses %j and writes no row', async (_what, input, fields) => {
    expect(Object.keys(await complaints(input))).toEqual(fields)
  })

  it('takes slugs that are properties of every object', async () => {
    for (const slug of ['constructor', 'valueof', 'tostring', 'hasownproperty']) {
      expect(unwrap(await create({ name: 'Acme', slug })).slug).toBe(slug)
    }
  })

  it('refuses a slug that a live organization has [ORG-8]', async () => {
    const { slug } = await kit.organization()
    expect(await complaints({ name: 'Acme', slug })).toEqual({
      slug: ['This slug is already taken.'],
    })
  })

  it('refuses a slug that another organization has just given up [ORG-9]', async () => {
    const organization = await kit.organization()
    const { slug: oldSlug, owner } = organization
    const change = { slug: freshSlug(), confirmSlug: oldSlug, password: PASSWORD }
    unwrap(await updateSlug(seatgate, organization.as(owner), change))
    expect(await complaints({ name: 'Acme', slug: oldSlug })).toEqual({
      slug: ['This slug is already taken.'],
    })
    expect(unwrap(await create({ name: oldSlug })).slug).toBe(`${oldSlug}-2`)
  })

  it.each<[string, unknown]>([
    ['no caller', {}],
    ['null as the caller', { caller: null }],
    ['a caller without an id', { caller: {} }],
    ['an empty id', { caller: { userId: '' } }],
    ['a number', { caller: { userId: 7 } }],
    ['a service account without an id', { caller: { type: 'service_account' } }],
  ])('throws for a scope with %s [ORG-10]', async (_what, scope) => {
    const rows = await everything()
    const input = { name: 'Acme', slug: freshSlug() }
    await expect(createOrganization(seatgate, scope as Scope, input)).rejects.toThrow(TypeError)
    await expect(prepareOrganization(seatgate, scope as never, input)).rejects.toThrow(TypeError)
    expect(await everything()).toEqual(rows)
  })

  it('is only for people', async () => {
    const { id } = await kit.organization()
    for (const caller of [
      { type: 'system' },
      { type: 'service_account', serviceAccountId: 'bot', organizationId: id, role: 'owner' },
    ] as const) {
      const created = await createOrganization(
        seatgate,
        { caller },
        { name: 'Acme', slug: freshSlug() }
      )
      expect(codeOf(created)).toBe('insufficient_role')
    }
  })

  it('validates the draft that its hook returns', async () => {
    const hooked = createKit({
      hooks: {
        beforeCreateOrganization: ({ draft }) =>
          draft.name === 'leave' ? allow() : { ok: true, draft: { name: 'Acme', slug: 'admin' } },
      },
    })
    const scope = { caller: { userId: await newUser() } }
    const refused = await createOrganization(hooked.seatgate, scope, { name: 'x', slug: 'fine' })
    expect(refused).toMatchObject({ error: { errors: { slug: ['Is reserved.'] } } })
    const slug = freshSlug()
    const kept = await createOrganization(hooked.seatgate, scope, { name: 'leave', slug })
    expect(kept).toMatchObject({ ok: true, value: { name: 'leave', slug } })
  })
})
