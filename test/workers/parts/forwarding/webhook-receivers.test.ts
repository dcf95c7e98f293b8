import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  forwardOrganization,
  listSinks,
  resumeSink,
  webhookSink,
  type AuditEvent,
} from '../../../../src/index.ts'
import {
  addEvents,
  byOperator,
  clocked,
  cursorOf,
  isInOutbox,
  lettersOf,
  organizationWith,
  rename,
  upTo,
  silence,
  standingTimers,
  unwrap,
} from '../../../kit/index.ts'

type Answer = (signal: AbortSignal) => Response | Promise<Response>

/** A webhook that answers as it is told to, by the sequence of what it got and what it took. */
function webhookThat(answer: Answer) {
  const [attempts, taken]: [number[], number[]] = [[], []]
  const post = async (_url: unknown, { body, signal }: RequestInit) => {
    const { data } = JSON.parse(body as string) as { data: AuditEvent }
    attempts.push(data.sequence)
    const response = await answer(signal!)
    if (response.ok) taken.push(data.sequence)
    return response
  }
  const url = 'https://logs.example.com/audit'
  const sink = webhookSink({ url, secret: null, fetch: post as unknown as typeof fetch })
  return { ...clocked([sink]), attempts, taken }
}

describe('a receiver that answers 429 for an hour', () => {
  const HOUR = 3600

  it.each([
    // After 1, 2, 4, … 2,048 seconds: the thirteenth comes when 4,095 are over.
    ['without Retry-After', undefined, 12, 4095],
    ['with a Retry-After of a minute', () => 60, 12, 4392],
    ['with a Retry-After of what is left', (left: number) => left, 1, 3600],
    ['with a Retry-After of nothing', () => 0, 12, 4095],
  ])(
    'gets all in order afterwards, %s [FWD-29 FWD-33]',
    async (_what, retryAfter, refused, seconds) => {
      const busy = () => {
        const left = HOUR - (kit.clock.now - began) / 1000
        if (left <= 0) return new Response(null)
        const headers = retryAfter && { 'retry-after': String(retryAfter(left)) }
        return new Response('slow down', { status: 429, ...(headers && { headers }) })
      }
      const kit = webhookThat(busy)
      const { seatgate, clock, later, attempts, taken } = kit
      const id = await organizationWith(seatgate)
      const began = clock.now
      for (let wait: number | null = 0; wait !== null;) {
        later(wait)
        await rename(seatgate, id, `At ${clock.now}`)
        wait = await forwardOrganization(seatgate, id)
      }
      expect(attempts.length - taken.length).toBe(refused)
      expect((clock.now - began) / 1000).toBe(seconds)
      expect(taken).toEqual(upTo(2 + refused + 1))
      expect(await lettersOf(seatgate, id, 'webhook')).toEqual([])
      expect(await isInOutbox(id)).toBe(false)
    }
  )
})

describe('a receiver that takes an event', () => {
  const garbage = (cancel: () => Promise<void>) =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(crypto.getRandomValues(new Uint8Array(1024))),
      cancel,
    })

  it.each([
    ['HTML', () => '<!doctype html><title>Welcome</title>'],
    ['garbage that does not end', () => garbage(async () => {})],
    ['garbage that cannot be stopped', () => garbage(() => Promise.reject(new Error('no')))],
    ['garbage that is never done stopping', () => garbage(() => new Promise(() => {}))],
  ])('has it, though it says %s [FWD-30]', async (_what, body) => {
    const { seatgate, attempts, reports } = webhookThat(() => new Response(body()))
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(attempts).toEqual([1, 2])
    expect(await cursorOf(id, 'webhook')).toMatchObject({ sequence: 2, attempts: 0, error: null })
    expect(reports).toEqual([])
  })
})

describe('a receiver that does not answer', () => {
  beforeEach(standingTimers)
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it('is hung up on after ten seconds, and asked again later [FWD-30]', async () => {
    const asked = Promise.withResolvers<AbortSignal>()
    const { seatgate, attempts, reports } = webhookThat((signal) => {
      asked.resolve(signal)
      return silence(signal)
    })
    const id = await organizationWith(seatgate)
    const run = forwardOrganization(seatgate, id)
    const signal = await asked.promise
    await vi.advanceTimersByTimeAsync(9_999)
    expect(signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(signal.aborted).toBe(true)
    expect(await run).toBe(1)
    expect(attempts).toEqual([1])
    expect(reports).toMatchObject([{ error: { name: 'TimeoutError' } }])
    expect(await cursorOf(id, 'webhook')).toMatchObject({ sequence: 0, attempts: 1, lease: null })
  })
})

describe('a receiver that answers 410', () => {
  it('pauses its cursor, and continues at the same place when it is resumed [FWD-33]', async () => {
    let gone = true
    const { seatgate, attempts, taken, later } = webhookThat(() =>
      gone ? new Response(null, { status: 410 }) : new Response(null)
    )
    const id = await organizationWith(seatgate)
    await addEvents(id, 3)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    later(86_400)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(attempts).toEqual([1])
    const status = async () => unwrap(await listSinks(seatgate, byOperator(id))).data
    expect(await status()).toMatchObject([
      { id: 'webhook', sequence: 0, lag: 5, pausedReason: 'status_410', deadLetters: 0 },
    ])
    gone = false
    unwrap(await resumeSink(seatgate, byOperator(id), 'webhook'))
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(taken).toEqual(upTo(6))
    expect(await status()).toMatchObject([{ sequence: 6, lag: 0, pausedReason: null }])
  })
})
