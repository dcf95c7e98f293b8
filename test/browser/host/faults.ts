/**
 * Lets a request fail at a store: `x-fault: d1` at the database, `x-fault: ledger` at the Durable Object of
 * the seats. Import it before the host, which binds the stores when it is loaded.
 *
 * @module
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { env } from 'cloudflare:workers'

type Fault = 'd1' | 'ledger'

const faults = new AsyncLocalStorage<Fault | null>()
const bindings = env as unknown as { readonly DB: D1Database; readonly SEATS: object }

/** Runs the handling of a request with the fault that it names. */
export function withFault<T>(request: Request, run: () => T): T {
  const fault = request.headers.get('x-fault')
  return faults.run(fault === 'd1' || fault === 'ledger' ? fault : null, run)
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
failing(prototypeOf(bindings.SEATS), 'get', 'ledger')
failing(prototypeOf(bindings.SEATS), 'getByName', 'ledger')
