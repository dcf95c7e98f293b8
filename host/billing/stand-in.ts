/**
 * A local stand-in for Stripe, for development and tests: it follows the published API for what the
 * adapter uses, keeps everything in one plain object, and needs no account and no network.
 *
 * @module
 */
import { formOf, type Form } from './form.ts'

/** What the webhooks of the provider of development are signed with. */
export const DEV_WEBHOOK_SECRET = 'whsec_of_the_stand_in'

export interface StandInPrice {
  /** Minor units for one of the quantity. */
  readonly unitAmount: number
  readonly interval: 'month' | 'year'
}

export interface StandInOptions {
  readonly apiKey: string
  readonly prices: Readonly<Record<string, StandInPrice>>
  /** In percent, added to every invoice. */
  readonly taxPercent?: number
  readonly state?: StandInState
  /** The clock, in milliseconds. */
  readonly now?: () => number
  /** Makes the ids of objects unique. Default: a count. */
  readonly newId?: () => string
}

/** Everything that it knows; plain JSON. */
export interface StandInState {
  count: number
  /** Milliseconds that its clock is ahead. */
  ahead: number
  readonly customers: Record<string, Customer>
  readonly subscriptions: Record<string, Subscription>
  readonly sessions: Record<string, Session>
  readonly answers: Record<
    string,
    { readonly params: string; readonly status: number; readonly body: string }
  >
  readonly invoices: Record<string, readonly Line[]>
  /** The events that were not taken yet, oldest first. */
  events: StripeEvent[]
}

interface Customer {
  readonly id: string
  readonly object: 'customer'
  readonly name: string | null
  readonly metadata: Record<string, string>
}

interface Item {
  readonly id: string
  readonly object: 'subscription_item'
  price: {
    readonly id: string
    readonly object: 'price'
    readonly recurring: { readonly interval: string }
  }
  quantity: number
  current_period_start: number
  current_period_end: number
}

export interface Subscription {
  readonly id: string
  readonly object: 'subscription'
  readonly customer: string
  status: string
  readonly currency: string
  readonly created: number
  trial_end: number | null
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  ended_at: number | null
  pause_collection: { readonly behavior: string; readonly resumes_at: number | null } | null
  readonly items: { readonly object: 'list'; has_more: boolean; readonly data: Item[] }
}

interface Session {
  readonly id: string
  readonly object: 'checkout.session'
  readonly customer: string
  readonly client_reference_id: string | null
  readonly url: string
  status: 'open' | 'complete'
  subscription: string | null
  readonly lines: readonly { readonly price: string; readonly quantity: number }[]
}

interface Line {
  readonly id: string
  readonly object: 'line_item'
  readonly description: string
  readonly amount: number
  readonly quantity: number
  readonly currency: string
}

export interface StripeEvent {
  readonly id: string
  readonly object: 'event'
  readonly type: string
  readonly created: number
  readonly livemode: boolean
  readonly data: { readonly object: unknown }
}

/** A request as it arrived. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly params: Form
  readonly idempotencyKey: string | null
}

/** An answer in place of the real one, such as an outage. */
export interface Fault {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const CURRENCY = 'eur'
const LINES_ON_A_PAGE = 10
const DAYS = { month: 30, year: 365 }

export class StripeStandIn {
  readonly state: StandInState
  readonly asked: Asked[] = []
  /** Is asked before each request; null: the request is answered. */
  fault: (asked: Asked) => Fault | null | Promise<Fault | null> = () => null
  /** Whether cards are declined. */
  declines = false
  readonly #options: StandInOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: StandInOptions) {
    this.#options = options
    this.state = options.state ?? {
      count: 0,
      ahead: 0,
      customers: {},
      subscriptions: {},
      sessions: {},
      answers: {},
      invoices: {},
      events: [],
    }
  }

