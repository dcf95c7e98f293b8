import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { UserContext } from '../../database/database.ts'
import type { NamedUser } from '../../engine/model/named-users.ts'
import type { LimitContext } from '../../engine/changes/apply-limit.ts'
import type { BillingProvider } from './billing-provider.ts'

/**
 * How the bought quantity follows the seats in use. `hard_cap`: it changes on request alone.
 * `auto_expand`: {@link expandSeats} buys a seat when one is missing, and the member is added after that.
 * `true_up`: the provider receives the seats in use; several changes become one update.
 */
export type QuantityMode = 'hard_cap' | 'auto_expand' | 'true_up'

/** An event for a {@link BillingHandler}: identifiers and times, no state. Read that from the provider. */
export interface HandledEvent {
  readonly provider: string
  readonly eventId: string
  readonly type: string
  readonly subscriptionId: string | null
  readonly customerId: string | null
  readonly providerTime: Date | null
  /** The organization that the event was applied to; null for an event without one. */
  readonly organizationId: string | null
}

/**
 * Work of the host for events. It runs after the library has applied the event, is tried again by itself
 * until it succeeds, and does not run again after that. An attempt that a crash interrupts is repeated:
 * use `eventId` as the key of its effects.
 */
export interface BillingHandler {
  /** Names the handler in the table of handled events. */
  readonly name: string
  /** The types of events that it takes. Default: every type. */
  readonly types?: readonly string[]
  handle(event: HandledEvent): Promise<unknown>
}

/** Options of {@link connectBilling}. */
export interface ConnectionOptions {
  /** The providers. New customers are of the first one. */
  readonly providers: readonly BillingProvider[]
  /** Returns where the browser goes after a checkout and after the customer's own pages. */
  readonly returnUrl: (organization: { readonly organizationId: string }) => string
  /** Default `hard_cap`. */
  readonly quantity?: QuantityMode
  /** Whether `true_up` lowers the quantity when seats are freed. Default false: it keeps the most. */
  readonly shrink?: boolean
  /** For how long changes of seats are collected before the provider receives them. Default 60. */
  readonly debounceSeconds?: number
  /** After how many hours an event of an unknown customer is given up. Default 72. */
  readonly parkedHours?: number
  /**
   * Whether requests that call the provider need an `Idempotency-Key`. Default false: without one, equal
   * requests within ten minutes are one.
   */
  readonly requireOperationId?: boolean
  /** The host's own work for events of providers. Default: empty. */
  readonly handlers?: readonly BillingHandler[]
  /** For how many days events are kept that were applied; null: always. Default 14. */
  readonly keepAppliedDays?: number | null
  /** For how many days events are kept that were given up; null: always. Default 90. */
  readonly keepDeadDays?: number | null
}

/** An event, and a handler of one, are given up after so many attempts. */
export const MOST_ATTEMPTS = 25

const OPTIONS = namesOf<ConnectionOptions>({
  providers: true,
  returnUrl: true,
  quantity: true,
  shrink: true,
  debounceSeconds: true,
  parkedHours: true,
  requireOperationId: true,
  handlers: true,
  keepAppliedDays: true,
  keepDeadDays: true,
})

/** A checked connection to billing providers. */
export interface BillingConnection {
  readonly providers: ReadonlyMap<string, BillingProvider>
  /** The provider of new customers. */
  readonly provider: BillingProvider
  readonly returnUrl: ConnectionOptions['returnUrl']
  readonly quantity: QuantityMode
  readonly shrink: boolean
  readonly debounceSeconds: number
  readonly parkedHours: number
  readonly requireOperationId: boolean
  readonly handlers: readonly BillingHandler[]
  readonly keepAppliedDays: number | null
  readonly keepDeadDays: number | null
}

/** The context of the functions of this part. */
export interface ConnectionContext extends LimitContext, Partial<Pick<UserContext, 'users'>> {
  readonly connection: BillingConnection
  /** Receives the users of the host among those who could leave; they are read in the same round trip. */
  readonly onCandidates?: (users: readonly NamedUser[]) => void
}

const MODES: readonly string[] = ['hard_cap', 'auto_expand', 'true_up'] satisfies QuantityMode[]

/**
 * Connects Seatgate to billing providers.
 *
 * @throws {TypeError} if an option is wrong, there is no provider, or two have one name.
 *
 * @example
 * ```ts
 * const connection = connectBilling({
 *   providers: [stripe({ apiKey, webhookSecret, proration: 'always_invoice' })],
 *   returnUrl: ({ organizationId }) => `https://app.example.com/${organizationId}/billing`,
 * })
 * ```
 */
export function connectBilling(options: ConnectionOptions): BillingConnection {
  checkOptionNames('connectBilling', options, OPTIONS)
  const { providers, returnUrl, quantity = 'hard_cap' } = options
  const [provider] = Array.isArray(providers) ? (providers as readonly BillingProvider[]) : []
  if (provider === undefined) throw new TypeError('connectBilling: providers must not be empty.')
  const byName = new Map(providers.map((one) => [one.name, one]))
  if (byName.size !== providers.length) {
    throw new TypeError('connectBilling: each provider needs a unique name.')
  }
  if (typeof returnUrl !== 'function') {
    throw new TypeError('connectBilling: returnUrl must be a function.')
  }
  if (!MODES.includes(quantity)) {
    throw new TypeError(`connectBilling: quantity must be one of ${MODES.join(', ')}.`)
  }
  const { handlers = [], requireOperationId = false } = options
  const names = handlers.map(({ name }) => name)
  if (!handlers.every(isHandler) || new Set(names).size !== names.length) {
    throw new TypeError('connectBilling: each handler needs a unique name and handle.')
  }
  return {
    providers: byName,
    provider,
    returnUrl,
    quantity,
    shrink: options.shrink ?? false,
    debounceSeconds: amount('debounceSeconds', options.debounceSeconds ?? 60),
    parkedHours: amount('parkedHours', options.parkedHours ?? 72),
    requireOperationId,
    handlers,
    keepAppliedDays: maybe('keepAppliedDays', options.keepAppliedDays, 14),
    keepDeadDays: maybe('keepDeadDays', options.keepDeadDays, 90),
  }
}

function isHandler(handler: BillingHandler): boolean {
  const { name } = handler
  const isNamed = typeof name === 'string' && /^[\w.-]{1,64}$/.test(name)
  return isNamed && typeof handler.handle === 'function'
}

function amount(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value
  throw new TypeError(`connectBilling: ${name} must be a number from 0.`)
}

function maybe(name: string, value: number | null | undefined, standard: number): number | null {
  return value === null ? null : amount(name, value ?? standard)
}
