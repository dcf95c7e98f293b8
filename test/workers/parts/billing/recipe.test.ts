import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  addMember,
  billing,
  changeRole,
  createInvitation,
  createSeatgate,
  deleteUser,
  getBilling,
  leaveOrganization,
  listPlatformEvents,
  prepareUserDeletion,
  removeMember,
  setSeatLimit,
  suspendMember,
  restoreMember,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  cancelUserSubscription,
  connectBilling,
  putUserCustomer,
  sweepBilling,
  type BillingProvider,
} from '../../../../src/parts/billing/index.ts'
import {
  codeOf,
  connected,
  createKit,
  enforcing,
  newOrganization,
  newUsers,
  operator,
  PASSWORD,
  rowCounts,
  testEnv,
  unwrap,
  type Connected,
} from '../../../kit/index.ts'

describe('the billing library is absent at boot: the first failure mode of the recipe', () => {
  it('without billing every way into and out of an organization works [BILL-20]', async () => {
    const kit = createKit({ provider: 'd1', defaultSeatLimit: 'unlimited' })
    const organization = await newOrganization(kit)
    await everyFlow(kit, organization)
  })

  it.each([
    [
      'a price that is in two plans',
      () => billing({ plans: { a: { prices: ['x'] }, b: { prices: ['x'] } } }),
    ],
    ['no provider', () => connectBilling({ providers: [], returnUrl: () => '' })],
    [
      'no returnUrl',
      () => connectBilling({ providers: [{ name: 'stripe' } as BillingProvider] } as never),
    ],
    [
      'a handler without a name',
      () =>
        connectBilling({
          providers: [{ name: 'stripe' } as BillingProvider],
          returnUrl: () => '',
          handlers: [{ handle: async () => {} } as never],
        }),
    ],
    ['something that is not a part', () => createSeatgate({ billing: { plans: {} } } as never)],
  ])('half a configuration is refused at start: %s [BILL-21]', (_what, make) => {
    expect(make).toThrow(TypeError)
  })
})

describe('before_add_member refuses, member add aborted: the second failure mode of the recipe', () => {
  it.each(enforcing)(
    'the refusal is typed, names no step, and no row is written (%s) [BILL-22]',
    async (provider) => {
      const kit = createKit({ provider })
      const organization = await newOrganization(kit, 1)
      const [userId = ''] = await newUsers(1)
      const scope = organization.as(organization.owner)
      // The first refusal is on record; those after it are counted.
      await addMember(kit.seatgate, scope, { userId, role: 'member' })
      await kit.settled()
      const before = await rowCounts()
      const refused = await addMember(kit.seatgate, scope, { userId, role: 'member' })
      await kit.settled()
      expect(refused).toEqual({
        ok: false,
        error: { code: 'seat_limit_reached', limit: 1, used: 1 },
      })
      expect(await rowCounts()).toEqual(before)
    }
  )
})

/** A user with a customer and a subscription of their own, who is in an organization that pays too. */
async function payingUser(test: Connected) {
  const organization = await test.subscribed(3)
  const userId = await test.join(organization)
  const customerId = await test.context.connection.provider.createCustomer(
    { organizationId: userId, name: 'A user' },
    { idempotencyKey: crypto.randomUUID() }
  )
  await putUserCustomer(test.context, 'stripe', userId, customerId)
  const { id } = test.standIn.subscribe(customerId, [{ price: 'price_flat', quantity: 1 }])
  test.standIn.takeEvents()
  return { organization, userId, subscriptionId: id }
}

const endsOf = async (test: Connected, subscriptionId: string) => {
  const input = {
    organization_id: null,
    action: 'organization.billing.owner_end',
    limit: 100,
  } as const
  const page = unwrap(await listPlatformEvents(test.kit.seatgate, { caller: operator }, input))
  return page.data
    .filter(({ targetId }) => targetId === subscriptionId)
    .map(({ outcome, metadata }) => [outcome, metadata['owner_type'], metadata['code'] ?? null])
}

