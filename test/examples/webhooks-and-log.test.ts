import { createMessageBatch, getQueueResult, createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { generateLogKey } from 'seatgate'
import { openCheckpoint, verifyExport } from 'seatgate/proof'
import { Webhook } from 'standardwebhooks'
import { afterEach, expect, it, vi } from 'vitest'
import { withBindings, requestOf } from './bindings.ts'
import { testEnv } from '../kit/index.ts'

const AUDIT_WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

afterEach(() => vi.unstubAllGlobals())

it('examples/webhooks-and-log forwards signed events and proves the log', async () => {
  const { privateKey, publicKey } = await generateLogKey('audit.example.com')
  const bindings = {
    AUDIT_LOG_KEY: privateKey,
    AUDIT_WEBHOOK_SECRET,
    AUDIT_WEBHOOK_URL: 'https://logs.example.com/audit',
    AUDIT_QUEUE: { send: async () => {}, sendBatch: async () => {} } as unknown as Queue,
    CHECKPOINTS: testEnv.TEST_BUCKET,
  }
  const { default: worker } = await withBindings(
    bindings,
    () => import('../../examples/webhooks-and-log/worker.ts')
  )
  const received: string[] = []
  vi.stubGlobal('fetch', async (_url: unknown, { body, headers }: RequestInit) => {
    new Webhook(AUDIT_WEBHOOK_SECRET).verify(String(body), headers as Record<string, string>)
    received.push((JSON.parse(String(body)) as { type: string }).type)
    return new Response()
  })
  const ask = (method: string, path: string, body?: unknown) =>
    worker.fetch(
      new Request(
        `https://app.example.com${path}`,
        requestOf(method, { 'x-user-id': 'ann' }, body)
      ),
      env,
      createExecutionContext()
    )

  const created = await ask('POST', '/organizations', { name: 'Acme' })
  const { id: organizationId } = await created.json<{ id: string }>()
  const batch = createMessageBatch('my-audit', [
    { id: '1', timestamp: new Date(), attempts: 1, body: { organizationId } },
  ])
  await withBindings(bindings, () => worker.queue(batch))
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext())
  expect(explicitAcks).toEqual(['1'])
  expect(received).toContain('organization.create')

  const [kept] = (await testEnv.TEST_BUCKET.list({ prefix: `${organizationId}/` })).objects
  const note = await (await testEnv.TEST_BUCKET.get(kept!.key))!.text()
  const checkpoint = await openCheckpoint(note, [publicKey])
  expect(checkpoint).toMatchObject({ size: received.length })
  const exported = await (await ask('GET', '/organizations/acme/audit/export')).text()
  const verified = await verifyExport(exported.trimEnd().split('\n'), [checkpoint!])
  expect(verified).toMatchObject({ finding: null, proven: received.length })
})
