import { createPrivateKey, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  eventLeaf,
  exportLines,
  generateLogKey,
  GrowingTree,
  openCheckpoint,
  verifyExport,
} from '../../src/proof/index.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { browse, url } from './browsing.ts'

const EVENTS = 100_000
const ORIGIN = 'audit.example/acme'
const LONGEST_TASK_MS = 50
const MOST_TIMES_AS_LONG = 8

let directory: TemporaryDirectory

beforeAll(async () => {
  directory = await temporaryDirectory()
})

afterAll(() => directory.remove())

function event(sequence: number) {
  return {
    id: `event-${sequence}`,
    organizationId: 'acme',
    sequence,
    action: 'organization.rename',
    metadata: { old_name: `Acmé ${sequence}`, new_name: '😀' },
    actorId: 'ada',
    outcome: 'success',
    occurredAt: '2030-01-01T00:00:00.000Z',
    personalDigest: null,
    personal: null,
  }
}

/** Writes a sealed export of so many events. Returns its signed checkpoint and the key to verify it with. */
async function sealedExport(file: string) {
  const tree = new GrowingTree()
  const lines: string[] = []
  for (let sequence = 1; sequence <= EVENTS; sequence += 1) {
    const one = event(sequence)
    const leaf = eventLeaf(one)
    tree.append(leaf)
    lines.push(JSON.stringify({ ...one, leafHash: Buffer.from(leaf).toString('base64') }))
  }
  const counted = { events: EVENTS, truncated: false, throughSequence: EVENTS }
  lines.push(JSON.stringify({ type: 'seatgate.audit.export', version: 1, ...counted }), '')
  await writeFile(file, lines.join('\n'))
  const { privateKey, publicKey } = await generateLogKey('audit.example')
  const root = Buffer.from(tree.root).toString('base64')
  const text = `${ORIGIN}\n${EVENTS}\n${root}\n`
  return { publicKey, note: `${text}\n${signed(privateKey, text)}\n` }
}

// The format of C2SP: a name, and the id of the key before the signature.
function signed(privateKey: string, text: string): string {
  const [, , name = '', id = '', ...rest] = privateKey.split('+')
  const seed = Buffer.from(rest.join('+'), 'base64').subarray(1)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), key)])
  return `— ${name} ${signature.toString('base64')}`
}

it('proves 100,000 events without a task of more than 50 ms in the page', async () => {
  const file = join(directory.path, 'export')
  const { publicKey, note } = await sealedExport(file)
  const notePath = join(directory.path, 'note')
  const htmlPath = join(directory.path, 'page.html')
  await writeFile(notePath, note)
  await writeFile(htmlPath, await (await fetch(url('/verification.html'))).text())

  const checkpoint = await openCheckpoint(note, [publicKey])
  if (checkpoint === null) throw new Error('The checkpoint cannot be opened.')
  const begun = performance.now()
  const { proven } = await verifyExport(exportLines([await readFile(file)]), [checkpoint])
  const inNode = performance.now() - begun
  expect(proven).toBe(EVENTS)

  const page = await browse()
  await page.goto(`file://${htmlPath}`)
  await page.getByLabel('Trusted public key').fill(publicKey)
  await page.getByLabel('Export (NDJSON)').setInputFiles(file)
  await page.getByLabel('Signed checkpoint').setInputFiles(notePath)
  await page.evaluate(() => {
    const tasks: number[] = []
    Object.assign(globalThis, { tasks, clicked: 0 })
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration)
    }).observe({ entryTypes: ['longtask'] })
  })

  // Other work on the machine makes a short task long, but not in each of three runs.
  const runs: { readonly tasks: readonly number[]; readonly took: number }[] = []
  for (let run = 0; run < 3 && !runs.some(({ tasks }) => tasks.length === 0); run += 1) {
    await page.evaluate(() => {
      const state = globalThis as unknown as { tasks: number[]; clicked: number }
      state.tasks.length = 0
      state.clicked = performance.now()
    })
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(/Reading: /).waitFor()
    await page.getByText('Proven: all 100,000 events.').waitFor({ timeout: 120_000 })
    runs.push(
      await page.evaluate(() => {
        const { tasks, clicked } = globalThis as unknown as { tasks: number[]; clicked: number }
        return { tasks: [...tasks], took: performance.now() - clicked }
      })
    )
  }
  const took = Math.min(...runs.map((run) => run.took))
  const ratio = took / inNode
  console.log(
    `100,000 events: ${Math.round(took)} ms in the browser, ${Math.round(inNode)} ms in Node, ` +
      `ratio ${ratio.toFixed(2)}`
  )
  const longest = runs.map(({ tasks }) => Math.max(0, ...tasks))
  expect(Math.min(...longest)).toBeLessThan(LONGEST_TASK_MS)
  expect(ratio).toBeLessThan(MOST_TIMES_AS_LONG)
})
