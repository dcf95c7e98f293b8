import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateLogKey } from '../../src/proof/index.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import {
  actAs,
  addMember,
  ask,
  browse,
  expectAccessible,
  expectNoOverflow,
  found,
  PATIENCE_SECONDS,
  tolerate,
  url,
  type Founded,
} from './browsing.ts'

interface Checkpoint {
  readonly checkpoint: string | null
  readonly unsealed: number
  readonly size: number
  readonly publicKey: string
}

/** Waits until every event of an organization is sealed. */
function sealed({ id, token }: Founded): Promise<Checkpoint & { readonly checkpoint: string }> {
  return waitFor('a checkpoint of all events', PATIENCE_SECONDS, async () => {
    const path = `/organizations/${id}/audit/checkpoint`
    const found = (await ask(token, 'GET', path)) as Checkpoint
    return found.checkpoint !== null && found.unsealed === 0
      ? { ...found, checkpoint: found.checkpoint }
      : undefined
  })
}

let directory: TemporaryDirectory

beforeAll(async () => {
  directory = await temporaryDirectory()
})

afterAll(() => directory.remove())

describe('the audit page', () => {
  it('shows events by day with their details, and filters them', async () => {
    const acme = await found('Audited', { seats: 5 })
    await addMember(acme)
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/audit`))
    await page.getByText('Member added').first().click()
    await page.getByText('organization.member_add').waitFor()
    await expectNoOverflow(page)
    await expectAccessible(page)
    await page.getByText('Filter', { exact: true }).first().click()
    await page.getByLabel('Action begins with').fill('seat.')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByText('Limit changed').first().waitFor()
    expect(await page.getByText('Member added').count()).toBe(0)
    await page.goto(url(`/org/${acme.slug}/audit?action_prefix=nothing`))
    await page.getByText('No matching events.').waitFor()
    await expectAccessible(page)
  })

  it('exports the trail, and refuses a member', async () => {
    const acme = await found('Exported', { seats: 5 })
    const { token } = await addMember(acme)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/audit`))
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'NDJSON' }).click()
    const file = join(directory.path, 'exported')
    await (await download).saveAs(file)
    const text = await readFile(file, 'utf8')
    expect(text.split('\n')[0]).toContain('organization.create')
    await actAs(page, token)
    tolerate(/403/)
    expect((await page.goto(url(`/org/${acme.slug}/audit`)))?.status()).toBe(403)
    await expectAccessible(page)
  })
})

describe('the verification', () => {
  it('proves a trail with a key of the reader, remembers the key, and refuses another', async () => {
    const acme = await found('Proven', { seats: 5 })
    const { publicKey } = await sealed(acme)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/audit/verification`))
    const other = await generateLogKey('elsewhere.example')
    await page.getByLabel('Trusted public key').fill(other.publicKey)
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('The checkpoint is not signed with this key.').waitFor()
    await page.getByLabel('Trusted public key').fill(publicKey)
    await page.getByLabel('Remember this key').check()
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(/Proven: all \d+ events\./).waitFor()
    await expectAccessible(page)
    await page.reload()
    expect(await page.getByLabel('Trusted public key').inputValue()).toBe(publicKey)
  })

  it('works from one saved file, and names the line at which an export was altered', async () => {
    const acme = await found('Tampered', { seats: 5 })
    const { publicKey, checkpoint } = await sealed(acme)
    const exported = await fetch(url(`/organizations/${acme.id}/audit/export?format=ndjson`), {
      headers: { authorization: `Bearer ${acme.token}` },
    })
    const text = await exported.text()
    const lines = text.split('\n')
    const line = lines.findIndex((one) => one.includes('seat.limit_changed'))
    const altered = lines.with(line, lines[line]?.replace('"success"', '"failure"') ?? '')
    const [good, bad, note, html] = ['good', 'bad', 'note', 'page.html'].map((name) =>
      join(directory.path, name)
    ) as [string, string, string, string]
    await writeFile(good, text)
    await writeFile(bad, altered.join('\n'))
    await writeFile(note, checkpoint)
    const saved = await fetch(url('/verification.html'))
    expect(saved.headers.get('content-disposition')).toContain('attachment')
    await writeFile(html, await saved.text())

    const page = await browse()
    await page.goto(`file://${html}`)
    const verify = async (file: string) => {
      await page.getByLabel('Trusted public key').fill(publicKey)
      await page.getByLabel('Export (NDJSON)').setInputFiles(file)
      await page.getByLabel('Signed checkpoint').setInputFiles(note)
      await page.getByRole('button', { name: 'Verify' }).click()
    }
    await verify(good)
    await page.getByText(/Proven: all \d+ events\./).waitFor()
    await expectAccessible(page)
    const marks = page.locator('.blocks li')
    expect((await marks.first().innerText()).startsWith('✓ 1–')).toBe(true)
    await verify(bad)
    await page
      .getByText(`Broken at line ${line + 1}, event ${line + 1}: the event was altered.`)
      .waitFor()
    // Whole up to that line, which has a cross; no line after it is marked.
    expect(await marks.last().innerText()).toBe(`✗ ${line + 1}`)
    expect(await marks.locator('xpath=self::*[contains(., "✗")]').count()).toBe(1)
    await expectAccessible(page)
  })

  it('says through which event it is proven, and how many are younger', async () => {
    const acme = await found('Growing', { seats: 5 })
    const { publicKey, checkpoint, size } = await sealed(acme)
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: 'Grown' })
    const page = await browse()
    await actAs(page, acme.token)
    await page.route('**/audit/checkpoint', (route) => route.fulfill({ json: { checkpoint } }))
    await page.goto(url(`/org/${acme.slug}/audit/verification`))
    await page.getByLabel('Trusted public key').fill(publicKey)
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(`Proven through event ${size}.`).waitFor()
    await page.getByText(/\d+ younger events? (is|are) not sealed yet\./).waitFor()
    await expectAccessible(page)
  })

  it('says when no event is sealed yet, and when the trail cannot be read', async () => {
    const acme = await found('Young', { seats: 5 })
    const { publicKey } = await sealed(acme)
    const page = await browse()
    await actAs(page, acme.token)
    await page.route('**/audit/checkpoint', (route) =>
      route.fulfill({ json: { checkpoint: null } })
    )
    await page.goto(url(`/org/${acme.slug}/audit/verification`))
    await page.getByLabel('Trusted public key').fill(publicKey)
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('No events are sealed yet.').waitFor()
    await expectAccessible(page)
    await page.unroute('**/audit/checkpoint')
    await page.route('**/audit/export*', (route) => route.fulfill({ status: 503 }))
    tolerate(/503/)
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText('The trail could not be read: Error: HTTP 503.').waitFor()
    await expectAccessible(page)
  })

  it('names the need for scripts where there are no scripts', async () => {
    const acme = await found('Scriptless', { seats: 5 })
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/audit/verification`))
    await page.getByText('Verification runs in your browser and needs scripts.').waitFor()
  })
})
