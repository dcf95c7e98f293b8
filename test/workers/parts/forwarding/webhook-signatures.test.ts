import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { webhookSink } from '../../../../src/index.ts'
import type { AuditEvent, WebhookSinkOptions } from '../../../../src/index.ts'

const event = {
  id: 'e1',
  action: 'organization.rename',
  occurredAt: '2030-01-01T00:00:00.000Z',
  metadata: { new_name: 'Zürich 💺' },
} as unknown as AuditEvent
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes))
const bytes = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
const secretOf = (fill: number) => `whsec_${base64(new Uint8Array(32).fill(fill))}`

async function posted(
  secret: string | readonly string[],
  options: Partial<WebhookSinkOptions> = {},
  sending = event
) {
  let sent: { body: string; headers: Record<string, string> } | null = null
  const sink = webhookSink({
    url: 'https://logs.example.com/audit',
    secret,
    ...options,
    fetch: (async (_url: string, { body, headers }: RequestInit) => {
      sent = { body: body as string, headers: headers as Record<string, string> }
      return new Response(null)
    }) as unknown as typeof fetch,
  })
  expect(await sink.deliver(sending)).toEqual({ outcome: 'delivered' })
  return sent!
}

describe('signatures, as the published verifier of Standard Webhooks sees them', () => {
  it('are right, over id, timestamp and the exact body [FWD-47]', async () => {
    const { body, headers } = await posted(secretOf(1))
    const webhook = new Webhook(secretOf(1))
    expect(webhook.verify(body, headers)).toMatchObject({ type: 'organization.rename' })
    const wrong = (text: string, more: object) => () =>
      webhook.verify(text, { ...headers, ...(more as Record<string, string>) })
    expect(wrong(`${body} `, {})).toThrow(WebhookVerificationError)
    expect(wrong(body, { 'webhook-id': 'e2' })).toThrow(WebhookVerificationError)
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(wrong(body, { 'webhook-timestamp': later })).toThrow(WebhookVerificationError)
    expect(() => new Webhook(secretOf(2)).verify(body, headers)).toThrow(WebhookVerificationError)
  })

  it('while one key takes the place of another, both verify [FWD-47]', async () => {
    const { body, headers } = await posted([secretOf(2), secretOf(1)])
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const fill of [1, 2]) {
      expect(new Webhook(secretOf(fill)).verify(body, headers)).toBeTruthy()
    }
    expect(() => new Webhook(secretOf(3)).verify(body, headers)).toThrow(WebhookVerificationError)
  })
})

describe('a signature that receivers can verify and not make', () => {
  it.each([
    ['32 bytes', (seed: Uint8Array, _open: Uint8Array) => seed],
    ['64 bytes', (seed: Uint8Array, open: Uint8Array) => new Uint8Array([...seed, ...open])],
  ])('is v1a, with a key of %s [FWD-47]', async (_what, form) => {
    const pair = (await crypto.subtle.generateKey('Ed25519', true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair
    const jwk = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as { d: string; x: string }
    const raw = (text: string) => bytes(text.replaceAll('-', '+').replaceAll('_', '/'))
    const key = `whsk_${base64(form(raw(jwk.d), raw(jwk.x)))}`
    const { body, headers } = await posted([key, secretOf(1)])
    const [first, second] = headers['webhook-signature']!.split(' ')
    expect([first!.slice(0, 4), second!.slice(0, 3)]).toEqual(['v1a,', 'v1,'])
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const verified = (text: string) =>
      crypto.subtle.verify(
        'Ed25519',
        pair.publicKey,
        bytes(first!.slice(4)),
        new TextEncoder().encode(text)
      )
    expect(await verified(signed)).toBe(true)
    expect(await verified(`${signed} `)).toBe(false)
    // Who knows v1 alone takes the signature that they know.
    expect(new Webhook(secretOf(1)).verify(body, headers)).toBeTruthy()
  })

  it.each(['whsk_', 'whsk_AAAA', 'whsk_!', `whsk_${base64(new Uint8Array(33))}`])(
    'is not made with %j',
    (secret) => {
      const make = () => webhookSink({ url: 'https://logs.example.com', secret })
      expect(make).toThrow(TypeError)
      expect(make).not.toThrow(/AAAA/)
    }
  )

  it('is not left out by an empty list of keys', () => {
    expect(() => webhookSink({ url: 'https://logs.example.com', secret: [] })).toThrow(/secret/)
  })
})

describe('a CloudEvent', () => {
  it('has the members of version 1.0, and is signed like any body', async () => {
    const told = {
      ...event,
      organizationId: 'acme',
      sequence: 7,
      targetType: 'user',
      targetId: 'bob',
    } as AuditEvent
    const cloudEvents = { source: 'https://app.example.com', typePrefix: 'com.example.' }
    const { body, headers } = await posted(secretOf(1), { cloudEvents }, told)
    expect(headers['content-type']).toBe('application/cloudevents+json')
    expect(new Webhook(secretOf(1)).verify(body, headers)).toEqual({
      specversion: '1.0',
      id: 'e1',
      source: 'https://app.example.com',
      type: 'com.example.organization.rename',
      time: '2030-01-01T00:00:00.000Z',
      subject: 'user/bob',
      datacontenttype: 'application/json',
      partitionkey: 'acme',
      sequence: '000000000007',
      data: told,
    })
    // The names of attributes are lower-case letters and digits, as the specification has it.
    for (const name of Object.keys(JSON.parse(body))) expect(name).toMatch(/^[a-z0-9]{1,20}$/)
  })

  it('has no subject where the event has no target', async () => {
    const { body } = await posted(secretOf(1), { cloudEvents: { source: '/app' } })
    expect(JSON.parse(body)).not.toHaveProperty('subject')
  })

  it.each(['', 'a b', undefined])('is not made with the source %j', (source) => {
    const cloudEvents = { source: source as string }
    const make = () => webhookSink({ url: 'https://logs.example.com', secret: null, cloudEvents })
    expect(make).toThrow(/source/)
  })
})

describe('where a webhook may be', () => {
  it.each([
    'https://db.internal',
    'https://metadata.google.internal/computeMetadata',
    'https://printer.local',
    'https://router.lan.',
    'https://intranet',
    'https://169.254.169.254/latest/meta-data',
    'https://0xa9fea9fe/',
    'https://2852039166/',
    'https://0251.0376.0251.0376/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://10.0.0.1./',
    'http://logs.example.com',
  ])('not at %s [FWD-49]', (url) => {
    expect(() => webhookSink({ url, secret: null, allowLoopback: true })).toThrow(TypeError)
  })

  it('at a name that is public by its form, over https [FWD-49]', () => {
    expect(webhookSink({ url: 'https://logs.example.com', secret: null }).id).toBe('webhook')
  })
})
