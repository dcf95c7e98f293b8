/** What Polar's published API does with what the adapter sends, in memory. */
export class PolarStandIn {
  readonly asked: { readonly method: string; readonly path: string; readonly body: unknown }[] = []
  readonly customers: Record<string, unknown>[] = []
  readonly subscriptions: Record<string, unknown>[] = []
  fault: () => Response | null = () => null
  readonly #token: string
  readonly #now: () => Date

  constructor(token: string, now: () => Date) {
    this.#token = token
    this.#now = now
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input as string, init as RequestInit)
    const { pathname, searchParams } = new URL(request.url)
    const text = await request.text()
    const body = text === '' ? null : (JSON.parse(text) as Record<string, unknown>)
    this.asked.push({ method: request.method, path: pathname, body })
    const fault = this.fault()
    if (fault !== null) return fault
    if (request.headers.get('authorization') !== `Bearer ${this.#token}`)
      return refuse(401, 'Unauthorized')
    const [, , resource, id, external] = pathname.split('/')
    switch (`${request.method} ${resource}`) {
      case 'GET customers':
        return found(this.customers.find((one) => one['external_id'] === external))
      case 'POST customers':
        return this.#createCustomer(body ?? {})
      case 'POST checkouts':
        return Response.json(
          { id: 'checkout_1', url: `https://polar.test/checkout/${JSON.stringify(body).length}` },
          { status: 201 }
        )
      case 'POST customer-sessions':
        return Response.json(
          { customer_portal_url: `https://polar.test/portal/${String(body?.['customer_id'])}` },
          { status: 201 }
        )
      case 'GET subscriptions':
        return id
          ? found(this.subscriptions.find((one) => one['id'] === id))
          : this.#list(searchParams)
      case 'PATCH subscriptions':
        return this.#update(
          this.subscriptions.find((one) => one['id'] === id),
          body ?? {}
        )
      default:
        return refuse(404, 'NotFound')
    }
  }

  subscribe(customer_id: string, seats: number | null, product_id = 'product_team') {
    const at = this.#now()
    const subscription: Record<string, unknown> = {
      id: `sub_${this.subscriptions.length + 1}`,
      created_at: at.toISOString(),
      customer_id,
      product_id,
      status: 'active',
      currency: 'usd',
      recurring_interval: 'month',
      current_period_start: at.toISOString(),
      current_period_end: new Date(at.getTime() + 30 * 86_400_000).toISOString(),
      cancel_at_period_end: false,
      canceled_at: null,
      ends_at: null,
      ended_at: null,
      trial_end: null,
      paused_at: null,
      resumes_at: null,
      seats,
    }
    this.subscriptions.push(subscription)
    return subscription
  }

  #createCustomer(body: Record<string, unknown>): Response {
    if (this.customers.some((one) => one['external_id'] === body['external_id'])) {
      return refuse(422, 'RequestValidationError')
    }
    const customer = { id: `customer_${this.customers.length + 1}`, ...body }
    this.customers.push(customer)
    return Response.json(customer, { status: 201 })
  }

  #list(query: URLSearchParams): Response {
    const all = this.subscriptions.filter((one) => one['customer_id'] === query.get('customer_id'))
    const [page, limit] = [Number(query.get('page')), 2]
    const items = all.slice((page - 1) * limit, page * limit)
    return Response.json({
      items,
      pagination: { total_count: all.length, max_page: Math.ceil(all.length / limit) },
    })
  }

  #update(
    subscription: Record<string, unknown> | undefined,
    body: Record<string, unknown>
  ): Response {
    if (subscription === undefined) return refuse(404, 'ResourceNotFound')
    if (subscription['ended_at'] !== null) return refuse(403, 'AlreadyCanceledSubscription')
    if ('seats' in body) subscription['seats'] = body['seats']
    if ('product_id' in body) subscription['product_id'] = body['product_id']
    if ('cancel_at_period_end' in body) {
      subscription['cancel_at_period_end'] = body['cancel_at_period_end']
      subscription['ends_at'] = body['cancel_at_period_end']
        ? subscription['current_period_end']
        : null
    }
    if (body['revoke'] === true) {
      subscription['status'] = 'canceled'
      subscription['ended_at'] = this.#now().toISOString()
    }
    return Response.json(subscription)
  }
}

function found(object: unknown): Response {
  return object === undefined ? refuse(404, 'ResourceNotFound') : Response.json(object)
}

function refuse(status: number, error: string): Response {
  return Response.json({ error, detail: 'A detail.' }, { status })
}
