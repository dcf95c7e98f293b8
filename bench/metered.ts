/**
 * Stands around a measured Worker and counts what each request asks of the stores: until its answer, and
 * after it. `/bench/begin` waits until all earlier work is done and starts to count; `/bench/end` waits
 * once more and returns what was counted.
 *
 * @module
 */
import type { App, Bindings } from './apps/app.ts'
import type { Count, Cost } from './cost.ts'
import { aroundDatabase, longestChain, type Around, type Span } from './meter.ts'

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>

interface Counted extends Span {
  rowsRead: number
  rowsWritten: number
}

let tick = 0
let spans: Counted[] = []
let answeredAt = Infinity
let cursors: { readonly cursor: Cursor; readonly start: number }[] = []
let alarms: number[] = []
let waiting = 0

const around: Around = async (trip, run) => {
  const span: Counted = { ...trip, start: ++tick, end: Infinity, rowsRead: 0, rowsWritten: 0 }
  spans.push(span)
  try {
    const answer = await run()
    for (const result of (Array.isArray(answer) ? answer : [answer]) as ({
      meta?: D1Meta
    } | null)[]) {
      span.rowsRead += result?.meta?.rows_read ?? 0
      span.rowsWritten += result?.meta?.rows_written ?? 0
    }
    return answer
  } finally {
    span.end = ++tick
  }
}

function aroundObjects(objects: DurableObjectNamespace): DurableObjectNamespace {
  const getByName = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_target, method: string) =>
          (...asked: unknown[]) =>
            around({ store: 'ledger', asked: [method] }, () => {
              const object = objects.getByName(name) as unknown as Record<string, CallableFunction>
              return object[method]!(...asked)
            }),
      }
    )
  return { getByName } as unknown as DurableObjectNamespace
}

function aroundQueue(queue: Queue): Queue {
  // Each message is asked for, also those of a batch.
  const counting = (messages: number, run: () => Promise<unknown>) => {
    waiting += messages
    return around({ store: 'queue', asked: Array<string>(messages).fill('message') }, run)
  }
  const send = (body: unknown) => counting(1, () => queue.send(body))
  const sendBatch = (bodies: Iterable<MessageSendRequest>) => {
    const all = [...bodies]
    return counting(all.length, () => queue.sendBatch(all))
  }
  return { send, sendBatch } as unknown as Queue
}

/** Counts the rows of every statement in an object, and the alarms that it sets. */
export function meteredObject<C extends new (ctx: DurableObjectState, env: never) => object>(
  Base: C
): C {
  const patched = new WeakSet()
  const patch = (target: object, method: string, seen: (result: unknown) => void) => {
    if (patched.has(target)) return
    patched.add(target)
    const original = (target as Record<string, (...args: unknown[]) => unknown>)[method]!
    Object.defineProperty(target, method, {
      value(this: unknown, ...args: unknown[]) {
        const result = original.apply(this, args)
        seen(result)
        return result
      },
    })
  }
  return class extends (Base as unknown as new (ctx: DurableObjectState, env: unknown) => object) {
    constructor(ctx: DurableObjectState, env: unknown) {
      patch(Object.getPrototypeOf(ctx.storage.sql) as object, 'exec', (cursor) =>
        cursors.push({ cursor: cursor as Cursor, start: ++tick })
      )
      patch(Object.getPrototypeOf(ctx.storage) as object, 'setAlarm', () => alarms.push(++tick))
      super(ctx, env)
    }
  } as unknown as C
}

/** A Worker around an app, with the meter's own two routes. */
export function meteredWorker(app: (bindings: Bindings) => App, bindings: Bindings) {
  const database = aroundDatabase(bindings.DB, around)
  const metered = app({
    ...bindings,
    DB: Object.assign(database, { exec: (sql: string) => bindings.DB.exec(sql) }),
    OBJECTS: aroundObjects(bindings.OBJECTS),
    QUEUE: aroundQueue(bindings.QUEUE),
  })
  return {
    async fetch(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url)
      if (pathname === '/bench/begin') {
        await quiet()
        clear()
        return new Response()
      }
      if (pathname === '/bench/end') {
        await quiet()
        return Response.json(counted())
      }
      const answer = await metered.fetch(request)
      const body = await answer.arrayBuffer()
      answeredAt = ++tick
      return new Response(body.byteLength > 0 ? body : null, answer)
    },
    async queue(batch: MessageBatch): Promise<void> {
      await metered.queue?.(batch)
      waiting -= batch.messages.length
    },
  }
}

function clear(): void {
  spans = []
  cursors = []
  alarms = []
  answeredAt = Infinity
}

const LONGEST_WAIT_MS = 120_000
const PAUSE_MS = 20

// Work is done when no trip runs, no message waits, and no new trip began for three pauses.
async function quiet(): Promise<void> {
  let calm = 0
  let seen = tick
  for (let waited = 0; calm < 3; waited += PAUSE_MS) {
    if (waited > LONGEST_WAIT_MS) throw new Error('The work after an answer does not end.')
    await scheduler.wait(PAUSE_MS)
    const busy = waiting > 0 || tick !== seen || spans.some(({ end }) => end === Infinity)
    calm = busy ? 0 : calm + 1
    seen = tick
  }
}

function counted(): Cost {
  return {
    inSequence: longestChain(spans.filter(({ end }) => end < answeredAt)),
    answer: count((at) => at < answeredAt),
    after: count((at) => at >= answeredAt),
  }
}

// A trip that nothing awaited belongs to the work after the answer.
function count(within: (at: number) => boolean): Count {
  const of = (store: string) =>
    spans.filter((span) => span.store === store && within(Number.isFinite(span.end) ? span.end : 0))
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const own = cursors.filter(({ start }) => within(start))
  const d1 = of('d1')
  return {
    trips: d1.length,
    statements: sum(d1.map(({ asked }) => asked.length)),
    rowsRead: sum(d1.map(({ rowsRead }) => rowsRead)),
    rowsWritten: sum(d1.map(({ rowsWritten }) => rowsWritten)),
    objectCalls: of('ledger').length,
    objectRowsRead: sum(own.map(({ cursor }) => cursor.rowsRead)),
    objectRowsWritten:
      sum(own.map(({ cursor }) => cursor.rowsWritten)) + alarms.filter(within).length,
    messages: sum(of('queue').map(({ asked }) => asked.length)),
  }
}
