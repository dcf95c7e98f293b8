import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { webhookSink } from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import { clocked, cursorOf, organizationWith, silence, standingTimers } from '../../../kit/index.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const configurations = import.meta.glob(
  ['../../../../wrangler.toml', '../../../../docs/getting-started.md'],
  {
    query: '?raw',
    import: 'default',
    eager: true,
  }
)
const CONNECTIONS = 6
const DEAD = 7

/** The `fetch` of one invocation: the seventh waits until one of six has got its answer. */
function limitedFetch(isDead: (organizationId: string) => boolean) {
  const line: (() => void)[] = []
  const seen = { open: 0, most: 0, waited: 0 }
  const connection = async () => {
    if (seen.open < CONNECTIONS) seen.open += 1
    else {
      seen.waited += 1
      await new Promise<void>((resolve) => line.push(resolve))
    }
    seen.most = Math.max(seen.most, seen.open)
  }
  const free = () => {
    const next = line.shift()
    if (next) next()
    else seen.open -= 1
  }
  const limited = async (_url: unknown, { body, signal }: RequestInit) => {
    const { data } = JSON.parse(body as string) as { data: { organizationId: string } }
    await connection()
    try {
      signal?.throwIfAborted()
      return isDead(data.organizationId) ? await silence(signal!) : new Response()
    } finally {
      free()
    }
  }
  return { seen, fetch: limited as unknown as typeof fetch }
}

/** One invocation with these wake-ups, on connections of its own. */
function invocation(ids: readonly string[], isDead: (organizationId: string) => boolean) {
  const { seen, fetch } = limitedFetch(isDead)
  const sink = webhookSink({ url: 'https://logs.example.com/audit', secret: null, fetch })
  const { seatgate } = clocked([sink])
  const served = new Map(ids.map((id) => [id, Promise.withResolvers<void>()]))
  const messages = ids.map((organizationId) => {
    const done = () => served.get(organizationId)?.resolve()
    return { id: organizationId, body: { organizationId }, ack: done, retry: done }
  })
  const finished = auditQueueHandler(seatgate)({ messages } as never)
  return { seen, finished, served: (id: string) => served.get(id)?.promise }
}

async function organizations() {
  const { seatgate } = clocked([webhookSink({ url: 'https://logs.example.com', secret: null })])
  const make = (count: number) =>
    Promise.all(Array.from({ length: count }, () => organizationWith(seatgate)))
  const [dead, alive] = [await make(DEAD), await make(3)]
  return { dead, alive, isDead: (id: string) => dead.includes(id) }
}

describe('seven organizations with webhooks that do not answer, behind six connections', () => {
  beforeEach(standingTimers)
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it.each(
    Object.entries(configurations).map(([path, text]) => [path.slice('../../../../'.length), text])
  )(
    'keep no other waiting, in batches as %s has them [FWD-27]',
    async (_path, configuration) => {
      const size = Number(/max_batch_size = (\d+)/.exec(configuration)?.[1])
      const { dead, alive, isDead } = await organizations()
      const waiting = [
        ...dead.slice(0, 4),
        ...alive.slice(0, 1),
        ...dead.slice(4),
        ...alive.slice(1),
      ]
      const invocations = Array.from({ length: Math.ceil(waiting.length / size) }, (_, index) =>
        invocation(waiting.slice(index * size, (index + 1) * size), isDead)
      )
      for (const id of alive) {
        await Promise.all(invocations.map(({ served }) => served(id)))
        expect(await cursorOf(id, 'webhook')).toMatchObject({ sequence: 2, attempts: 0 })
      }
      // No time has passed yet: the dead ones are all in the air.
      expect(invocations.reduce((sum, { seen }) => sum + seen.open, 0)).toBe(DEAD)
      await vi.advanceTimersByTimeAsync(10_000)
      await Promise.all(invocations.map(({ finished }) => finished))
      expect(invocations.map(({ seen }) => seen.waited)).toEqual(invocations.map(() => 0))
    },
    60_000
  )

  it('have no other blamed, in a batch that is too large [FWD-27]', async () => {
    const { dead, alive, isDead } = await organizations()
    const { seen, finished, served } = invocation([...dead, ...alive], isDead)
    const all = Promise.all(alive.map(served))
    while (seen.open < 5) await turn()
    await vi.advanceTimersByTimeAsync(10_000)
    await all
    while (seen.open < 2) await turn()
    await vi.advanceTimersByTimeAsync(10_000)
    await finished
    for (const id of alive) {
      expect(await cursorOf(id, 'webhook')).toMatchObject({ sequence: 2, attempts: 0, error: null })
    }
    for (const id of dead) {
      expect(await cursorOf(id, 'webhook')).toMatchObject({ sequence: 0, attempts: 1 })
    }
    expect(seen).toEqual({ open: 0, most: 5, waited: 0 })
  })
})

/** Lets D1 answer; the timers of the test stand still. */
const turn = () => scheduler.wait(1)
