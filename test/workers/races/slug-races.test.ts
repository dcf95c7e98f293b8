import { describe, expect, it } from 'vitest'
import {
  createOrganization,
  getActiveSlugAlias,
  restoreOrganization,
  softDeleteOrganization,
  updateSlug,
  type Result,
  type Seatgate,
} from '../../../src/index.ts'
import {
  asUser,
  embedded,
  actionsOf,
  freshSlug,
  meanwhile,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  newUser,
  operator,
  PASSWORD,
  type TestOrganization,
  atScale,
} from '../../kit/index.ts'

const kit = createKit()
const ROUNDS = atScale({ share: 5, thorough: 20 })
const rounds = Array.from({ length: ROUNDS }, (_, round) => round)
const farAway = (round: number) => createKit({ delayMs: round % 3 }).seatgate

const creating = (seatgate: Seatgate, userId: string, slug: string) =>
  createOrganization(seatgate, { caller: { userId } }, { name: 'Race', slug })
const moving = (
  seatgate: Seatgate,
  { owner, as }: TestOrganization,
  confirmSlug: string,
  slug: string
) => updateSlug(seatgate, as(owner), { slug, confirmSlug, password: PASSWORD })

/** Those of a race that were told that the slug is taken. */
function beaten(answers: readonly Result<unknown>[]) {
  return answers.filter(
    (answer) =>
      !answer.ok &&
      answer.error.code === 'validation_error' &&
      JSON.stringify(answer.error.errors) === '{"slug":["This slug is already taken."]}'
  )
}

/** Everything that goes by a slug at the moment: live organizations and aliases. */
async function holders(slug: string) {
  const [live, aliases] = await testEnv.DB.batch<{ id: string }>([
    testEnv.DB.prepare(
      'SELECT id FROM seatgate_organizations WHERE slug = ? AND deleted_at IS NULL'
    ).bind(slug),
    testEnv.DB.prepare(
      'SELECT organization_id AS id FROM seatgate_organization_slug_aliases WHERE old_slug = ?'
    ).bind(slug),
  ])
  return { live: live!.results.map(({ id }) => id), aliases: aliases!.results.map(({ id }) => id) }
}

describe('one slug that several want at once', () => {
  it('is given to exactly one of two slug changes and two creations, in 20 rounds [ORG-8 ORG-70]', async () => {
    for (const round of rounds) {
      const slug = freshSlug()
      const [one, other] = [await kit.organization(), await kit.organization()]
      const far = farAway(round)
      const answers = await Promise.all([
        moving(far, one, one.slug, slug),
        creating(far, one.owner, slug),
        moving(far, other, other.slug, slug),
        creating(far, other.owner, slug),
      ])
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
      expect(beaten(answers)).toHaveLength(3)
      expect((await holders(slug)).live).toHaveLength(1)
    }
  })

  it('is answered 201 or 200 once and 422 on slug otherwise, over HTTP', async () => {
    const client = embedded()
    for (let round = 0; round < ROUNDS; round++) {
      const slug = freshSlug()
      const organization = await kit.organization()
      const token = asUser({ userId: organization.owner })
      const others = await Promise.all([newUser(), newUser()])
      const answers = await Promise.all([
        client.post(
          `/organizations/${organization.id}/slug`,
          { slug, confirmSlug: organization.slug, password: PASSWORD },
          token
        ),
        ...others.map((userId) =>
          client.post('/organizations', { name: 'Race', slug }, asUser({ userId }))
        ),
      ])
      const refused = answers.filter(({ status }) => status === 422)
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
      expect(refused).toHaveLength(2)
      for (const response of refused) {
        expect(await response.json()).toMatchObject({
          errors: { slug: ['This slug is already taken.'] },
        })
      }
    }
  })

  it('is never given away while its owner is giving it up, in 20 rounds [ORG-9]', async () => {
    for (const round of rounds) {
      const organization = await kit.organization()
      const [old, slug] = [organization.slug, freshSlug()]
      const far = farAway(round)
      const userId = await newUser()
      const [moved, ...created] = await Promise.all([
        moving(far, organization, old, slug),
        creating(far, userId, old),
        creating(far, userId, old),
      ])
      expect(codeOf(moved)).toBe('ok')
      expect(beaten(created)).toHaveLength(2)
      expect(await holders(old)).toEqual({ live: [], aliases: [organization.id] })
    }
  })

  it('is given to the new or to the restored organization, not to both, in 20 rounds', async () => {
    for (const round of rounds) {
      const { id, slug, owner, as } = await kit.organization()
      const far = farAway(round)
      const input = { confirmName: 'Test', password: PASSWORD }
      unwrap(await softDeleteOrganization(far, as(owner), input))
      const answers = await Promise.all([
        restoreOrganization(far, { caller: operator }, id),
        creating(far, await newUser(), slug),
      ])
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
      expect(beaten(answers)).toHaveLength(1)
      expect((await holders(slug)).live).toHaveLength(1)
    }
  })

  it('is released by a deletion to at most one waiting organization', async () => {
    for (const round of rounds) {
      const { slug, owner, as } = await kit.organization()
      const far = farAway(round)
      const input = { confirmName: 'Test', password: PASSWORD }
      const [deleted, ...created] = await Promise.all([
        softDeleteOrganization(far, as(owner), input),
        creating(far, await newUser(), slug),
        creating(far, await newUser(), slug),
      ])
      expect(codeOf(deleted)).toBe('ok')
      const made = created.filter(({ ok }) => ok).length
      expect(made).toBeLessThanOrEqual(1)
      expect(beaten(created)).toHaveLength(2 - made)
      expect((await holders(slug)).live).toHaveLength(made)
    }
  })
})

