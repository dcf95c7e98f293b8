import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  renameOrganization,
  webhookSink,
  type AuditEvent,
} from '../../../../src/index.ts'
import type { WebhookSinkOptions } from '../../../../src/index.ts'
import { clocked, cursorOf, organizationWith, owners, upTo } from '../../../kit/index.ts'

const SECRET = 'whsec_plJ3nmyCDGBKInavdOK15jsl'
const NOW = new Date('2026-11-20T12:34:56.789Z')
const event: AuditEvent = {
  id: 'event-1',
  organizationId: 'acme',
  sequence: 7,
  action: 'organization.rename',
  outcome: 'success',
  actorType: 'user',
  actorId: 'ada',
  effectiveUserId: 'ada',
  targetType: 'organization',
  targetId: 'acme',
  metadata: { old_name: 'Acme', new_name: 'Zürich 💺' },
  requestId: null,
  traceId: null,
  causeEventId: null,
  idempotencyKey: null,
  insertedAt: '2026-11-21T02:51:19.822Z',
  personalDigest: null,
  personal: null,
  schemaVersion: 1,
  occurredAt: '2026-11-20T12:00:00.000Z',
}

interface Posted {
  readonly url: string
  readonly init: RequestInit
  readonly headers: Headers
  readonly body: string
}

/** A webhook that remembers what was posted, and answers as it is told to. */
function receiver(answer: () => Response | Promise<Response> = () => new Response(null)) {
  const posted: Posted[] = []
  const post = async (url: RequestInfo | URL, init: RequestInit = {}) => {
    posted.push({
      url: url as string,
      init,
      headers: new Headers(init.headers),
      body: init.body as string,
    })
    return answer()
  }
  const sink = (options: Partial<WebhookSinkOptions> = {}) =>
    webhookSink({
      url: 'https://logs.example.com/audit',
      secret: SECRET,
      fetch: post as typeof fetch,
      now: () => NOW,
      ...options,
    })
  return { posted, sink }
}

/** Checks a signature as a receiver would: independently of the code that makes it. */
async function verifies(key: Uint8Array<ArrayBuffer>, text: string, header: string) {
  const [version, signature = ''] = header.split(',')
  const bytes = Uint8Array.from(atob(signature), (char) => char.charCodeAt(0))
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['verify'])
  const right = await crypto.subtle.verify('HMAC', imported, bytes, new TextEncoder().encode(text))
  return version === 'v1' && right
}
const base64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text))

describe('the posted request', () => {
  it('is one signed request with type, timestamp and the event', async () => {
    const { posted, sink } = receiver()
    expect(await sink().deliver(event)).toEqual({ outcome: 'delivered' })
    expect(posted).toHaveLength(1)
    const { url, init, headers, body } = posted[0]!
    expect([url, init.method]).toEqual(['https://logs.example.com/audit', 'POST'])
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('webhook-id')).toBe('event-1')
    expect(headers.get('webhook-timestamp')).toBe('1795178096')
    expect(JSON.parse(body)).toEqual({
      type: 'organization.rename',
      timestamp: '2026-11-20T12:00:00.000Z',
      data: event,
    })
  })

  it.each([
    ['whsec_ and base64', SECRET, base64(SECRET.slice(6))],
    ['any text', 'a plain sécret', utf8('a plain sécret')],
  ])(
    'carries a signature that verifies, with a secret of %s [FWD-47]',
    async (_what, secret, key) => {
      const { posted, sink } = receiver()
      await sink({ secret }).deliver(event)
      const { headers, body } = posted[0]!
      const signature = headers.get('webhook-signature') ?? ''
      const text = `event-1.1795178096.${body}`
      expect(await verifies(key, text, signature)).toBe(true)
      expect(await verifies(key, text.replace('event-1', 'event-2'), signature)).toBe(false)
      expect(await verifies(key, `${text} `, signature)).toBe(false)
      expect(await verifies(utf8('another'), text, signature)).toBe(false)
    }
  )

  it('is checked here by a verifier that knows the example of Standard Webhooks', async () => {
    const text = 'msg_loFOjxBNrRLzqYUf.1731705121.{"event_type":"ping","data":{"success":true}}'
    const signature = 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0='
    expect(await verifies(base64(SECRET.slice(6)), text, signature)).toBe(true)
  })

  it('keeps the event’s id over every attempt, and takes the time again', async () => {
    const times = [new Date(1000), new Date(62_000)]
    const { posted, sink } = receiver()
    const own = sink({ now: () => times.shift() ?? NOW })
    await own.deliver(event)
    await own.deliver(event)
    expect(posted.map(({ headers }) => headers.get('webhook-id'))).toEqual(['event-1', 'event-1'])
    expect(posted.map(({ headers }) => headers.get('webhook-timestamp'))).toEqual(['1', '62'])
    expect(posted[0]!.body).toBe(posted[1]!.body)
  })

  it('never follows a redirect, and is given a time limit [FWD-49]', async () => {
    const { posted, sink } = receiver(
      () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } })
    )
    expect(await sink().deliver(event)).toEqual({ outcome: 'retry', reason: 'status_302' })
    expect(posted).toHaveLength(1)
    expect(posted[0]!.init.redirect).toBe('manual')
    expect(posted[0]!.init.signal).toBeInstanceOf(AbortSignal)
  })

  it('does not leave the answer’s body hanging', async () => {
    let cancelled = false
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => {
        cancelled = true
      },
    })
    const { sink } = receiver(() => new Response(body))
    await sink().deliver(event)
    expect(cancelled).toBe(true)
  })
})