  /** The time, in seconds. */
  get time(): number {
    return Math.floor(((this.#options.now?.() ?? Date.now()) + this.state.ahead) / 1000)
  }

  /** Answers a request as the API would. */
  readonly fetch = async (input: Request | URL | string, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const bytes = await request.arrayBuffer()
    const text = request.method === 'GET' ? url.search.slice(1) : new TextDecoder().decode(bytes)
    const asked: Asked = {
      method: request.method,
      path: url.pathname,
      params: formOf(text),
      idempotencyKey: request.headers.get('idempotency-key'),
    }
    this.asked.push(asked)
    const fault = await this.fault(asked)
    if (fault !== null) {
      return Response.json(fault.body ?? { error: { type: 'api_error', message: 'A fault.' } }, {
        status: fault.status,
        ...(fault.headers && { headers: fault.headers }),
      })
    }
    if (request.headers.get('authorization') !== `Bearer ${this.#options.apiKey}`) {
      return failure(401, { type: 'invalid_request_error', message: 'Invalid API Key provided.' })
    }
    return this.#once(asked, text)
  }

  // An idempotency key answers the same request with the same answer, and refuses another one.
  async #once(asked: Asked, text: string): Promise<Response> {
    const turn = this.#turn.then(() => this.#onceInTurn(asked, text))
    this.#turn = turn.catch(() => null)
    return turn
  }

  async #onceInTurn(asked: Asked, text: string): Promise<Response> {
    const key = asked.method === 'POST' ? asked.idempotencyKey : null
    const params = `${asked.path}?${text}`
    const earlier = key === null ? undefined : this.state.answers[key]
    if (earlier !== undefined && earlier.params !== params) {
      return failure(400, {
        type: 'idempotency_error',
        message: 'Keys for idempotent requests can only be used with the same parameters.',
      })
    }
    if (earlier !== undefined) return new Response(earlier.body, { status: earlier.status })
    const response = this.#answer(asked)
    if (key !== null && response.status < 500) {
      const body = await response.clone().text()
      this.state.answers[key] = { params, status: response.status, body }
    }
    return response
  }

  #answer({ method, path, params }: Asked): Response {
    const [, resource = '', id = '', rest = ''] = path.split('/').slice(1)
    const place = `${method} ${[resource, id && ':id', rest].filter(Boolean).join('/')}`
    switch (place) {
      case 'POST customers':
        return Response.json(this.#createCustomer(params))
      case 'POST checkout/:id':
        return this.#openCheckout(params)
      case 'POST billing_portal/:id':
        return this.#openPortal(params)
      case 'POST invoices/:id':
        return this.#preview(params)
      case 'GET invoices/:id/lines':
        return this.#lines(id, params)
      case 'GET subscriptions':
        return this.#list(params)
      case 'GET subscriptions/:id':
        return this.#with(id, (subscription) => Response.json(subscription))
      case 'POST subscriptions/:id':
        return this.#with(id, (subscription) => this.#update(subscription, params))
      case 'DELETE subscriptions/:id':
        return this.#with(id, (subscription) => this.#end(subscription))
      default:
        return failure(404, {
          type: 'invalid_request_error',
          message: `Unrecognized request URL (${place}).`,
        })
    }
  }

  #with(id: string, answer: (subscription: Subscription) => Response): Response {
    const subscription = this.state.subscriptions[id]
    if (subscription !== undefined) return answer(subscription)
    return failure(404, missing('subscription', id))
  }

