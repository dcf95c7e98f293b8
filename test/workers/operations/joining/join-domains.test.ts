import { describe, expect, it } from 'vitest'
import {
  addDomain,
  joinRules,
  listDomains,
  removeDomain,
  setDomainMode,
  verifyDomain,
} from '../../../../src/index.ts'
import {
  createJoiningKit,
  joinAs,
  neighbourOf,
  newDomain,
  openOrganization,
  actionsOf,
  everything,
  lastEventOf,
  softDeleted,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
} from '../../../kit/index.ts'

const kit = createJoiningKit()
const { seatgate } = kit

const fieldsOf = (answer: { ok: boolean; error?: unknown }) =>
  Object.keys((answer.error as { errors?: object }).errors ?? {})

describe('a domain', () => {
  it('admits no user until its record is seen', async () => {
    const asked: unknown[] = []
    let there = false
    const looking = createJoiningKit(
      {},
      {
        verifyDomain(challenge) {
          asked.push(challenge)
          return there
        },
      }
    )
    const organization = await looking.organization()
    const scope = organization.as(organization.owner)
    const name = newDomain()
    const added = unwrap(
      await addDomain(looking.seatgate, scope, { domain: ` ${name.toUpperCase()} `, mode: 'auto' })
    )
    expect(added).toMatchObject({ domain: name, mode: 'auto', verified: false })
    expect(added.record.name).toBe(`_seatgate.${name}`)
    expect(added.record.value).toMatch(/^seatgate-domain=[0-9a-f]{64}$/)
    const open = { ...organization, domain: added }
    const neighbour = await neighbourOf(open)
    expect(codeOf(await joinAs(looking, open, neighbour))).toBe('organization_not_found')

    expect(codeOf(await verifyDomain(looking.seatgate, scope, added.id))).toBe(
      'domain_not_verified'
    )
    expect(codeOf(await joinAs(looking, open, neighbour))).toBe('organization_not_found')
    there = true
    expect(unwrap(await verifyDomain(looking.seatgate, scope, added.id)).verified).toBe(true)
    expect(asked).toEqual([
      { domain: name, ...added.record },
      { domain: name, ...added.record },
    ])
    expect(unwrap(await joinAs(looking, open, neighbour)).status).toBe('joined')
    // Once more looks no further.
    expect(unwrap(await verifyDomain(looking.seatgate, scope, added.id)).verified).toBe(true)
    expect(asked).toHaveLength(2)
    expect(await actionsOf(organization.id)).toEqual([
      'organization.create',
      'seat.assigned',
      'organization.domain.added',
      'organization.domain.verified',
      'organization.join_request.queued',
      'organization.member_add',
      'seat.assigned',
    ])
  })

  it('stays unverified if it cannot be looked for', async () => {
    const reports: string[] = []
    const broken = createJoiningKit(
      { report: ({ event }) => reports.push(event) },
      { verifyDomain: () => Promise.reject(new Error('no resolver')) }
    )
    const organization = await broken.organization()
    const scope = organization.as(organization.owner)
    const { id } = unwrap(await addDomain(broken.seatgate, scope, { domain: newDomain() }))
    const rows = await everything()
    expect(codeOf(await verifyDomain(broken.seatgate, scope, id))).toBe('unavailable')
    expect(reports).toEqual(['domain_check_failed'])
    expect(await everything()).toEqual(rows)
  })

  it('belongs to one organization, and to another only after the first has removed it', async () => {
    const first = await openOrganization(kit, 'auto')
    const second = await kit.organization()
    const scope = second.as(second.owner)
    // Nobody learns from adding it that it is somebody else's.
    const added = unwrap(
      await addDomain(seatgate, scope, { domain: first.domain.domain, mode: 'auto' })
    )
    expect(codeOf(await verifyDomain(seatgate, scope, added.id))).toBe('domain_taken')
    unwrap(await removeDomain(seatgate, first.as(first.owner), first.domain.id))
    expect(unwrap(await verifyDomain(seatgate, scope, added.id)).verified).toBe(true)
  })

  it('is free once its organization is deleted', async () => {
    const first = await openOrganization(kit, 'auto')
    const second = await kit.organization()
    const scope = second.as(second.owner)
    await softDeleted(seatgate, first)
    const added = unwrap(
      await addDomain(seatgate, scope, { domain: first.domain.domain, mode: 'auto' })
    )
    expect(unwrap(await verifyDomain(seatgate, scope, added.id)).verified).toBe(true)
    const neighbour = await neighbourOf(first)
    expect(codeOf(await joinAs(kit, first, neighbour))).toBe('organization_not_found')
    expect(unwrap(await joinAs(kit, second, neighbour)).status).toBe('joined')
  })

  it('is verified for one of two organizations that verify it at once', async () => {
    const far = createJoiningKit({ delayMs: 5 })
    const domain = newDomain()
    const both = await Promise.all(
      [0, 1].map(async () => {
        const organization = await far.organization()
        const scope = organization.as(organization.owner)
        return { scope, ...unwrap(await addDomain(far.seatgate, scope, { domain })) }
      })
    )
    const answers = await Promise.all(
      both.map(({ scope, id }) => verifyDomain(far.seatgate, scope, id))
    )
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    const [loser] = both.filter((_, index) => !answers[index]?.ok)
    expect(codeOf(await verifyDomain(far.seatgate, loser!.scope, loser!.id))).toBe('domain_taken')
  })

  it('names its purpose in its DNS record', async () => {
    const organization = await openOrganization(kit, 'auto')
    const scope = organization.as(organization.owner)
    const { id, domain } = organization.domain
    const changed = unwrap(await setDomainMode(seatgate, scope, id, { mode: 'request' }))
    expect(changed.mode).toBe('request')
    expect(await lastEventOf(organization.id)).toEqual({
      action: 'organization.domain.mode_change',
      actorId: organization.owner,
      targetType: 'domain',
      targetId: id,
      metadata: { domain, old_mode: 'auto', new_mode: 'request' },
    })
    const rows = await everything()
    expect(unwrap(await setDomainMode(seatgate, scope, id, { mode: 'request' }))).toEqual(changed)
    expect(await everything()).toEqual(rows)
    unwrap(await setDomainMode(seatgate, scope, id, { mode: 'off' }))
    const neighbour = await neighbourOf(organization)
    expect(codeOf(await joinAs(kit, organization, neighbour))).toBe('organization_not_found')
    unwrap(await removeDomain(seatgate, scope, id))
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.domain.removed',
    })
    expect(unwrap(await listDomains(seatgate, scope)).data).toEqual([])
  })

  it('is added once, and twenty are enough', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const input = { domain: newDomain(), mode: 'request' }
    const first = unwrap(await addDomain(seatgate, scope, input as never))
    expect(unwrap(await addDomain(seatgate, scope, { ...input, mode: 'auto' }))).toEqual(first)
    for (let more = 1; more < 20; more++) {
      unwrap(await addDomain(seatgate, scope, { domain: newDomain() }))
    }
    expect(fieldsOf(await addDomain(seatgate, scope, { domain: newDomain() }))).toEqual(['domain'])
    expect(unwrap(await listDomains(seatgate, scope)).data).toHaveLength(20)
  })
})

