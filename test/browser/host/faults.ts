/**
 * Lets a request fail at a store: `x-fault: d1` at the database, `x-fault: ledger` at the Durable Object of
 * the seats, `x-fault: provider` at the billing provider. Import it before the host, which binds the stores when
 * it is loaded.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { env } from 'cloudflare:workers'

const FAULTS = ['d1', 'ledger', 'provider'] as const
type Fault = (typeof FAULTS)[number]

const faults = new AsyncLocalStorage<Fault | null>()
const bindings = env as unknown as { readonly DB: D1Database; readonly SEATS: object }

/** Runs the handling of a request with the fault that it names. */
export function withFault<T>(request: Request, run: () => T): T {
  const fault = request.headers.get('x-fault')
  return faults.run(FAULTS.find((one) => one === fault) ?? null, run)
}

function failing(target: object, method: string, fault: Fault): void {
  const methods = target as Record<string, (...args: unknown[]) => unknown>
  const original = methods[method]
  methods[method] = function fails(...args) {
    if (faults.getStore() === fault) throw new Error('Network connection lost.')
    return original?.apply(this, args)
  }
}

const prototypeOf = (value: object) => Object.getPrototypeOf(value) as object

failing(prototypeOf(bindings.DB), 'batch', 'd1')
for (const method of ['all', 'first', 'raw', 'run'])
  failing(prototypeOf(bindings.DB.prepare('')), method, 'd1')
// The stand-in for the provider reads its state first, and is the only one that does it in this way.
failing(prototypeOf(bindings.DB), 'exec', 'provider')
failing(prototypeOf(bindings.SEATS), 'get', 'ledger')
failing(prototypeOf(bindings.SEATS), 'getByName', 'ledger')
