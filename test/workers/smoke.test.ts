import { exports } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import './setup.ts'

it('answers on /healthz', async () => {
  const worker = (exports as unknown as { default: Fetcher }).default
  const response = await worker.fetch('http://seatgate.test/healthz')
  expect(response.status).toBe(200)
})