describe('bad input', () => {
  it.each([
    [undefined],
    [null],
    [7],
    [''],
    ['example'],
    ['a b.example'],
    ['-a.example'],
    ['a..example'],
    ['https://a.example'],
    ['ann@a.example'],
    ['127.0.0.1'],
    ['a.example/'],
    ['a.example.'],
    ['*.example'],
    [`${'a'.repeat(64)}.example`],
    [`${'a.'.repeat(130)}example`],
    ['gmail.com'],
    ['GMail.com'],
    ['own.public.example'],
  ])('is no domain: %j', async (domain) => {
    const strict = createJoiningKit({}, { publicDomains: ['own.public.example'] })
    const organization = await strict.organization()
    const scope = organization.as(organization.owner)
    const rows = await everything()
    expect(fieldsOf(await addDomain(strict.seatgate, scope, { domain: domain as never }))).toEqual([
      'domain',
    ])
    expect(await everything()).toEqual(rows)
  })

  it('a domain in other letters is kept in ASCII', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const label = crypto.randomUUID().slice(0, 8)
    const added = unwrap(await addDomain(seatgate, scope, { domain: `${label}.bücher.example` }))
    expect(added.domain).toBe(`${label}.xn--bcher-kva.example`)
  })

  it.each([['on'], [''], [null], [7]])('is no mode: %j', async (mode) => {
    const organization = await openOrganization(kit, 'off')
    const scope = organization.as(organization.owner)
    const { id } = organization.domain
    expect(fieldsOf(await setDomainMode(seatgate, scope, id, { mode: mode as never }))).toEqual([
      'mode',
    ])
    expect(
      fieldsOf(await addDomain(seatgate, scope, { domain: newDomain(), mode: mode as never }))
    ).toEqual(['mode'])
  })
})