describe('on_delete refuses, user delete aborted: the fourth failure mode of the recipe', () => {
  const deleting = () => {
    const test: Connected = connected({
      lifecycle: {
        onDelete: (statements, { userId }) => ({
          ok: true,
          statements: [...statements, cancelUserSubscription(test.context, userId)],
        }),
      },
    })
    return test
  }

  it('an outage of the provider does not keep the user; the cancellation is retried and its outcome recorded', async () => {
    const test = deleting()
    const { userId, subscriptionId, organization } = await payingUser(test)
    test.standIn.fault = () => ({ status: 503 })
    test.standIn.asked.length = 0
    expect(
      await deleteUser(test.kit.seatgate, { caller: { userId } }, { password: PASSWORD })
    ).toEqual({
      ok: true,
      value: null,
    })
    await test.kit.settled()
    // No provider was called by the deletion.
    expect(test.standIn.asked).toEqual([])
    await sweepBilling(test.context)
    const subscription = () => test.standIn.state.subscriptions[subscriptionId]
    expect(subscription()?.ended_at).toBeNull()
    expect(test.reports.map(({ event }) => event)).toContain('billing_cancel_failed')

    // The list works again, the cancellation does not: a failure is never a success.
    test.standIn.fault = ({ method }) => (method === 'DELETE' ? { status: 503 } : null)
    test.advance(3600)
    await sweepBilling(test.context)
    expect(subscription()?.ended_at).toBeNull()
    expect(await endsOf(test, subscriptionId)).toEqual([['failure', 'user', 'status_503']])

    test.standIn.fault = () => null
    test.advance(3600 * 13)
    await sweepBilling(test.context)
    expect(subscription()?.status).toBe('canceled')
    expect(await endsOf(test, subscriptionId)).toEqual([
      ['success', 'user', null],
      ['failure', 'user', 'status_503'],
    ])
    // The organization lives on, and so does its subscription.
    expect(test.standIn.state.subscriptions[organization.subscriptionId]?.status).toBe('active')
    expect(await test.limit(organization)).toBe(3)
    test.standIn.asked.length = 0
    test.advance(3600 * 13)
    await sweepBilling(test.context)
    expect(test.standIn.asked.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  it('a deletion that is rolled back asks for no cancellation', async () => {
    const test = deleting()
    const { userId, subscriptionId, organization } = await payingUser(test)
    const prepared = unwrap(
      await prepareUserDeletion(test.kit.seatgate, { caller: { type: 'system' } }, userId)
    )
    expect(prepared.statements.length).toBeGreaterThan(0)
    const refused = await deleteUser(
      test.kit.seatgate,
      { caller: { userId } },
      { password: 'wrong' }
    )
    expect(codeOf(refused)).toBe('invalid_password')
    expect(
      codeOf(
        await deleteUser(
          test.kit.seatgate,
          { caller: { userId: organization.owner } },
          { password: PASSWORD }
        )
      )
    ).toBe('last_owner')
    await sweepBilling(test.context)
    expect(test.standIn.state.subscriptions[subscriptionId]?.status).toBe('active')
  })

  it('asking twice cancels once', async () => {
    const test = deleting()
    const { userId, subscriptionId } = await payingUser(test)
    for (let round = 0; round < 2; round++) {
      await test.context.db.batch([cancelUserSubscription(test.context, userId) as never])
      await sweepBilling(test.context)
    }
    const deletions = test.standIn.asked.filter(({ method }) => method === 'DELETE')
    expect(deletions.map(({ path }) => path)).toEqual([`/v1/subscriptions/${subscriptionId}`])
    expect(await endsOf(test, subscriptionId)).toEqual([['success', 'user', null]])
  })
})

/** Adds, invites, changes, suspends, restores, removes and leaves. */
async function everyFlow(
  kit: ReturnType<typeof createKit>,
  organization: Awaited<ReturnType<typeof newOrganization>>
) {
  const { seatgate } = kit
  const scope = organization.as(organization.owner)
  const [added = '', invited = '', leaver = ''] = await newUsers(3)
  for (const userId of [added, leaver]) {
    unwrap(await addMember(seatgate, scope, { userId, role: 'member' }))
  }
  const invitation = unwrap(
    await createInvitation(seatgate, scope, { email: `${invited}@example.com`, role: 'member' })
  )
  await testEnv.DB.prepare('UPDATE users SET email_verified_at = 1 WHERE id = ?')
    .bind(invited)
    .run()
  unwrap(
    await acceptInvitation(seatgate, { caller: { userId: invited } }, { token: invitation.token })
  )
  unwrap(await changeRole(seatgate, scope, added, { role: 'admin' }))
  unwrap(await suspendMember(seatgate, scope, added))
  await kit.settled()
  unwrap(await restoreMember(seatgate, scope, added))
  unwrap(await removeMember(seatgate, scope, added))
  unwrap(await leaveOrganization(seatgate, { ...scope, caller: { userId: leaver } }))
  unwrap(await removeMember(seatgate, scope, invited))
  await kit.settled()
}

describe('an organization after its host has removed billing', () => {
  it('keeps its limit, and then takes those of operators [BILL-20]', async () => {
    const test = connected()
    const organization = await test.subscribed(5)
    await test.join(organization)
    expect(await test.limit(organization)).toBe(5)

    // The same database, without `billing` and without a provider: no other change.
    const kit = createKit({ provider: 'd1' })
    const scope = organization.as(organization.owner)
    const view = async () => unwrap(await getBilling(kit.seatgate, scope))
    expect(await view()).toMatchObject({ status: 'none', seats: { limit: 5, used: 2 } })
    await everyFlow(kit, organization)
    expect(await view()).toMatchObject({ seats: { limit: 5, used: 2 } })
    // The clock computes limits without billing too.
    await testEnv.DB.prepare(
      'UPDATE seatgate_entitlement_states SET due_at = 1 WHERE organization_id = ?'
    )
      .bind(organization.id)
      .run()
    await sweepHandler(kit.seatgate)()
    expect(await view()).toMatchObject({ seats: { limit: 5, used: 2 } })

    const add = async () => {
      const [userId = ''] = await newUsers(1)
      return addMember(kit.seatgate, scope, { userId, role: 'member' })
    }
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    unwrap(await add())
    expect(await add()).toMatchObject({ error: { code: 'seat_limit_reached', limit: 3, used: 3 } })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 'unlimited' }))
    unwrap(await add())
  })
})

describe('a subscription that lapses', () => {
  it.each([
    ['unlimited', undefined, 0],
    ['unlimited', 2, 2],
    [3, undefined, 3],
  ] as const)(
    'with %j base seats and %j lapsed seats leaves a limit of %i, never an unlimited one [BILL-24]',
    async (baseSeats, lapsedSeats, limit) => {
      const test = connected({
        billing: billing({
          plans: { team: { perSeat: true, prices: ['price_team'] } },
          baseSeats,
          ...(lapsedSeats !== undefined && { lapsedSeats }),
        }),
      })
      const organization = await test.subscribed(5)
      expect(await test.limit(organization)).toBe(5)
      test.standIn.change(organization.subscriptionId, (one) => {
        Object.assign(one, {
          status: 'canceled',
          ended_at: Math.floor(Date.parse('2026-03-01T00:00:00Z') / 1000),
        })
      })
      await test.deliverAll()
      expect(await test.limit(organization)).toBe(limit)
    }
  )
})
