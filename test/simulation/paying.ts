/**
 * Histories in which organizations pay: what befalls their subscriptions, and what must be true of them in
 * the end.
 *
 * @module
 */
import { billing, type OverLimitPolicy } from '../../src/index.ts'
import {
  connectBilling,
  putCustomer,
  receiveWebhook,
  requestSeats,
  sweepBilling,
  type BillingConnection,
  type ConnectionContext,
  type QuantityMode,
} from '../../src/parts/billing/index.ts'
import { createProvider, PROVIDER, SEAT_PRICE, type SimulatedProvider } from './billing-provider.ts'
import type { Isolate, Surroundings } from './network.ts'
import { seatsIn, type Registry } from './people.ts'
import { createRandom, FIRST_PAYING, FIRST_WITH_DELEGATION, type Random } from './random.ts'
import type { Worker, World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What differs from one such history's host to the next. */
export interface PayingHost {
  readonly quantity: QuantityMode
  readonly shrink: boolean
  readonly whenOver: OverLimitPolicy
  readonly graceDays: number
  readonly overGraceDays: number
  readonly cap: number | null
  readonly baseSeats: number
}

/** Draws the host's billing by numbers of its own; null in a history without payments. */
export function drawPaying(seed: number): PayingHost | null {
  if (seed < FIRST_PAYING || seed >= FIRST_WITH_DELEGATION) return null
  const random = createRandom(seed ^ 0x62696c6c)
  return {
    quantity: random.pick(['hard_cap', 'auto_expand', 'true_up'] as const) ?? 'hard_cap',
    shrink: random.chance(0.5),
    whenOver:
      random.pick(['block_change', 'allow_with_grace', 'suspend_excess'] as const) ??
      'block_change',
    graceDays: random.below(3),
    overGraceDays: 1 + random.below(2),
    cap: random.chance(0.3) ? 3 + random.below(4) : null,
    baseSeats: 1 + random.below(3),
  }
}

/** The part of billing that the host passes. */
export function billingOf({ baseSeats, overGraceDays, whenOver, graceDays, cap }: PayingHost) {
  const plan = { perSeat: true, prices: [SEAT_PRICE], graceDays, whenOver, overGraceDays }
  const plans = { team: { ...plan, ...(cap !== null && { cap }) } }
  return billing({ plans, baseSeats, whenOver, overGraceDays })
}

/** The provider of one history. */
export interface Payments {
  readonly provider: SimulatedProvider
  connectionOf(isolate: Isolate): BillingConnection
}

export function createPayments(
  surroundings: Surroundings,
  seed: number,
  { quantity, shrink }: PayingHost,
  world: () => World
): Payments {
  const random = createRandom(seed ^ 0x70726f76)
  const provider = createProvider(surroundings, random, () => async (body) => {
    if (surroundings.stopped) return false
    const worker = world().startWorker('webhook')
    const request = {
      body: Uint8Array.from(new TextEncoder().encode(body)),
      headers: new Headers(),
      now: new Date(surroundings.scheduler.now()),
    }
    const died = new Promise<'again'>((resolve) => {
      worker.isolate.died = () => resolve('again')
    })
    const outcome = await Promise.race([receiveWebhook(contextOf(worker), PROVIDER, request), died])
    return outcome === 'taken'
  })
  return {
    provider,
    connectionOf: (isolate) =>
      connectBilling({
        providers: [provider.boundTo(isolate)],
        returnUrl: () => 'https://app.example',
        quantity,
        shrink,
      }),
  }
}

/** The context of billing in a Worker. */
function contextOf({ seatgate, connection }: Worker): Worker['seatgate'] & ConnectionContext {
  if (connection === undefined) throw new Error('Nobody pays in this history.')
  return { ...seatgate, connection }
}

/** Runs what the cron handler runs for billing. */
export const sweepPayments = (worker: Worker) => sweepBilling(contextOf(worker))

interface Life {
  /** Stops further faults, and lets the provider answer. */
  end(): void
  /** Lets the days go by that grace, ends and the comparison with the provider need. */
  goBy(): Promise<void>
  /** What is wrong in the end. */
  wrong(): Promise<readonly string[]>
}

export function beginPaying(
  surroundings: Surroundings,
  world: World,
  registry: Registry,
  { provider }: Payments,
  host: PayingHost,
  seed: number
): Life {
  const { scheduler, sometimes, trace } = surroundings
  const random = createRandom(seed ^ 0x6c696665)
  let isOver = false

  const befall = () => {
    if (isOver) return
    if (!surroundings.stopped) act(random)
    scheduler.after(random.between(1_000, 4 * MINUTE), befall)
  }
  const act = (chance: Random) => {
    const id = chance.pick(registry.ids())
    const organization = id === undefined ? null : registry.view(id)
    provider.letTimePass()
    if (organization === null) return
    const own = [...provider.subscriptions.values()].filter(
      ({ customerId, endedAt }) => customerId === `cus_${organization.id}` && endedAt === null
    )
    const remote = chance.pick(own)
    if (remote === undefined || chance.chance(0.03)) return buy(organization.id, chance)
    const what = chance.below(9)
    if (what === 0) provider.health = chance.pick(['down', 'busy'] as const) ?? 'down'
    if (what <= 1 && provider.health !== 'well') sometimes('the provider did not answer')
    if (what > 1) provider.health = 'well'
    // A quantity that the seats in use decide has no other writer.
    if (what === 2 && host.quantity !== 'true_up') {
      provider.change(remote, () => (remote.quantity = 1 + chance.below(8)))
    }
    if (what === 3) {
      const status = chance.pick(['past_due', 'active', 'unpaid', 'trialing', 'incomplete', 'odd'])
      provider.change(remote, () => (remote.status = status ?? 'active'))
    }
    if (what === 4) provider.change(remote, () => (remote.status = 'active'))
    if (what === 5) {
      const at = chance.chance(0.6) ? scheduler.now() + chance.between(MINUTE, 40 * HOUR) : null
      provider.change(remote, () => (remote.cancelAt = at))
    }
    if (what === 6) provider.change(remote, () => (remote.paused = chance.chance(0.4)))
    if (what === 7 && host.quantity === 'hard_cap') {
      const owner = organization.members.find(({ role }) => role === 'owner')
      if (owner === undefined) return
      const scope = { caller: { userId: owner.user_id }, organization: organization.id }
      const worker = world.startWorker('buyer')
      const seats = 1 + chance.below(8)
      void requestSeats(contextOf(worker), scope, { seats }).then(
        ({ ok }) => trace.note(`seats ${seats} asked for: ${ok}`),
        () => {}
      )
    }
  }
  const buy = (organizationId: string, chance: Random) => {
    const customerId = `cus_${organizationId}`
    const worker = world.startWorker('checkout')
    const put = () =>
      void putCustomer(contextOf(worker), PROVIDER, organizationId, customerId).catch(() => {})
    // The webhook may come before the customer is known.
    if (chance.chance(0.3)) scheduler.after(chance.between(10, 90_000), put)
    else put()
    provider.subscribe(customerId, 1 + chance.below(6))
  }
  scheduler.after(random.between(10, 2_000), befall)

  return {
    end() {
      isOver = true
      provider.health = 'well'
    },
    async goBy() {
      // What the first comparison brings may begin a grace, and the end of it frees seats.
      for (let half = 0; half < 10; half++) {
        scheduler.advance(13 * HOUR)
        provider.letTimePass()
        await scheduler.run(scheduler.now() + 5 * MINUTE)
      }
      sometimes('a grace or a period went by')
    },
    wrong: () => wrongWith(surroundings, world, registry, provider, host),
  }
}

interface Recorded {
  readonly subscription_id: string
  readonly plan: string | null
  readonly status: string
  readonly quantity: number
  readonly paused: number
  readonly cancel_at: number | null
  readonly ended_at: number | null
  readonly grace_end: number | null
}

/** Whether a record grants its seats, as the documentation of billing says it. */
function isGranting(record: Recorded, now: number): boolean {
  const { plan, status, paused, cancel_at, ended_at, grace_end } = record
  if (plan === null || paused === 1 || ended_at !== null) return false
  if (cancel_at !== null && cancel_at <= now) return false
  if (status === 'past_due') return grace_end !== null && now <= grace_end
  return status === 'active' || status === 'trialing'
}

async function wrongWith(
  { scheduler }: Surroundings,
  { connection }: World,
  registry: Registry,
  { subscriptions }: SimulatedProvider,
  { baseSeats, cap, quantity, shrink, whenOver }: PayingHost
): Promise<readonly string[]> {
  const now = scheduler.now()
  const wrong: string[] = []
  const of = (id: string, table: string) =>
    connection.all(`SELECT * FROM seatgate_${table} WHERE organization_id = ?`, [id])
  for (const id of registry.ids()) {
    const view = registry.view(id)
    if (view === null) continue
    const say = (problem: string) => wrong.push(`${id} in the end: ${problem}`)
    const customers = of(id, 'billing_customers')
    const alive = [...subscriptions.values()].filter(
      ({ customerId, endedAt }) =>
        endedAt === null && customers.some((row) => row['customer_id'] === customerId)
    )
    if (view.deleted) {
      if (alive.length > 0) say('a deleted organization is billed')
      continue
    }
    if (alive.length > 1) say(`${alive.length} subscriptions are billed`)
    const recorded = of(id, 'subscriptions') as unknown as readonly Recorded[]
    for (const remote of alive) {
      const record = recorded.find(({ subscription_id }) => subscription_id === remote.id)
      const status = remote.status === 'odd' ? 'incomplete' : remote.status
      const has = `${record?.status} ${record?.quantity}`
      if (has !== `${status} ${remote.quantity}`) {
        say(`the provider has ${status} ${remote.quantity}, recorded is ${has}`)
      }
    }
    for (const { subscription_id, ended_at, status } of recorded) {
      const isEnded = ended_at !== null || status === 'canceled'
      if (!isEnded && !alive.some((remote) => remote.id === subscription_id)) {
        say(`${subscription_id} has ended and is recorded as ${status}`)
      }
    }
    const granting = recorded.filter((record) => isGranting(record, now))
    const bought = granting.reduce((sum, record) => sum + record.quantity, 0)
    const entitled = granting.length === 0 ? baseSeats : Math.min(cap ?? Infinity, bought)
    const limit = view.limit ?? baseSeats
    // What an operator has set stands in place of these numbers.
    const isSet = of(id, 'entitlement_overrides').length > 0
    if (!isSet && limit !== entitled) say(`the limit is ${limit}, entitled are ${entitled}`)
    const used = seatsIn(view, now).length
    const [state] = of(id, 'entitlement_states')
    if (used > limit) {
      if (!state?.['over_since']) say(`${used} seats of ${limit} are used, and it is not marked`)
      const held = view.members.filter(({ seat_id }) => seat_id !== null)
      const owners = held.filter(({ role }) => role === 'owner').length
      const ends = Number(state?.['over_grace_end'] ?? Infinity)
      const isOver = whenOver === 'allow_with_grace' && ends <= now - 5 * MINUTE
      const isDue = whenOver === 'suspend_excess' || isOver
      if (isDue && held.length > Math.max(limit, owners)) {
        say(`${held.length} members hold ${limit} seats under ${whenOver}`)
      }
    }
    const [paid] = alive
    const isTold =
      paid === undefined ||
      paid.quantity === Math.max(1, used) ||
      // Seats that were bought and never used stay, even if it may shrink: only a change of seats is sent.
      (paid.quantity > used && (!shrink || paid.quantity === paid.bought))
    const isAsked = quantity === 'true_up' && granting.length > 0
    if (isAsked && !isTold && customers.every((row) => row['last_error'] === null)) {
      say(`the provider is told ${paid?.quantity}, used are ${used}`)
    }
    if (customers.some((row) => row['due_at'] !== null)) say('a quantity is still to be sent')
  }
  const [left] = connection.all(
    "SELECT count(*) AS n FROM seatgate_billing_inbox WHERE status NOT IN ('succeeded', 'dead')"
  )
  if (Number(left?.['n']) > 0) wrong.push(`${String(left?.['n'])} events are not worked off`)
  return wrong
}
