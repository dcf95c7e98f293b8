import { describe, expect, it } from 'vitest'
import {
  changeRole,
  deleteUser,
  removeMember,
  restoreOrganization,
  softDeleteOrganization,
  type LifecycleHook,
  type Result,
} from '../../../../src/index.ts'
import {
  type FullSeatgate,
  holdingBack,
  readState,
  violations,
  violationsIn,
  unwrap,
  codeOf,
  createKit,
  delays,
  join,
  leave,
  operator,
  PASSWORD,
  type TestOrganization,
  atScale,
} from '../../../kit/index.ts'

const TRIALS = atScale({ share: 3, thorough: 30 })

describe('two owners at once', () => {
  type Act = (seatgate: FullSeatgate, organization: TestOrganization) => Promise<Result<unknown>>
  const leaves =
    (who: string): Act =>
    (seatgate, organization) =>
      removeMember(seatgate, organization.as(who), who)
  const demotes =
    (actor: string, target: string, role: string): Act =>
    (seatgate, organization) =>
      changeRole(seatgate, organization.as(actor), target, { role })
  const removes =
    (actor: string, target: string): Act =>
    (seatgate, organization) =>
      removeMember(seatgate, organization.as(actor), target)

  const ways: {
    what: string
    acts: (a: string, b: string, trial: number) => [Act, Act]
    refusals: string[]
  }[] = [
    {
      what: 'ORG-109 MUSEUM-22: both leave',
      acts: (a, b) => [leaves(a), leaves(b)],
      refusals: ['last_owner'],
    },
    {
      what: 'ORG-110 MUSEUM-22 MUSEUM-23: both demote themselves',
      acts: (a, b) => [demotes(a, a, 'admin'), demotes(b, b, 'admin')],
      refusals: ['last_owner'],
    },
    {
      what: 'ORG-110 MUSEUM-28: each demotes the other',
      acts: (a, b, trial) => {
        const role = trial % 2 === 0 ? 'admin' : 'member'
        return [demotes(a, b, role), demotes(b, a, role)]
      },
      refusals: ['insufficient_role'],
    },
    {
      what: 'ORG-109 MUSEUM-28: each removes the other',
      acts: (a, b) => [removes(a, b), removes(b, a)],
      refusals: ['organization_not_found'],
    },
    {
      what: 'ORG-111 MUSEUM-24: one leaves while the other demotes himself',
      acts: (a, b) => [leaves(a), demotes(b, b, 'admin')],
      refusals: ['last_owner'],
    },
  ]
  const trials = ways.flatMap((way) => delays.map((delayMs) => ({ ...way, delayMs })))

  for (const { what, acts, refusals, delayMs } of trials) {
    it(`${what}, and one of them stays (${delayMs} ms)`, async () => {
      const calm = createKit()
      const kit = createKit({ delayMs })
      for (let trial = 0; trial < TRIALS; trial++) {
        const organization = await calm.organization()
        const { owner } = organization
        const other = await join(calm, organization, 'owner')
        const pair = trial % 3 === 0 ? acts(other, owner, trial) : acts(owner, other, trial)
        const before = await readState(organization.id)
        const answers = await Promise.all(pair.map((act) => act(kit.seatgate, organization)))
        await kit.settled()

        const codes = answers.map(codeOf)
        expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
        expect(refusals).toContain(codes.find((code) => code !== 'ok'))
        const after = await readState(organization.id)
        expect(violationsIn(after, { quiet: true })).toEqual([])
        // ORG-112: one of the two is on record, the refused one is not.
        const told = after.events.slice(before.events.length).map(({ action }) => action)
        expect([
          ['organization.member_role_change'],
          ['organization.member_remove', 'seat.released'],
        ]).toContainEqual(told)
      }
    })
  }

  it('one of ten owners stays if all leave at once [MUSEUM-23]', async () => {
    const calm = createKit()
    const kit = createKit({ delayMs: 5 })
    for (let trial = 0; trial < 5; trial++) {
      const organization = await calm.organization()
      const owners = [organization.owner]
      for (let more = 0; more < 9; more++) owners.push(await join(calm, organization, 'owner'))
      const answers = await Promise.all(owners.map((who) => leave(kit, organization, who, who)))
      await kit.settled()
      const codes = answers.map(codeOf).toSorted()
      expect(codes).toEqual(['last_owner', ...Array.from({ length: 9 }, () => 'ok')])
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })
})

describe('an organization that was deleted', () => {
  it('is not restored without an owner, also after other departures', async () => {
    const onDelete: LifecycleHook = (statements) => ({ ok: true, statements })
    const kit = createKit({ lifecycle: { onDelete } })
    const { seatgate } = kit
    const organization = await kit.organization()
    await join(kit, organization)
    const asOwner = organization.as(organization.owner)
    const deletion = { confirmName: 'Test', password: PASSWORD }
    unwrap(await softDeleteOrganization(seatgate, asOwner, deletion))
    unwrap(await deleteUser(seatgate, { caller: asOwner.caller }, { password: PASSWORD }))
    await restoreOrganization(seatgate, { caller: operator }, organization.id)
    await kit.settled()
    expect(await violations(organization.id, { quiet: false })).toEqual([])
  })
})

describe('an owner who became the last one after the read', () => {
  it('is refused at once, without another read [ORG-112]', async () => {
    const calm = createKit()
    const organization = await calm.organization()
    const other = await join(calm, organization, 'owner')
    const { around, reached, letGo } = holdingBack(({ asked }) =>
      asked.some((sql) => sql.startsWith('delete from "seatgate_memberships"'))
    )
    const kit = createKit({ around })
    const leaving = removeMember(kit.seatgate, organization.as(other), other)
    await reached
    unwrap(await leave(calm, organization, organization.owner))
    letGo()
    expect(codeOf(await leaving)).toBe('last_owner')
    expect(kit.trips()).toBe(2)
  })
})