describe('the meaning of an answer', () => {
  it.each([[200], [201], [202], [204], [299]])('%i is a delivery', async (status) => {
    const { sink } = receiver(() => new Response(null, { status }))
    expect(await sink().deliver(event)).toEqual({ outcome: 'delivered' })
  })

  it.each([[400], [401], [403], [404], [405], [409], [413], [422], [451]])(
    '%i is permanent [FWD-34]',
    async (status) => {
      const { sink } = receiver(() => new Response('no', { status }))
      expect(await sink().deliver(event)).toEqual({
        outcome: 'permanent',
        reason: `status_${status}`,
      })
    }
  )

  it('410 pauses the sink [FWD-33]', async () => {
    const { sink } = receiver(() => new Response('gone', { status: 410 }))
    expect(await sink().deliver(event)).toEqual({ outcome: 'pause', reason: 'status_410' })
  })

  it.each([[301], [307], [308], [408], [425], [429], [500], [503]])(
    '%i is not [FWD-34]',
    async (status) => {
      const { sink } = receiver(() => new Response('no', { status }))
      expect(await sink().deliver(event)).toEqual({ outcome: 'retry', reason: `status_${status}` })
    }
  )

  it.each([
    ['120', 120],
    ['86400', 86_400],
    // However long: the forwarder knows where to end.
    ['86401', 86_401],
    ['9'.repeat(21), 1e21],
    [new Date(NOW.getTime() + 90_000_000).toUTCString(), 90_000],
    ['0', undefined],
    ['-5', undefined],
    [new Date(NOW.getTime() + 61_000).toUTCString(), 61],
    [new Date(NOW.getTime() - 61_000).toUTCString(), undefined],
    ['soon', undefined],
  ])('Retry-After %s makes it wait %s seconds [FWD-33]', async (header, afterSeconds) => {
    const { sink } = receiver(
      () => new Response(null, { status: 429, headers: { 'retry-after': header } })
    )
    expect(await sink().deliver(event)).toEqual({
      outcome: 'retry',
      reason: 'status_429',
      ...(afterSeconds !== undefined && { afterSeconds }),
    })
  })
})

