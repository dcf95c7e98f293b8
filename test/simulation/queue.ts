/**
 * The queue: at least once, in no order, some messages twice and, where the weather is bad, some never.
 *
 * @module
 */
import { travel, type Isolate, type Surroundings } from './network.ts'

interface Waiting {
  readonly body: unknown
  attempts: number
}

const MOST_RETRIES = 10

export interface SimulatedQueue {
  boundTo(isolate: Isolate): {
    send(body: unknown): Promise<unknown>
    sendBatch(messages: readonly { readonly body: unknown }[]): Promise<unknown>
  }
  /** Messages that are yet to be delivered. */
  waiting(): number
}

export function createQueue(
  surroundings: Surroundings,
  deliver: (batch: MessageBatch) => { readonly done: Promise<void>; readonly isolate: Isolate }
): SimulatedQueue {
  const { scheduler, random, sometimes, trace } = surroundings
  let pending: Waiting[] = []
  let waiting = 0
  let planned = false

  const accept = (bodies: readonly unknown[]) => {
    const { weather } = surroundings
    for (const body of bodies) {
      if (random.chance(weather.lostMessage)) {
        sometimes('a message was lost')
        continue
      }
      enqueue({ body, attempts: 0 }, 0)
      if (random.chance(weather.duplicated)) {
        sometimes('a message was delivered twice')
        enqueue({ body, attempts: 0 }, random.between(1, 30_000))
      }
    }
  }

  const enqueue = (message: Waiting, delayMs: number) => {
    waiting += 1
    const late = random.chance(0.1) ? random.between(10, 20_000) : 0
    scheduler.after(delayMs + late, () => {
      waiting -= 1
      pending.push(message)
      if (planned) return
      planned = true
      scheduler.after(random.between(10, 5_000), consume)
    })
  }

  const consume = () => {
    if (surroundings.stopped) {
      scheduler.after(10_000, consume)
      return
    }
    planned = false
    const batch = shuffled(pending)
    pending = []
    if (batch.length === 0) return
    waiting += 1
    const outcome = new Map<Waiting, number | 'acked'>()
    const messages = batch.map((message) => ({
      id: 'message',
      body: message.body,
      ack: () => outcome.has(message) || outcome.set(message, 'acked'),
      retry: ({ delaySeconds = 0 } = {}) =>
        outcome.has(message) || outcome.set(message, delaySeconds),
    }))
    const { done, isolate } = deliver({ messages } as unknown as MessageBatch)
    let over = false
    const finish = () => {
      if (over) return
      over = true
      waiting -= 1
      for (const message of batch) {
        const end = outcome.get(message)
        if (end === 'acked') continue
        message.attempts += 1
        if (message.attempts > MOST_RETRIES) sometimes('a message was given up after its retries')
        else enqueue(message, (end ?? 1) * 1000)
      }
      trace.note(`queue ${batch.length} messages`)
    }
    const died = isolate.died
    isolate.died = () => {
      died()
      sometimes('a consumer died with its messages')
      outcome.clear()
      finish()
    }
    void done.then(finish)
  }

  const shuffled = (messages: Waiting[]) => {
    for (let last = messages.length - 1; last > 0; last--) {
      const other = random.below(last + 1)
      ;[messages[last], messages[other]] = [messages[other]!, messages[last]!]
    }
    return messages
  }

  const send = (isolate: Isolate, bodies: readonly unknown[]) =>
    travel(surroundings, isolate, { to: 'queue', what: 'send', arrive: () => accept(bodies) })
  return {
    boundTo: (isolate) => ({
      send: (body) => send(isolate, [body]),
      sendBatch: (messages) =>
        send(
          isolate,
          messages.map(({ body }) => body)
        ),
    }),
    waiting: () => waiting + pending.length,
  }
}
