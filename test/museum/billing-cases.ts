import type { StripeEvent, StripeStandIn } from '../../host/billing/stand-in.ts'

/** An organization with a subscription, and its owner. */
export interface Paying {
  readonly id: string
  readonly customerId: string
  readonly subscriptionId: string
}

/** Seats and billing as a product has them, over a stand-in for the provider. */
export interface BillingProduct {
  readonly standIn: StripeStandIn
  advance(seconds: number): void
  /** Runs once after the provider has computed the next answer to a GET, and before it arrives. */
  afterAnswer(run: () => Promise<void>): void
  /** An organization of one owner with so many bought seats. */
  open(seats: number, price?: Price): Promise<Paying>
  /** Adds a member; null if it is refused. */
  join(organization: Paying): Promise<string | null>
  /** Invites a person. Returns whether it is granted. */
  invite(organization: Paying): Promise<boolean>
  leave(organization: Paying, userId: string): Promise<void>
  suspend(organization: Paying, userId: string): Promise<void>
  /** Delivers one webhook, and waits until it is worked off. */
  deliver(event: StripeEvent): Promise<void>
  /** Runs the jobs that are due. */
  tick(): Promise<void>
  /** The quantity that a preview of the present plan is made with. */
  previewed(organization: Paying): Promise<number>
  /** The amount of a preview of so many seats. */
  amount(organization: Paying, seats: number): Promise<number | null>
  /** Whether a configuration with a yearly price and a choice for months alone starts. */
  startsWithoutYearlyChoice(): boolean
  cancelAtPeriodEnd(organization: Paying): Promise<void>
  remove(organization: Paying): Promise<void>
  status(organization: Paying): Promise<string>
  limit(organization: Paying): Promise<number | 'unlimited'>
  /** How many notices of a recovered payment were sent. */
  recoveries(organization: Paying): Promise<number>
  /** How many failures and successes of cancellations are on record. */
  outcomes(organization: Paying): Promise<readonly string[]>
  /** Failures of the quantity that somebody can see. */
  failures(): number
  /** How many subscriptions count as paying for an organization. */
  subscribers(organization: Paying): Promise<number>
}

export type Price = 'price_team' | 'price_flat' | 'price_open'

/** A bug of another product, as a question to one. */
export interface BillingCase {
  readonly id: string
  readonly title: string
  run(product: BillingProduct): Promise<void>
}

function demand(holds: boolean, violation: string): void {
  if (!holds) throw new Error(violation)
}

const remote = ({ standIn }: BillingProduct, { subscriptionId }: Paying) => {
  const found = standIn.state.subscriptions[subscriptionId]
  if (found === undefined) throw new Error('There is no subscription.')
  return found
}
const bought = (product: BillingProduct, organization: Paying) =>
  remote(product, organization).items.data[0]?.quantity
const updates = ({ standIn }: BillingProduct) =>
  standIn.asked.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/v1/subscriptions/sub')
  ).length
const deliverAll = async (product: BillingProduct) => {
  for (const event of product.standIn.takeEvents()) await product.deliver(event)
}
/** Lets the debounce pass, and what it has collected be sent. */
const settle = async (product: BillingProduct) => {
  product.advance(120)
  await product.tick()
}
const member = async (product: BillingProduct, organization: Paying) => {
  const userId = await product.join(organization)
  if (userId === null) throw new Error('A member is refused.')
  return userId
}
const change = async (
  product: BillingProduct,
  { subscriptionId }: Paying,
  by: Parameters<StripeStandIn['change']>[1]
) => {
  product.advance(1)
  product.standIn.change(subscriptionId, by)
  await deliverAll(product)
}

