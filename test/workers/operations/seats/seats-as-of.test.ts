import { beforeAll, describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  addMember,
  createInvitation,
  createOrganization,
  d1Seats,
  removeMember,
  resendInvitation,
  restoreOrganization,
  revokeInvitation,
  seatsAsOf,
  setSeatLimit,
  softDeleteOrganization,
  type Result,
} from '../../../../src/index.ts'
import {
  asUser,
  embedded,
  people,
  seatgateWith,
  type Person,
  testEnv,
  PASSWORD,
} from '../../../kit/index.ts'

const DAY = 24 * 60 * 60 * 1000
const clock = { now: Date.UTC(2030, 0, 1) }
const seatgate = seatgateWith({ seats: d1Seats(), now: () => new Date(clock.now) })
const system = { type: 'system' } as const

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
/** Does something at the start of a day, and answers that instant. */
async function on(day: number, act: () => Promise<Result<unknown>>): Promise<void> {
  clock.now = Date.UTC(2030, 0, day)
  value(await act())
}

describe('seats at a past instant', () => {
  let organization = ''
  let owner: Person
  const asOf = async (day: number, after = 0) =>
    value(
      await seatsAsOf(
        seatgate,
        { caller: system, organization },
        { at: new Date(Date.UTC(2030, 0, day) + after) }
      )
    )

  beforeAll(async () => {
    const [first, one, two] = (await people(3)) as [Person, Person, Person]
    owner = first
    const caller = { userId: owner.userId }
    await on(2, async () => {
      const slug = `org-${crypto.randomUUID().slice(0, 8)}`
      const made = await createOrganization(seatgate, { caller }, { name: 'A', slug })
      organization = value(made).id
      return made
    })
    const scope = { caller, organization }
    await on(3, () => setSeatLimit(seatgate, { caller: system, organization }, { limit: 4 }))
    await on(4, () => addMember(seatgate, scope, { userId: one.userId, role: 'member' }))
    let invited = { id: '', token: '' }
    await on(5, async () => {
      const made = await createInvitation(seatgate, scope, { email: two.email, role: 'member' })
      invited = value(made) as never
      return made
    })
    let lapsing = ''
    await on(6, async () => {
      const made = await createInvitation(seatgate, scope, {
        email: 'x@example.com',
        role: 'member',
      })
      lapsing = value(made).id
      return made
    })
    await on(7, () =>
      acceptInvitation(seatgate, { caller: { userId: two.userId } }, { token: invited.token })
    )
    await on(10, () => resendInvitation(seatgate, scope, lapsing))
    // It expires on day 17.
    await on(19, () => removeMember(seatgate, scope, one.userId))
    await on(20, () =>
      setSeatLimit(seatgate, { caller: system, organization }, { limit: 'unlimited' })
    )
    await on(21, () =>
      createInvitation(seatgate, scope, { email: 'y@example.com', role: 'member' })
    )
    await on(22, async () => {
      const row = await testEnv.DB.prepare(
        "SELECT id FROM seatgate_invitations WHERE organization_id = ? AND email = 'y@example.com'"
      )
        .bind(organization)
        .first<string>('id')
      return revokeInvitation(seatgate, scope, row!)
    })
    await on(25, () =>
      softDeleteOrganization(seatgate, scope, { confirmName: 'A', password: PASSWORD })
    )
  })

  const present = (held: number, reserved: number, limit: number | string) => ({
    status: 'present',
    held,
    reserved,
    limit,
    sequence: expect.any(Number),
  })

  // Asked for while the organization is there: a deleted one has no readers.
  it('are those of that moment, in commit order [AUD-43 AUD-44]', async () => {
    clock.now = Date.UTC(2030, 0, 26)
    value(await restoreOrganization(seatgate, { caller: system }, organization))
    expect(await asOf(1)).toEqual({ status: 'never_existed' })
    expect(await asOf(2, -1)).toEqual({ status: 'never_existed' })
    expect(await asOf(2)).toEqual(present(1, 0, 'unlimited'))
    expect(await asOf(3)).toEqual(present(1, 0, 4))
    expect(await asOf(4, -1)).toEqual(present(1, 0, 4))
    expect(await asOf(4)).toEqual(present(2, 0, 4))
    expect(await asOf(5)).toEqual(present(2, 1, 4))
    expect(await asOf(6)).toEqual(present(2, 2, 4))
    expect(await asOf(7)).toEqual(present(3, 1, 4))
    // Sent again on day 10, the invitation lives to day 17 and not to day 13.
    expect(await asOf(15)).toEqual(present(3, 1, 4))
    expect(await asOf(17, -1)).toEqual(present(3, 1, 4))
    expect(await asOf(17)).toEqual(present(3, 0, 4))
    expect(await asOf(19)).toEqual(present(2, 0, 4))
    expect(await asOf(20)).toEqual(present(2, 0, 'unlimited'))
    expect(await asOf(21)).toEqual(present(2, 1, 'unlimited'))
    expect(await asOf(22)).toEqual(present(2, 0, 'unlimited'))
    expect(await asOf(25)).toEqual({ status: 'deleted' })
    expect(await asOf(26, 1000)).toEqual(present(2, 0, 'unlimited'))
    expect(await asOf(26, 3000 * DAY)).toEqual(present(2, 0, 'unlimited'))
  })

  it('before the trail begins no count is claimed [AUD-44]', async () => {
    const id = crypto.randomUUID()
    await testEnv.DB.batch([
      testEnv.DB.prepare(
        `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
         VALUES (?1, 'Old', 'o' || substr(?1, 1, 8), 'x', 1, 1)`
      ).bind(id),
      testEnv.DB.prepare(
        `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
         VALUES (?1, 1, ?1, 'organization.rename', 'success', 'system', '{}', 5000, 5000)`
      ).bind(id),
    ])
    const at = (time: number) =>
      seatsAsOf(seatgate, { caller: system, organization: id }, { at: new Date(time) })
    expect(value(await at(4999))).toEqual({ status: 'before_horizon' })
    expect(value(await at(5000))).toEqual(present(0, 0, 'unlimited'))
  })

  it('are for owners and admins, over HTTP too', async () => {
    const path = `/organizations/${organization}/audit/seats`
    const get = (query: string, userId: string) =>
      embedded().get(`${path}?${query}`, asUser({ userId }))
    expect((await get('at=2030-01-05T00:00:00Z', crypto.randomUUID())).status).toBe(404)
    expect(await (await get('at=2030-01-05T00:00:00Z', owner.userId)).json()).toMatchObject({
      held: 2,
      reserved: 1,
    })
    expect((await get('at=never', owner.userId)).status).toBe(422)
    expect((await get('', owner.userId)).status).toBe(422)
  })
})
