/**
 * A billing provider some way off: it keeps subscriptions, tells of their changes by webhooks that may be
 * lost, repeated or late, and is at times down or busy.
 *
 * @module
 */
import {
  ProviderError,
  type BillingProvider,
  type RemoteSubscription,
} from '../../src/parts/billing/index.ts'
import { travel, type Isolate, type Surroundings } from './network.ts'
import type { Random } from './random.ts'

export const PROVIDER = 'simulated'
export const SEAT_PRICE = 'price_seat'

/** A subscription at the provider. */
interface Remote {
  readonly id: string
  readonly customerId: string
  readonly createdAt: number
  /** The quantity that it began with. */
  readonly bought: number
  status: string
  quantity: number
  cancelAt: number | null
  endedAt: number | null
  paused: boolean
}

export interface SimulatedProvider {
  readonly subscriptions: Map<string, Remote>
  /** How it answers: as it should, not at all, or with 429. */
  health: 'well' | 'down' | 'busy'
  boundTo(isolate: Isolate): BillingProvider
  subscribe(customerId: string, quantity: number): Remote
  /** Changes a subscription as a payment, a dashboard or time does, and tells of it. */
  change(remote: Remote, change: (remote: Remote) => void): void
  /** Ends what a scheduled cancellation has ended by now. */
  letTimePass(): void
}

/** Receives a webhook; answers whether it was taken. */
type Receive = (body: string) => Promise<boolean>

const REPEATS = 4

export function createProvider(
  surroundings: Surroundings,
  random: Random,
  receive: () => Receive
): SimulatedProvider {
  const { scheduler, trace, sometimes } = surroundings
  const subscriptions = new Map<string, Remote>()
  const answers = new Map<string, RemoteSubscription>()
  let made = 0

  const tell = (remote: Remote) => {
    made += 1
    const { id, customerId } = remote
    const body = JSON.stringify({
      id: `evt_${made}`,
      type: 'subscription.updated',
      providerTime: Math.floor(scheduler.now() / 1000) * 1000,
      subscriptionId: id,
      customerId,
    })
    const copies = random.pick([0, 1, 1, 1, 2]) ?? 1
    if (copies === 0) sometimes('a webhook was lost')
    if (copies === 2) sometimes('a webhook came twice')
    for (let copy = 0; copy < copies; copy++) send(body, REPEATS)
  }
  const send = (body: string, left: number) => {
    scheduler.after(random.between(20, 120_000), () => {
      void receive()(body).then((isTaken) => {
        if (!isTaken && left > 0) send(body, left - 1)
      })
    })
  }
  const view = ({ id, customerId, createdAt, ...remote }: Remote): RemoteSubscription => ({
    provider: PROVIDER,
    customerId,
    subscriptionId: id,
    status: remote.status,
    items: [
      { id: `${id}-item`, priceId: SEAT_PRICE, quantity: remote.quantity, interval: 'month' },
    ],
    currentPeriodEnd: null,
    trialEnd: null,
    cancelAt: dateOf(remote.cancelAt),
    endedAt: dateOf(remote.endedAt),
    paused: remote.paused,
    pausedUntil: null,
    createdAt: new Date(createdAt),
  })
  const change: SimulatedProvider['change'] = (remote, act) => {
    act(remote)
    trace.note(`provider ${JSON.stringify(remote)}`)
    tell(remote)
  }
  const provider: SimulatedProvider = {
    subscriptions,
    health: 'well',
    change,
    subscribe(customerId, quantity) {
      const id = `sub_${subscriptions.size + 1}`
      const createdAt = scheduler.now()
      const rest = { status: 'active', quantity, cancelAt: null, endedAt: null, paused: false }
      const remote: Remote = { id, customerId, createdAt, bought: quantity, ...rest }
      subscriptions.set(id, remote)
      change(remote, () => {})
      return remote
    },
    letTimePass() {
      for (const remote of subscriptions.values()) {
        const { cancelAt, endedAt } = remote
        if (endedAt !== null || cancelAt === null || cancelAt > scheduler.now()) continue
        change(remote, () => Object.assign(remote, { status: 'canceled', endedAt: cancelAt }))
      }
    },
    boundTo(isolate) {
      const ask = async <T>(what: string, answer: () => T): Promise<T> => {
        const arrive = () => {
          if (provider.health === 'down') throw new ProviderError('transient', 'status_503')
          if (provider.health === 'busy') {
            throw new ProviderError('transient', 'rate_limited', { retryAfterSeconds: 30 })
          }
          provider.letTimePass()
          return answer()
        }
        try {
          return await travel(surroundings, isolate, { to: 'provider', what, writes: true, arrive })
        } catch (error) {
          if (error instanceof ProviderError) throw error
          throw new ProviderError('transient', 'timeout')
        }
      }
      const find = (id: string): Remote => {
        const remote = subscriptions.get(id)
        if (remote === undefined) throw new ProviderError('permanent', 'resource_missing')
        return remote
      }
      const once = (key: string, id: string, act: (remote: Remote) => void) => {
        const before = answers.get(key)
        if (before !== undefined) return before
        const remote = find(id)
        if (remote.endedAt !== null) throw new ProviderError('permanent', 'subscription_ended')
        change(remote, act)
        const answer = view(remote)
        answers.set(key, answer)
        return answer
      }
      return {
        name: PROVIDER,
        prorationFor: () => 'always_invoice',
        async receive({ body }) {
          const event = JSON.parse(new TextDecoder().decode(body)) as { providerTime: number }
          return {
            verified: true,
            event: {
              ...(event as unknown as { id: string; type: string }),
              ...(event as unknown as { subscriptionId: string; customerId: string }),
              providerTime: new Date(event.providerTime),
              mode: 'test',
              account: '',
            },
          }
        },
        fetchSubscription: (id) =>
          ask('fetch', () => {
            const remote = subscriptions.get(id)
            return remote ? view(remote) : null
          }),
        listSubscriptions: (customerId) =>
          ask('list', () =>
            [...subscriptions.values()]
              .filter((remote) => remote.customerId === customerId && remote.endedAt === null)
              .map(view)
          ),
        createCustomer: ({ organizationId }) => ask('customer', () => `cus_${organizationId}`),
        checkout: () => ask('checkout', () => 'https://pay.example'),
        portal: () => ask('portal', () => 'https://pay.example'),
        preview: () => ask('preview', () => ({ amountDue: null, currency: null, lines: [] })),
        setQuantity: ({ subscriptionId, quantity }, { idempotencyKey }) =>
          ask('quantity', () =>
            find(subscriptionId).quantity === quantity
              ? view(find(subscriptionId))
              : once(idempotencyKey, subscriptionId, (remote) => (remote.quantity = quantity))
          ),
        changePlan: ({ subscriptionId }) => ask('plan', () => view(find(subscriptionId))),
        cancel: ({ subscriptionId, atPeriodEnd }, { idempotencyKey }) =>
          ask('cancel', () => {
            const remote = find(subscriptionId)
            if (remote.endedAt !== null) return view(remote)
            return once(idempotencyKey, subscriptionId, () => {
              if (atPeriodEnd) remote.cancelAt = scheduler.now() + 3_600_000
              else Object.assign(remote, { status: 'canceled', endedAt: scheduler.now() })
            })
          }),
        resume: (subscriptionId, { idempotencyKey }) =>
          ask('resume', () =>
            once(idempotencyKey, subscriptionId, (remote) => (remote.cancelAt = null))
          ),
      }
    },
  }
  return provider
}

const dateOf = (time: number | null) => (time === null ? null : new Date(time))