export const BILLING_CASES: readonly BillingCase[] = [
  {
    id: 'MUSEUM-31',
    title: 'a preview uses the seats that are used now, though their sync is pending',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      for (let more = 0; more < 3; more++) await member(product, organization)
      const seats = await product.previewed(organization)
      demand(seats === 4, `four members are previewed as ${seats}`)
    },
  },
  {
    id: 'MUSEUM-32',
    title:
      'an item with another id is found at the provider, and a missing one is a failure that is seen',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      const [item] = remote(product, organization).items.data
      Object.assign(item!, { id: 'si_migrated' })
      await member(product, organization)
      await settle(product)
      const quantity = bought(product, organization)
      demand(quantity === 2, `two members are billed as ${quantity}`)
      Object.assign(item!, { price: { ...item!.price, id: 'price_gone' } })
      await member(product, organization)
      await settle(product)
      demand(product.failures() > 0, 'an item that is missing is not a failure')
    },
  },
  {
    id: 'MUSEUM-33',
    title: 'a preview shows the amount with tax, over all pages',
    async run(product) {
      const organization = await product.open(2)
      const shown = await product.amount(organization, 12)
      // Ten seats more from the first day on, and the tax.
      demand(shown === 10 * 1000 * 1.19, `11900 is shown as ${shown}`)
    },
  },
  {
    id: 'MUSEUM-34',
    title: 'a suspended member who is removed frees no second seat at the provider',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      const [first] = [await member(product, organization), await member(product, organization)]
      await settle(product)
      await product.suspend(organization, first)
      await settle(product)
      await product.leave(organization, first)
      await settle(product)
      const quantity = bought(product, organization)
      demand(quantity === 2, `two seats in use are billed as ${quantity}`)
    },
  },
  {
    id: 'MUSEUM-35',
    title: 'a contract with a fixed number is moved by no sync',
    async run(product) {
      const organization = await product.open(1, 'price_flat')
      for (let more = 0; more < 3; more++) await member(product, organization)
      await settle(product)
      const quantity = bought(product, organization)
      demand(quantity === 1, `a flat plan is billed ${quantity} times`)
    },
  },
  {
    id: 'MUSEUM-36',
    title: 'members who come and go within the debounce make no invoice',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      product.standIn.asked.length = 0
      for (let round = 0; round < 13; round++) {
        await product.leave(organization, await member(product, organization))
      }
      await settle(product)
      demand(updates(product) === 0, `what cancels out makes ${updates(product)} updates`)
    },
  },
  {
    id: 'MUSEUM-37',
    title: 'a plan without a proration choice for its interval does not start',
    async run(product) {
      demand(!product.startsWithoutYearlyChoice(), 'a yearly price without a choice starts')
    },
  },
  {
    id: 'MUSEUM-38',
    title: 'members who hold no seat are in no quantity',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      const [guest] = [await member(product, organization), await member(product, organization)]
      await product.suspend(organization, guest)
      const seats = await product.previewed(organization)
      demand(seats === 2, `two seats are previewed as ${seats}`)
      await settle(product)
      const quantity = bought(product, organization)
      demand(quantity === 2, `two seats are billed as ${quantity}`)
    },
  },
  {
    id: 'MUSEUM-39',
    title: 'a webhook about our own update makes no update',
    async run(product) {
      const organization = await product.open(1, 'price_open')
      await member(product, organization)
      await settle(product)
      product.standIn.asked.length = 0
      for (let round = 0; round < 5; round++) {
        await deliverAll(product)
        await settle(product)
      }
      demand(updates(product) === 0, `webhooks make ${updates(product)} updates of their own`)
    },
  },
  {
    id: 'MUSEUM-40',
    title: 'an older event that comes late changes no state',
    async run(product) {
      const organization = await product.open(2)
      product.advance(5)
      product.standIn.change(organization.subscriptionId, (one) => (one.status = 'incomplete'))
      product.advance(5)
      product.standIn.change(organization.subscriptionId, (one) => (one.status = 'active'))
      const [older, newer] = product.standIn.takeEvents()
      await product.deliver(newer!)
      await product.deliver(older!)
      const status = await product.status(organization)
      demand(status === 'active', `who has paid is ${status}`)
    },
  },
  {
    id: 'MUSEUM-41',
    title: 'of two subscriptions of one organization one is left',
    async run(product) {
      const organization = await product.open(2)
      const lines = [{ price: 'price_team', quantity: 2 }]
      product.standIn.subscribe(organization.customerId, lines)
      await deliverAll(product)
      await product.tick()
      const left = Object.values(product.standIn.state.subscriptions).filter(
        ({ customer, ended_at }) => customer === organization.customerId && ended_at === null
      )
      demand(left.length === 1, `${left.length} subscriptions are billed`)
    },
  },
  {
    id: 'MUSEUM-42',
    title: 'a sweep does not overwrite a recovery between its read and its write',
    async run(product) {
      const organization = await product.open(2)
      await change(product, organization, (one) => (one.status = 'past_due'))
      let isBetween = false
      product.afterAnswer(async () => {
        isBetween = true
        await change(product, organization, (one) => (one.status = 'active'))
      })
      product.advance(60)
      await product.tick()
      demand(isBetween, 'the sweep reads no state')
      const status = await product.status(organization)
      demand(status === 'active', `who has paid is ${status}`)
    },
  },
  {
    id: 'MUSEUM-43',
    title: 'a recovery that arrives twice in other words is one notice',
    async run(product) {
      const organization = await product.open(2)
      await change(product, organization, (one) => (one.status = 'past_due'))
      product.advance(1)
      const recover = (one: { status: string }) => (one.status = 'active')
      product.standIn.change(organization.subscriptionId, recover)
      product.standIn.change(organization.subscriptionId, recover, 'customer.subscription.resumed')
      await deliverAll(product)
      const notices = await product.recoveries(organization)
      demand(notices === 1, `a recovery is told ${notices} times`)
    },
  },
  {
    id: 'MUSEUM-44',
    title:
      'the subscription of a deleted organization ends, though the provider was down, and both is on record',
    async run(product) {
      const organization = await product.open(2)
      product.standIn.fault = () => ({ status: 503 })
      await product.remove(organization)
      await product.tick()
      product.standIn.fault = () => null
      product.advance(24 * 3600)
      await product.tick()
      const { status } = remote(product, organization)
      demand(status === 'canceled', `the subscription of a deleted organization is ${status}`)
      const outcomes = (await product.outcomes(organization)).toSorted().join(' ')
      demand(outcomes === 'failure success', `on record is "${outcomes}"`)
    },
  },
  {
    id: 'MUSEUM-45',
    title: 'everything that can still charge ends, in any status',
    async run(product) {
      for (const status of ['trialing', 'past_due', 'unpaid', 'paused']) {
        const organization = await product.open(2)
        await change(product, organization, (one) => (one.status = status))
        await product.remove(organization)
        await product.tick()
        const now = remote(product, organization).status
        demand(now === 'canceled', `of a deleted organization one that was ${status} is ${now}`)
      }
    },
  },
  {
    id: 'MUSEUM-46',
    title: 'past due blocks every way to grow, or no way',
    async run(product) {
      const organization = await product.open(9)
      await change(product, organization, (one) => (one.status = 'unpaid'))
      for (let more = 0; more < 2; more++) await product.join(organization)
      const ways = [(await product.join(organization)) !== null, await product.invite(organization)]
      demand(ways[0] === ways[1], `adding is ${ways[0]}, inviting is ${ways[1]}`)
    },
  },
  {
    id: 'MUSEUM-47',
    title: 'a scheduled cancellation grants until the end of the period, to the second',
    async run(product) {
      const organization = await product.open(6)
      await product.cancelAtPeriodEnd(organization)
      await deliverAll(product)
      const before = await product.limit(organization)
      demand(before === 6, `six seats that are paid are ${before}`)
      product.advance(30 * 24 * 3600 - 1)
      await product.tick()
      const last = await product.limit(organization)
      demand(last === 6, `six seats that are paid are ${last} in the last second`)
      product.advance(1)
      await product.tick()
      const after = await product.limit(organization)
      demand(after === 3, `after the end there are ${after} seats`)
    },
  },
  {
    id: 'MUSEUM-48',
    title: 'a deleted organization counts as no subscriber',
    async run(product) {
      const organization = await product.open(2)
      await product.remove(organization)
      await product.tick()
      const count = await product.subscribers(organization)
      demand(count === 0, `a deleted organization counts as ${count} subscribers`)
    },
  },
]
