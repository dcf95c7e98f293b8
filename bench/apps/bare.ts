/**
 * Bare calls: what one trip costs by itself.
 *
 * @module
 */
import { DurableObject } from 'cloudflare:workers'
import type { App, Bindings } from './app.ts'

/** An object that inserts a row, or returns at once. */
export class Counter extends DurableObject {
  constructor(ctx: DurableObjectState, env: never) {
    super(ctx, env)
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, at INTEGER)')
  }

  async nothing(): Promise<number> {
    return 1
  }

  async insert(): Promise<number> {
    return this.ctx.storage.sql.exec('INSERT INTO t (at) VALUES (?)', Date.now()).rowsWritten
  }
}

export default function bareApp({ DB, OBJECTS }: Bindings): App {
  const object = () => OBJECTS.getByName('bare') as unknown as Counter
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    '/d1-read': () => DB.prepare('SELECT id FROM t WHERE id = 1').all(),
    '/d1-write': () =>
      DB.batch([1, 2, 3].map((at) => DB.prepare('INSERT INTO t (at) VALUES (?)').bind(at))),
    '/object-call': () => object().nothing(),
    '/object-insert': () => object().insert(),
    '/no-call': async () => null,
  }
  return {
    async fetch(request) {
      const call = calls[new URL(request.url).pathname]
      if (call === undefined) return new Response(null, { status: 404 })
      await call()
      return new Response(null, { status: 200 })
    },
  }
}
