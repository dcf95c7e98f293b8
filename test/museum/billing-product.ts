import {
  addMember,
  billing,
  createInvitation,
  getBilling,
  listAuditEvents,
  listPlatformEvents,
  removeMember,
  softDeleteOrganization,
  suspendMember,
} from '../../src/index.ts'
import { billingCustomers } from '../../src/database/schema.ts'
import {
  previewChange,
  quantitySink,
  reconcileCustomer,
  sweepBilling,
} from '../../src/parts/billing/index.ts'
import { sweepHandler } from '../../src/worker/index.ts'
import {
  connected,
  newUsers,
  operator,
  PASSWORD,
  testEnv,
  unwrap,
  type Connected,
  type TestOrganization,
} from '../kit/index.ts'
import type { BillingProduct, Paying } from './billing-cases.ts'

/** Seatgate with its adapter for Stripe, as a host configures it: the quantity is that of the seats in use. */
export function openConnected(): BillingProduct {
  let between: (() => Promise<void>) | null = null
  const test: Connected = connected({
    taxPercent: 19,
    connection: { quantity: 'true_up', shrink: true },
    stripe: {
      async fetch(input, init) {
        const response = await test.standIn.fetch(input, init)
        const run = between
        const url = input instanceof Request ? input.url : String(input)
        const isState = (init?.method ?? 'GET') === 'GET' && /subscriptions\/sub/.test(url)
        if (run !== null && isState) {
          between = null
          await run()
        }
        return response
      },
    },
  })
  const { kit, context } = test
  const { seatgate } = kit
  const organizations = new Map<string, TestOrganization>()
  const scopeOf = ({ id }: Paying) => {
    const organization = organizations.get(id)
    if (organization === undefined) throw new Error('There is no such organization.')
    return organization.as(organization.owner)
  }
  const sink = quantitySink(context.connection, { database: context.db, now: context.now })
  const changed = async ({ id }: Paying) => {
    await kit.settled()
    // As the forwarder delivers an event of seats.
    await sink.deliver({ organizationId: id } as Parameters<typeof sink.deliver>[0])
  }
  const sweep = sweepHandler(seatgate)
  return {
    standIn: test.standIn,
    advance: test.advance,
    afterAnswer: (run) => (between = run),
    async open(seats, price = 'price_team') {
      const organization = await test.subscribed(seats, price)
      organizations.set(organization.id, organization)
      return organization
    },
    async join(organization) {
      const [userId = ''] = await newUsers(1)
      const added = await addMember(seatgate, scopeOf(organization), { userId, role: 'member' })
      await changed(organization)
      return added.ok ? userId : null
    },
    async invite(organization) {
      const email = `${crypto.randomUUID()}@example.com`
      return (await createInvitation(seatgate, scopeOf(organization), { email, role: 'member' })).ok
    },
    async leave(organization, userId) {
      unwrap(await removeMember(seatgate, scopeOf(organization), userId))
      await changed(organization)
    },
    async suspend(organization, userId) {
      unwrap(await suspendMember(seatgate, scopeOf(organization), userId))
      await changed(organization)
    },
    async deliver(event) {
      if ((await test.deliver(event)) !== 200) throw new Error('A webhook is not taken.')
      await kit.settled()
    },
    async tick() {
      await sweep()
      await sweepBilling(context)
      // Of these organizations alone: other tests have customers that wait longer.
      const customers = await context.db.select().from(billingCustomers)
      for (const customer of customers) {
        if (!organizations.has(customer.organizationId)) continue
        await reconcileCustomer(context, customer).catch(() => null)
      }
      await kit.settled()
    },
    async previewed(organization) {
      test.standIn.asked.length = 0
      unwrap(await previewChange(context, scopeOf(organization), {}))
      const asked = test.standIn.asked.find(({ path }) => path.includes('create_preview'))
      const details = asked?.params['subscription_details'] as
        | { readonly items: Readonly<Record<string, { readonly quantity: string }>> }
        | undefined
      return Number(Object.values(details?.items ?? {})[0]?.quantity)
    },
    amount: async (organization, seats) =>
      unwrap(await previewChange(context, scopeOf(organization), { seats })).amountDue,
    startsWithoutYearlyChoice() {
      try {
        connected({
          stripe: { proration: { month: 'create' } },
          billing: billing({
            plans: {
              team: { perSeat: true, prices: ['price_team'], intervals: { price_team: 'year' } },
            },
          }),
        })
        return true
      } catch {
        return false
      }
    },
    async cancelAtPeriodEnd(organization) {
      const by = organizations.get(organization.id)?.owner ?? ''
      const path = `/organizations/${organization.id}/billing/cancel`
      const { ok } = await test.ask(by, 'POST', path, { atPeriodEnd: true })
      if (!ok) throw new Error('It cannot be canceled.')
      await kit.settled()
    },
    async remove(organization) {
      const deletion = { confirmName: 'Test', password: PASSWORD }
      unwrap(await softDeleteOrganization(seatgate, scopeOf(organization), deletion))
      await kit.settled()
    },
    status: async (organization) =>
      unwrap(await getBilling(seatgate, scopeOf(organization))).status,
    async limit(organization) {
      const { limit } = unwrap(await getBilling(seatgate, scopeOf(organization))).seats
      return limit === 'unknown' ? Number.NaN : limit
    },
    async recoveries(organization) {
      const page = await listAuditEvents(seatgate, scopeOf(organization), {
        action: 'organization.billing.subscription_change',
      })
      return unwrap(page).data.filter(
        ({ metadata }) => metadata['status'] === 'active' && metadata['old_status'] === 'past_due'
      ).length
    },
    async outcomes({ subscriptionId }) {
      const page = await listPlatformEvents(
        seatgate,
        { caller: operator },
        {
          organization_id: null,
          action: 'organization.billing.owner_end',
          target_id: subscriptionId,
        }
      )
      return unwrap(page).data.map(({ outcome }) => outcome)
    },
    failures: () => test.reports.filter(({ event }) => event === 'billing_quantity_failed').length,
    async subscribers({ id }) {
      const row = await testEnv.DB.prepare(
        `SELECT count(*) AS n FROM seatgate_subscriptions WHERE organization_id = ?
         AND ended_at IS NULL AND status NOT IN ('canceled', 'incomplete_expired')`
      )
        .bind(id)
        .first<{ n: number }>()
      return row?.n ?? 0
    },
  }
}