describe('forwarded to', () => {
  it('gets every event in order, over three failed answers', async () => {
    const answers = [
      () => Promise.reject(new TypeError('connection refused')),
      () => new Response(null, { status: 500 }),
      () => new Response(null, { status: 302, headers: { location: '/login' } }),
    ]
    const { posted, sink } = receiver(() => answers.shift()?.() ?? new Response(null))
    const { seatgate, later } = clocked([sink()])
    const id = await organizationWith(seatgate, 2)
    const reasons: unknown[] = []
    for (let wait: number | null = 0; wait !== null; later(wait ?? 0)) {
      wait = await forwardOrganization(seatgate, id)
      if (wait !== null) reasons.push((await cursorOf(id, 'webhook'))?.error)
    }
    expect(reasons).toEqual(['error', 'status_500', 'status_302'])
    const sequences = posted.map(
      ({ body }) => (JSON.parse(body) as { data: AuditEvent }).data.sequence
    )
    expect(sequences).toEqual([1, 1, 1, ...upTo(4)])
    const ids = posted.map(({ headers }) => headers.get('webhook-id'))
    expect(new Set(ids).size).toBe(4)
  })

  it.each([
    ['a number of 13 hours', '46800', 46_800],
    ['a number of just over a day', '86401', 86_400],
    ['a number without end', '9'.repeat(400), 86_400],
    ['a date in two days', new Date(NOW.getTime() + 172_800_000).toUTCString(), 86_400],
  ])(
    'is left alone as long as its Retry-After says, a day at most, with %s [FWD-33]',
    async (_what, header, seconds) => {
      const headers = { 'retry-after': header }
      const answers = [() => new Response(null, { status: 429, headers })]
      const { posted, sink } = receiver(() => answers.shift()?.() ?? new Response(null))
      const { seatgate, later } = clocked([sink()])
      const id = await organizationWith(seatgate)
      expect(await forwardOrganization(seatgate, id)).toBe(seconds)
      later(seconds - 0.001)
      expect(await forwardOrganization(seatgate, id)).toBeNull()
      expect(posted).toHaveLength(1)
      later(0.001)
      expect(await forwardOrganization(seatgate, id)).toBeNull()
      expect(posted).toHaveLength(3)
    }
  )

  it('gets only the actions that it takes', async () => {
    const { posted, sink } = receiver()
    const { seatgate } = clocked([sink({ accepts: (action) => action === 'seat.assigned' })])
    await forwardOrganization(seatgate, await organizationWith(seatgate, 2))
    expect(posted.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'seat.assigned',
    ])
  })
})

describe('the address', () => {
  const make = (url: string, allowLoopback = false) =>
    webhookSink({ url, secret: SECRET, allowLoopback })

  it.each([
    ['https://logs.example.com/audit'],
    ['https://logs.example.com:8443/audit?x=1'],
    ['https://127.example.com/'],
    ['https://localhost.example.com/'],
  ])('takes %s [FWD-49]', (url) => {
    expect(() => make(url)).not.toThrow()
  })

  // Their names say nothing of it, and what they resolve to a Worker does not see: docs/forwarding.md.
  it.each([['https://127.0.0.1.nip.io/'], ['https://inside.example.com/']])(
    'takes %s, wherever that may lead',
    (url) => {
      expect(() => make(url)).not.toThrow()
    }
  )

  it.each([
    [''],
    ['logs.example.com'],
    ['/audit'],
    ['http://logs.example.com/'],
    ['ftp://logs.example.com/'],
    ['file:///etc/passwd'],
    ['javascript:alert(1)'],
    ['https://ada:secret@logs.example.com/'],
    ['https://ada@logs.example.com/'],
    ['https://localhost/'],
    ['https://LOCALHOST/'],
    ['https://127.0.0.1/'],
    ['https://127.1/'],
    ['https://2130706433/'],
    ['https://0x7f.0.0.1/'],
    ['https://0177.0.0.1/'],
    ['https://127.0.0.1./'],
    ['https://10.0.0.1/'],
    ['https://192.168.1.1/'],
    ['https://169.254.169.254/latest/meta-data'],
    ['https://0.0.0.0/'],
    ['https://8.8.8.8/'],
    ['https://[::1]/'],
    ['https://[::ffff:127.0.0.1]/'],
    ['https://[fd00::1]/'],
  ])('refuses %s, naming the option [FWD-49]', (url) => {
    expect(() => make(url)).toThrow(/^webhookSink: url /)
  })

  it.each([['https://localhost./'], ['https://api.localhost/'], ['https://metadata.localhost./']])(
    'refuses %s, which is this machine too [FWD-49]',
    (url) => {
      expect(() => make(url)).toThrow(/^webhookSink: url /)
    }
  )

  it.each([['http://localhost:9900/hook'], ['http://127.0.0.1:9900/'], ['http://[::1]:9900/']])(
    'takes %s only in development',
    (url) => {
      expect(() => make(url, true)).not.toThrow()
      expect(() => make(url)).toThrow(/^webhookSink: url must be https/)
    }
  )

  it.each([
    ['http://logs.example.com/'],
    ['http://10.0.0.1/'],
    ['http://127.0.0.1.example.com/'],
    ['ftp://localhost/'],
    ['http://ada@localhost/'],
  ])('refuses %s even in development', (url) => {
    expect(() => make(url, true)).toThrow(/^webhookSink: url /)
  })
})