describe('a slug that a user took and gave up between reading and writing', () => {
  const cases: [
    string,
    (far: Seatgate, organization: TestOrganization, slug: string) => Promise<Result<unknown>>,
  ][] = [
    ['creation', (far, { owner }, slug) => creating(far, owner, slug)],
    ['slug change', (far, one, slug) => moving(far, one, one.slug, slug)],
  ]
  const takenAndGivenUp = async (slug: string) => {
    const { seatgate } = kit
    const owner = await newUser()
    const { id } = unwrap(await creating(seatgate, owner, slug))
    const scope = { caller: { userId: owner }, organization: id }
    const input = { slug: freshSlug(), confirmSlug: slug, password: PASSWORD }
    unwrap(await updateSlug(seatgate, scope, input))
    return id
  }

  it.each(cases)('is refused to a %s: it still leads elsewhere [ORG-9]', async (_what, act) => {
    const organization = await kit.organization()
    const slug = freshSlug()
    let holder = ''
    const around = meanwhile(async () => {
      holder = await takenAndGivenUp(slug)
    })
    const answer = await act(createKit({ around }).seatgate, organization, slug)
    expect(beaten([answer])).toHaveLength(1)
    expect(await holders(slug)).toEqual({ live: [], aliases: [holder] })
  })

  it('is refused to a restoration: it still leads elsewhere [ORG-31]', async () => {
    const { id, slug, owner, as } = await kit.organization()
    const input = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(kit.seatgate, as(owner), input))
    let holder = ''
    const around = meanwhile(async () => {
      holder = await takenAndGivenUp(slug)
    })
    const far = createKit({ around }).seatgate
    const answer = await restoreOrganization(far, { caller: operator }, id)
    expect(beaten([answer])).toHaveLength(1)
    expect(await holders(slug)).toEqual({ live: [], aliases: [holder] })
  })
})

describe('several concurrent changes of the slug of one organization', () => {
  it('takes one of the slugs, and the others are refused as outdated', async () => {
    for (const round of rounds) {
      const organization = await kit.organization()
      const { id, slug: old } = organization
      const wanted = [freshSlug(), freshSlug(), freshSlug()]
      const far = farAway(round)
      const answers = await Promise.all(wanted.map((slug) => moving(far, organization, old, slug)))
      const won = answers.flatMap((answer) => (answer.ok ? [answer.value.slug] : []))
      expect(won).toHaveLength(1)
      for (const answer of answers.filter(({ ok }) => !ok)) {
        expect(answer).toMatchObject({
          error: { errors: { confirmSlug: ['Must be the current slug.'] } },
        })
      }
      expect((await actionsOf(id)).filter((one) => one.endsWith('slug_change'))).toHaveLength(1)
      expect(await holders(old)).toEqual({ live: [], aliases: [id] })
      expect((await holders(won[0]!)).live).toEqual([id])
    }
  })

  it('and is deleted at the same time: it is one after the other, and the slug is free [ORG-27]', async () => {
    for (const round of rounds) {
      const organization = await kit.organization()
      const { slug: old, owner, as } = organization
      const far = farAway(round)
      const slug = freshSlug()
      const [moved, deleted] = await Promise.all([
        moving(far, organization, old, slug),
        softDeleteOrganization(far, as(owner), { confirmName: 'Test', password: PASSWORD }),
      ])
      expect(codeOf(deleted)).toBe('ok')
      expect(['ok', 'organization_not_found']).toContain(codeOf(moved))
      for (const free of [old, slug]) unwrap(await creating(far, await newUser(), free))
    }
  })

  it('back and forth at once leaves no alias that is the present slug', async () => {
    const organization = await kit.organization()
    const [a, b] = [organization.slug, freshSlug()]
    for (const round of rounds) {
      const far = farAway(round)
      await Promise.all([
        moving(far, organization, a, b),
        moving(far, organization, b, a),
        moving(far, organization, a, b),
      ])
      const present = (await holders(a)).live.length === 1 ? a : b
      expect(await getActiveSlugAlias(far, present)).toBeNull()
      expect((await holders(present)).live).toEqual([organization.id])
    }
  })
})
