import { describe, expect, it } from 'vitest'
import { billing, seatUsage, setEntitlement, setSeatLimit } from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  codeOf,
  createKit,
  enforcingOr,
  inD1,
  readState,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const ROLES = {
  roles: ['owner', 'member', 'viewer'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner'],
  seatTypes: { light: { roles: ['viewer'], defaultLimit: 1 } },
}

describe.each(enforcingOr('d1'))('the limit of a type of seats, with %s seats', (provider) => {
  const kit = createKit({
    ...ROLES,
    provider,
    billing: billing({
      plans: {
        team: { included: 5, seatTypes: { light: 3 } },
        more: { included: 5, seatTypes: { light: 4 } },
        plain: { included: 5 },
      },
    }),
  })
  const { seatgate } = kit
  const subscribe = async ({ id }: TestOrganization, plan: string, status = 'active') => {
    await inD1(
      `INSERT OR REPLACE INTO seatgate_subscriptions
         (provider, subscription_id, organization_id, plan, status, quantity, add_ons, paused, version, synced_at)
       VALUES ('manual', ?, ?, ?, ?, 1, 0, 0, 1, 0)`,
      `${id}:${plan}`,
      id,
      plan,
      status
    )
    await inD1(
      `INSERT INTO seatgate_entitlement_states (organization_id, revision, due_at) VALUES (?, 1, 0)
       ON CONFLICT (organization_id) DO UPDATE SET due_at = 0`,
      id
    )
    await sweepHandler(seatgate)()
    await kit.settled()
  }
  const lightOf = async ({ asOperator }: TestOrganization) =>
    unwrap(await seatUsage(seatgate, asOperator)).types?.['light']?.limit

  it('is that of the plan, the largest of several, and the default without one [BILL-1 SEAT-30]', async () => {
    const organization = await kit.organization()
    await organization.join('viewer')
    expect(codeOf(await organization.add(undefined, 'viewer'))).toBe('seat_limit_reached')
    await subscribe(organization, 'team')
    expect(await lightOf(organization)).toBe(3)
    await organization.join('viewer')
    await subscribe(organization, 'more')
    expect(await lightOf(organization)).toBe(4)
    await organization.join('viewer')
    await organization.join('viewer')
    const refusal = await organization.add(undefined, 'viewer')
    expect(refusal.ok || refusal.error).toEqual({
      code: 'seat_limit_reached',
      limit: 4,
      used: 4,
      seatType: 'light',
    })
    // A plan that does not name the type has its default.
    await subscribe(organization, 'more', 'canceled')
    await subscribe(organization, 'team', 'canceled')
    await subscribe(organization, 'plain')
    expect(await lightOf(organization)).toBe(1)
    const usage = unwrap(await seatUsage(seatgate, organization.asOperator))
    expect(usage).toMatchObject({ limit: 5, held: 1, overLimit: false })
    expect(usage.types).toMatchObject({ light: { held: 4, overLimit: true, available: 0 } })
    // Every member stays, and growth is refused.
    const { members, events } = await readState(organization.id)
    expect(members.filter(({ status }) => status === 'active')).toHaveLength(5)
    expect(codeOf(await organization.add(undefined, 'viewer'))).toBe('seat_limit_reached')
    const limits = events.filter(({ action }) => action === 'seat.limit_changed')
    expect(limits.map(({ metadata }) => metadata['type_limits'])).toEqual([
      { light: 3 },
      { light: 4 },
      { light: 3 },
      { light: 1 },
      { light: 1 },
    ])
  })

  it('stays with a limit that an operator sets for the default type [SEAT-30]', async () => {
    const organization = await kit.organization()
    await subscribe(organization, 'team')
    unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: 2 }))
    expect(await lightOf(organization)).toBe(3)
    unwrap(
      await setEntitlement(seatgate, organization.asOperator, { included: 9, reason: 'Contract' })
    )
    await kit.settled()
    expect(await lightOf(organization)).toBe(3)
    expect(await organization.seats()).toMatchObject({ limit: 9 })
    await organization.join('viewer')
    expect(await organization.seats()).toMatchObject({ held: 1, types: { light: { held: 1 } } })
  })
})