  #createCustomer({ name, metadata }: Form): Customer {
    const customer: Customer = {
      id: this.#id('cus'),
      object: 'customer',
      name: typeof name === 'string' ? name : null,
      metadata: (metadata ?? {}) as Record<string, string>,
    }
    this.state.customers[customer.id] = customer
    return customer
  }

  #openCheckout({ mode, customer, line_items, success_url, client_reference_id }: Form): Response {
    const lines = listOf(line_items).map(({ price, quantity }) => ({
      price: textOf(price),
      quantity: wholeOf(quantity ?? '1'),
    }))
    if (mode !== 'subscription' || lines.length === 0 || typeof success_url !== 'string') {
      return failure(400, missingParam('line_items'))
    }
    const unknown = lines.find(({ price }) => this.#options.prices[price] === undefined)
    if (unknown) return failure(400, missing('price', unknown.price))
    if (lines.some(({ quantity }) => !(quantity >= 1))) return failure(400, invalidInteger)
    if (this.state.customers[textOf(customer)] === undefined) {
      return failure(400, missing('customer', textOf(customer)))
    }
    const id = this.#id('cs_test')
    const session: Session = {
      id,
      object: 'checkout.session',
      customer: textOf(customer),
      client_reference_id: typeof client_reference_id === 'string' ? client_reference_id : null,
      url: `https://checkout.stripe.test/c/${id}`,
      status: 'open',
      subscription: null,
      lines,
    }
    this.state.sessions[id] = session
    return Response.json(session)
  }

  #openPortal({ customer }: Form): Response {
    if (this.state.customers[textOf(customer)] === undefined) {
      return failure(400, missing('customer', textOf(customer)))
    }
    const id = this.#id('bps')
    const url = `https://billing.stripe.test/p/session/${id}`
    return Response.json({ id, object: 'billing_portal.session', customer, url })
  }

  #list({ customer, status }: Form): Response {
    const data = Object.values(this.state.subscriptions).filter(
      (one) => one.customer === customer && (status === 'all' || one.ended_at === null)
    )
    return Response.json({ object: 'list', url: '/v1/subscriptions', has_more: false, data })
  }

  #update(subscription: Subscription, params: Form): Response {
    const { items, proration_behavior, cancel_at_period_end, payment_behavior } = params
    if (subscription.ended_at !== null) {
      return failure(400, {
        type: 'invalid_request_error',
        message: 'A canceled subscription can only update its cancellation_details.',
      })
    }
    const changes = listOf(items)
    for (const { id, quantity, price } of changes) {
      const item = subscription.items.data.find((one) => one.id === id)
      if (item === undefined) return failure(400, missing('subscription_item', textOf(id)))
      if (quantity !== undefined && !(wholeOf(quantity) >= 0)) return failure(400, invalidInteger)
      if (price !== undefined && this.#options.prices[textOf(price)] === undefined) {
        return failure(400, missing('price', textOf(price)))
      }
    }
    const behaviors = ['create_prorations', 'none', 'always_invoice', undefined]
    if (!behaviors.includes(proration_behavior as string | undefined)) {
      return failure(400, { type: 'invalid_request_error', message: 'Invalid proration_behavior.' })
    }
    if (this.declines && payment_behavior === 'error_if_incomplete') {
      return failure(402, {
        type: 'card_error',
        code: 'card_declined',
        message: 'Your card was declined.',
      })
    }
    for (const { id, quantity, price } of changes) {
      const item = subscription.items.data.find((one) => one.id === id)
      if (item && quantity !== undefined) item.quantity = wholeOf(quantity)
      if (item && price !== undefined) item.price = this.price(textOf(price))
    }
    if (cancel_at_period_end !== undefined) {
      const scheduled = cancel_at_period_end === 'true'
      subscription.cancel_at_period_end = scheduled
      subscription.cancel_at = scheduled
        ? (subscription.items.data[0]?.current_period_end ?? null)
        : null
      subscription.canceled_at = scheduled ? this.time : null
    }
    this.#tell('customer.subscription.updated', subscription)
    return Response.json(subscription)
  }

  #end(subscription: Subscription): Response {
    if (subscription.ended_at !== null)
      return failure(404, missing('subscription', subscription.id))
    subscription.status = 'canceled'
    subscription.canceled_at ??= this.time
    subscription.ended_at = this.time
    this.#tell('customer.subscription.deleted', subscription)
    return Response.json(subscription)
  }

  // Of what is left of the period, in whole minor units, and the tax on it.
  #preview({ subscription: id, subscription_details }: Form): Response {
    const { items, proration_behavior } = (subscription_details ?? {}) as Form
    const changes = listOf(items)
    const lines: Line[] = []
    const add = (description: string, amount: number, quantity: number) =>
      lines.push({
        id: this.#id('il'),
        object: 'line_item',
        description,
        amount,
        quantity,
        currency: CURRENCY,
      })
    if (id === undefined) {
      for (const { price, quantity } of changes) {
        const count = wholeOf(quantity ?? '1')
        add(`${count} × ${textOf(price)}`, count * this.#amount(textOf(price)), count)
      }
    } else {
      const subscription = this.state.subscriptions[textOf(id)]
      if (subscription === undefined) return failure(404, missing('subscription', textOf(id)))
      for (const change of changes) {
        const item = subscription.items.data.find((one) => one.id === change['id'])
        if (item === undefined)
          return failure(400, missing('subscription_item', textOf(change['id'])))
        const to = textOf(change['price'] ?? item.price.id)
        const count = wholeOf(change['quantity'] ?? String(item.quantity))
        if (proration_behavior !== 'none') {
          const left = this.#left(item)
          add(
            `Unused time on ${item.quantity} × ${item.price.id}`,
            -Math.round(left * item.quantity * this.#amount(item.price.id)),
            item.quantity
          )
          add(
            `Remaining time on ${count} × ${to}`,
            Math.round(left * count * this.#amount(to)),
            count
          )
        }
        if (proration_behavior !== 'always_invoice')
          add(`${count} × ${to}`, count * this.#amount(to), count)
      }
    }
    const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0)
    const tax = Math.round((Math.max(0, subtotal) * (this.#options.taxPercent ?? 0)) / 100)
    const invoice = this.#id('upcoming_in')
    this.state.invoices[invoice] = lines
    return Response.json({
      id: invoice,
      object: 'invoice',
      currency: CURRENCY,
      subtotal,
      total: subtotal + tax,
      amount_due: Math.max(0, subtotal + tax),
      lines: page(lines, `/v1/invoices/${invoice}/lines`, {}, LINES_ON_A_PAGE),
    })
  }

  #lines(invoice: string, params: Form): Response {
    const lines = this.state.invoices[invoice]
    if (lines === undefined) return failure(404, missing('invoice', invoice))
    return Response.json(
      page(lines, `/v1/invoices/${invoice}/lines`, params, Number(params['limit'] ?? 10))
    )
  }

  #left({ current_period_start, current_period_end }: Item): number {
    return (current_period_end - this.time) / (current_period_end - current_period_start)
  }

  #amount(price: string): number {
    return this.#options.prices[price]?.unitAmount ?? 0
  }

  /** A price as its items have it. */
  price(id: string): Item['price'] {
    const interval = this.#options.prices[id]?.interval ?? 'month'
    return { id, object: 'price', recurring: { interval } }
  }

  #id(prefix: string): string {
    this.state.count += 1
    return `${prefix}_${this.#options.newId?.() ?? String(this.state.count).padStart(8, '0')}`
  }

  #tell(type: string, object: unknown): void {
    this.state.events.push({
      id: this.#id('evt'),
      object: 'event',
      type,
      created: this.time,
      livemode: false,
      data: { object: structuredClone(object) },
    })
  }

  /** Takes the events that were not taken yet. */
  takeEvents(): StripeEvent[] {
    const { events } = this.state
    this.state.events = []
    return events
  }

  // What a person does in Stripe's own pages.

  /** Pays a checkout: makes its subscription. */
  completeCheckout(id: string): Subscription {
    const session = this.state.sessions[id]
    if (session === undefined) throw new Error(`There is no checkout ${id}.`)
    if (session.status === 'complete') throw new Error(`The checkout ${id} is complete.`)
    const subscription = this.subscribe(session.customer, session.lines)
    session.status = 'complete'
    session.subscription = subscription.id
    this.#tell('checkout.session.completed', session)
    return subscription
  }

  /** Makes a subscription of a customer. */
  subscribe(
    customer: string,
    lines: readonly { readonly price: string; readonly quantity: number }[]
  ): Subscription {
    const start = this.time
    const data = lines.map(({ price, quantity }): Item => ({
      id: this.#id('si'),
      object: 'subscription_item',
      price: this.price(price),
      quantity,
      current_period_start: start,
      current_period_end: start + DAYS[this.#options.prices[price]?.interval ?? 'month'] * 86_400,
    }))
    const subscription: Subscription = {
      id: this.#id('sub'),
      object: 'subscription',
      customer,
      status: 'active',
      currency: CURRENCY,
      created: start,
      trial_end: null,
      cancel_at: null,
      cancel_at_period_end: false,
      canceled_at: null,
      ended_at: null,
      pause_collection: null,
      items: { object: 'list', has_more: false, data },
    }
    this.state.subscriptions[subscription.id] = subscription
    this.#tell('customer.subscription.created', subscription)
    return subscription
  }

  /** Changes a subscription as the dashboard, a payment or time would. */
  change(
    id: string,
    change: (subscription: Subscription) => void,
    type = 'customer.subscription.updated'
  ): Subscription {
    const subscription = this.state.subscriptions[id]
    if (subscription === undefined) throw new Error(`There is no subscription ${id}.`)
    change(subscription)
    this.#tell(type, subscription)
    return subscription
  }
}

function page<T extends { readonly id: string }>(
  all: readonly T[],
  url: string,
  { starting_after }: Form,
  limit: number
) {
  const from =
    starting_after === undefined ? 0 : all.findIndex(({ id }) => id === starting_after) + 1
  const data = all.slice(from, from + limit)
  return { object: 'list', url, has_more: from + limit < all.length, data }
}

function listOf(value: Form[string]): readonly Form[] {
  return typeof value === 'object' ? (Object.values(value) as Form[]) : []
}

function wholeOf(text: Form[string]): number {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : NaN
}

const invalidInteger = {
  type: 'invalid_request_error',
  code: 'parameter_invalid_integer',
  message: 'Invalid integer.',
}

function textOf(value: Form[string]): string {
  return typeof value === 'string' ? value : ''
}

function missing(what: string, id: string) {
  return {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
  }
}

function missingParam(name: string) {
  return {
    type: 'invalid_request_error',
    code: 'parameter_missing',
    message: `Missing required param: ${name}.`,
  }
}

function failure(status: number, error: object): Response {
  return Response.json({ error }, { status })
}