describe('domains are for administrators of the organization', () => {
  const acts = {
    addDomain: (scope: Parameters<typeof addDomain>[1]) =>
      addDomain(seatgate, scope, { domain: newDomain() }),
    verifyDomain: (scope: Parameters<typeof addDomain>[1], id: string) =>
      verifyDomain(seatgate, scope, id),
    setDomainMode: (scope: Parameters<typeof addDomain>[1], id: string) =>
      setDomainMode(seatgate, scope, id, { mode: 'off' }),
    removeDomain: (scope: Parameters<typeof addDomain>[1], id: string) =>
      removeDomain(seatgate, scope, id),
    listDomains: (scope: Parameters<typeof addDomain>[1]) => listDomains(seatgate, scope),
  }

  it.each(Object.entries(acts))('%s', async (name, act) => {
    const organization = await openOrganization(kit, 'auto')
    const other = await openOrganization(kit, 'auto')
    const { id } = organization.domain
    const [member, admin] = [await join(kit, organization), await join(kit, organization, 'admin')]
    const rows = await everything()
    expect(codeOf(await act(organization.as(member), id))).toBe('insufficient_role')
    expect(codeOf(await act(organization.as(await newUser()), id))).toBe('organization_not_found')
    if (!['addDomain', 'listDomains'].includes(name)) {
      expect(codeOf(await act(other.as(other.owner), id))).toBe('not_found')
    }
    expect((await everything())['seatgate_organization_domains']).toEqual(
      rows['seatgate_organization_domains']
    )
    expect(codeOf(await act(organization.as(admin), id))).toBe('ok')
  })
})

describe('the configuration of joining', () => {
  it('names its error', () => {
    const verifyDomain = () => true
    expect(() => joinRules({} as never)).toThrow(/verifyDomain/)
    expect(() => joinRules({ verifyDomain, whenFull: { domain: 'maybe' as never } })).toThrow(
      /whenFull\.domain/
    )
    expect(() => joinRules({ verifyDomain, publicDomains: [7 as never] })).toThrow(/publicDomains/)
    const role = (name: string) => () =>
      createKit({ joining: joinRules({ verifyDomain, role: name }) })
    expect(role('guest')).toThrow(/role of joinRules\(\) is "guest"/)
    expect(role('owner')).toThrow(/role of joinRules\(\) is "owner"/)
    expect(() =>
      createKit({ joining: joinRules({ verifyDomain }), emailVerification: undefined as never })
    ).toThrow(/emailVerification/)
    expect(() => createKit({ joining: {} as never })).toThrow(/joinRules/)
  })

  it('is missed by name', async () => {
    const without = createKit({ joining: null as never })
    const organization = await without.organization()
    await expect(
      addDomain(without.seatgate, organization.as(organization.owner), {} as never)
    ).rejects.toThrow(/joinRules/)
  })
})
