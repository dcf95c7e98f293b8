import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { AuditEvent } from './client.ts'

export interface Delivery {
  /** What the receiver answered; only a 2xx counts as received. */
  readonly status: number
  readonly isSigned: boolean
  /** The header, if there was one. */
  readonly traceparent: string | undefined
  readonly event: AuditEvent & { readonly organizationId: string }
}

export interface Answer {
  readonly status: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Iterable<string>
}

export interface ReceiverOptions {
  readonly secret: string
  /** The answer to the delivery with this number, from 1. Default 204. */
  readonly answer?: (number: number) => Answer
}

export type WebhookReceiver = Awaited<ReturnType<typeof startReceiver>>

const TOLERANCE_SECONDS = 300

/** A customer's log system: takes Standard Webhooks on a loopback port and remembers them. */
export async function startReceiver({ secret, answer = () => ({ status: 204 }) }: ReceiverOptions) {
  const deliveries: Delivery[] = []
  let requests = 0
  async function take(request: IncomingMessage): Promise<Answer> {
    requests += 1
    const body = await text(request)
    const { data } = JSON.parse(body) as { data: Delivery['event'] }
    const answered = answer(deliveries.length + 1)
    const isSigned = hasValidSignature(request, body, secret)
    const traceparent = request.headers['traceparent']?.toString()
    deliveries.push({ status: answered.status, isSigned, traceparent, event: data })
    return answered
  }
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      status,
      headers,
      body = '',
    } = await take(request).catch((): Answer => ({ status: 400 }))
    response.writeHead(status, headers)
    await pipeline(Readable.from(body), response)
  }
  const server = createServer((request, response) => {
    // Whoever hangs up before the end does not want the rest.
    respond(request, response).catch(() => {})
  })

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })

  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    deliveries,
    /** How often it was asked for anything at all. */
    requests: () => requests,
    /** What was accepted for one organization, each event once, in order of first arrival. */
    received(organizationId: string): Delivery['event'][] {
      const events = deliveries
        .filter(({ status, event }) => status < 300 && event.organizationId === organizationId)
        .map(({ event }) => event)
      return [...new Map(events.map((event) => [event.id, event])).values()]
    },
    stop,
    /** Comes back on the same address. */
    restart: () => listen(port),
  }
}

function hasValidSignature(request: IncomingMessage, body: string, secret: string): boolean {
  const id = request.headers['webhook-id']
  const timestamp = request.headers['webhook-timestamp']
  const signatures = String(request.headers['webhook-signature'] ?? '').split(' ')
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret)
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return signatures.some((signature) => isSame(signature, `v1,${expected}`))
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
