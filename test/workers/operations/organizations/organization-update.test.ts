import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  renameOrganization,
  updateOrganization,
  type Result,
} from '../../../../src/index.ts'
import {
  actionsOf,
  everything,
  freshSlug,
  lastEventOf,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
} from '../../../kit/index.ts'

const kit = createKit()
const { seatgate } = kit
const changes = [
  ['updateOrganization', updateOrganization],
  ['renameOrganization', renameOrganization],
] as const

const fieldsOf = (result: Result<unknown>) =>
  result.ok || result.error.code !== 'validation_error' ? codeOf(result) : result.error.errors

describe.each(changes)('%s', (_name, change) => {
  it.each([
    [{}, 'name'],
    [{ name: null }, 'name'],
    [{ name: '' }, 'name'],
    [{ name: ' \t ' }, 'name'],
    [{ name: 7 }, 'name'],
    [{ name: ['Acme'] }, 'name'],
    [{ name: {} }, 'name'],
    [[], 'name'],
    [JSON.parse('{"__proto__":{"name":"Acme"}}'), 'name'],
    [null, 'body'],
    ['Acme', 'body'],
    [undefined, 'body'],
  ])('refuses %j: it reads once and writes no row [ORG-18]', async (input, field) => {
    const organization = await kit.organization()
    const asked: string[] = []
    const watched = createKit({
      around(trip, run) {
        asked.push(...trip.asked)
        return run()
      },
    })
    const rows = await everything()
    const refusal = await change(watched.seatgate, organization.as(organization.owner), input)
    expect(Object.keys(fieldsOf(refusal))).toEqual([field])
    expect(watched.trips()).toBe(1)
    expect(asked.filter((sql) => !sql.startsWith('select'))).toEqual([])
    expect(await everything()).toEqual(rows)
  })

  it('writes no row for the name that it has', async () => {
    const organization = await kit.organization()
    const rows = await everything()
    const same = await change(seatgate, organization.as(organization.owner), { name: ' Test ' })
    expect(same).toMatchObject({ ok: true, value: { name: 'Test' } })
    expect(await everything()).toEqual(rows)
  })

  it('is for owners and admins, and answers others before it looks at their input', async () => {
    const organization = await kit.organization()
    const admin = await join(kit, organization, 'admin')
    const member = await join(kit, organization)
    unwrap(await change(seatgate, organization.as(admin), { name: 'By an admin' }))
    for (const input of [{ name: 'By a member' }, {}, null]) {
      const byMember = await change(seatgate, organization.as(member), input as never)
      const byStranger = await change(seatgate, organization.as(await newUser()), input as never)
      expect([byMember, byStranger].map(codeOf)).toEqual([
        'insufficient_role',
        'organization_not_found',
      ])
    }
  })
})

describe('updateOrganization', () => {
  it('answers the new name and writes organization.update [ORG-15]', async () => {
    const { id, owner, as } = await kit.organization()
    const updated = unwrap(await updateOrganization(seatgate, as(owner), { name: 'New' }))
    expect(updated).toMatchObject({ id, name: 'New' })
    expect(await lastEventOf(id)).toEqual({
      action: 'organization.update',
      actorId: owner,
      targetType: 'organization',
      targetId: id,
      metadata: {},
    })
  })

  it.each([['another-name'], [''], [null], [7], ['same']])(
    'makes no slug of the name and refuses the slug %j in its input [ORG-16]',
    async (slug) => {
      const { owner, slug: present, as } = await kit.organization()
      const rows = await everything()
      const input = { name: 'Another Name', slug: slug === 'same' ? present : slug }
      const refused = await updateOrganization(seatgate, as(owner), input)
      expect(Object.keys(fieldsOf(refused))).toEqual(['slug'])
      expect(await everything()).toEqual(rows)
      const updated = unwrap(
        await updateOrganization(seatgate, as(owner), { name: 'Another Name' })
      )
      expect(updated.slug).toBe(present)
    }
  )
})

describe('renameOrganization', () => {
  it('changes only the name, ignores other keys, and reports both names [ORG-17]', async () => {
    const { id, owner, slug, as } = await kit.organization()
    const input = { name: 'New', slug: 'stolen', personal: true, ownerUserId: 'x', deletedAt: 1 }
    const renamed = unwrap(await renameOrganization(seatgate, as(owner), input))
    expect(renamed).toMatchObject({ id, name: 'New', slug, personal: false, founderUserId: owner })
    expect(await lastEventOf(id)).toMatchObject({
      action: 'organization.rename',
      metadata: { old_name: 'Test', new_name: 'New' },
    })
  })

  it('records an unbroken chain of names for ten renames at once', async () => {
    const { id, owner, as } = await kit.organization()
    const far = createKit({ delayMs: 5 })
    const names = Array.from({ length: 10 }, (_, index) => `Name ${index}`)
    const answers = await Promise.all(
      names.map((name) => renameOrganization(far.seatgate, as(owner), { name }))
    )
    const codes = new Set(answers.map(codeOf))
    expect([...codes].filter((code) => !/^(ok|operation_in_progress)$/.test(code))).toEqual([])
    const renames = (await actionsOf(id)).filter((action) => action === 'organization.rename')
    expect(renames).toHaveLength(answers.filter(({ ok }) => ok).length)
  })
})

describe('a name', () => {
  const longest = 'x'.repeat(255)

  it('has at most 255 characters, the same in create, update and rename [ORG-19]', async () => {
    const { owner, as } = await kit.organization()
    const ways = [
      (name: string) =>
        createOrganization(seatgate, { caller: { userId: owner } }, { name, slug: freshSlug() }),
      ...changes.map(
        ([, change]) =>
          (name: string) =>
            change(seatgate, as(owner), { name })
      ),
    ]
    for (const way of ways) {
      unwrap(await way('Something else'))
      expect(unwrap(await way(longest)).name).toBe(longest)
      expect(fieldsOf(await way(`${longest}x`))).toEqual({ name: [expect.stringContaining('255')] })
    }
  })

  it('of 64 KiB, or of a million characters, is refused like any that is too long', async () => {
    const { owner, as } = await kit.organization()
    for (const length of [64 * 1024, 1_000_000]) {
      for (const letter of ['x', '\u200b', ' ', '\u0301', 'ä-']) {
        const name = letter.repeat(length / letter.length)
        const refusal = await renameOrganization(seatgate, as(owner), { name })
        expect(Object.keys(fieldsOf(refusal))).toEqual(['name'])
      }
    }
  })
})