describe('the address is a public name by its form [B16]', () => {
  const long = 'a'.repeat(63)
  const taken = [
    'logs.example.com',
    'logs.example.co.uk',
    '3com.example.com',
    'my_bucket.example.com',
    'b\u00fccher.example.com',
    'logs.xn--p1ai',
    `${long}.example.com`,
    'default.example.com',
    'local.example.com',
    'svc.example.com',
  ]
  const refused = [
    'localhost.localdomain',
    'kubernetes.default.svc',
    'a..example',
    'kubernetes',
    'redis',
    'kubernetes.default',
    'kubernetes.default.svc.cluster.local',
    'db.production.svc.cluster',
    'kube-dns.kube-system',
    'vault.service.consul',
    'app.docker',
    'host.docker.internal',

    'printer.local',
    'nas.lan',
    'nas.home',
    'nas.home.arpa',
    '1.0.0.127.in-addr.arpa',
    'x.arpa',

    'a.test',
    'a.example',
    'a.invalid',
    'a.localhost',
    'a.onion',
    'a.alt',
    'a.i2p',
    'a.localnet',
    'a.corp',
    'a.mail',
    'a.private',
    'a.intranet',
    'a.intra',
    'a.internal',
    'a.workgroup',
    'a.router',
    'a.gateway',
    'a.domain',
    'a.default',
    'a.pod',
    'a.nomad',
    'a.lxd',
    'a.mesh',

    'logs.example.com.',
    'logs.example.com..',
    '.example.com',
    'logs..example.com',
    '.',
    'com.',

    `a${long}.example.com`,
    `${`${long}.`.repeat(4)}com`,
    'a.1',
    'a.123',
    'a.0x1',
    'a.c',
    'a.1a',

    '-a.example.com',
    'a-.example.com',
    'a.example.-com',
    'a.example.com-',
    'LOCALHOST.LOCALDOMAIN',

    'KUBERNETES.Default.Svc',
    'a\u3002\u3002example.com',
    'a.\uff4cocal',
    'a.loc%61l',
    'a.local%2e',
  ]
  const make = (name: string, allowLoopback: boolean) =>
    webhookSink({ url: `https://${name}/`, secret: SECRET, allowLoopback })

  it.each(taken)('takes https://%s/ [B16]', (name) => {
    expect(() => make(name, false)).not.toThrow()
  })

  it.each(refused)(
    'refuses https://%s/ with a TypeError, in production and in development [B16]',
    (name) => {
      for (const allowLoopback of name === 'a.localhost' ? [false] : [false, true]) {
        expect(() => make(name, allowLoopback)).toThrow(TypeError)
        expect(() => make(name, allowLoopback)).toThrow(/^webhookSink: url /)
      }
    }
  )
})

describe('the secret', () => {
  it.each([[''], ['whsec_'], ['whsec_%%%']])('refuses %j, naming the option', (secret) => {
    expect(() => webhookSink({ url: 'https://logs.example.com/', secret })).toThrow(
      /^webhookSink: secret /
    )
  })
})

describe('the trace of a request', () => {
  const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'

  it('continues with its events, in a span of the event that repeats keep', async () => {
    const { posted, sink } = receiver()
    const traced = { ...event, traceId: TRACE_ID }
    await sink().deliver(traced)
    await sink().deliver(traced)
    await sink().deliver({ ...traced, id: 'event-2' })
    const [first, again, other] = posted.map(({ headers }) => headers.get('traceparent'))
    expect(first).toMatch(new RegExp(`^00-${TRACE_ID}-(?!0{16})[0-9a-f]{16}-01$`))
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  it('continues from the change to the webhook, and to no event of another request', async () => {
    const { posted, sink } = receiver()
    const { seatgate } = clocked([sink()])
    const id = await organizationWith(seatgate)
    const caller = { userId: owners.get(id)! }
    const scope = { caller, organization: id, origin: { traceId: TRACE_ID } }
    expect((await renameOrganization(seatgate, scope, { name: 'New' })).ok).toBe(true)
    await forwardOrganization(seatgate, id)
    const traces = posted.map(({ headers }) => headers.get('traceparent')?.split('-')[1] ?? null)
    expect(traces).toEqual([null, null, TRACE_ID])
  })

  it.each([null, '0'.repeat(32), TRACE_ID.toUpperCase(), `${TRACE_ID}0`, 'x\r\ny', '[redacted]'])(
    'is not sent if it is no trace id: %j',
    async (traceId) => {
      const { posted, sink } = receiver()
      await sink().deliver({ ...event, traceId })
      expect(posted[0]?.headers.has('traceparent')).toBe(false)
    }
  )
})
