/**
 * `npm run screenshots` writes pictures of the console's main pages into `docs/screenshots`. It starts the
 * reference host with data of its own.
 *
 * @module
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { takeNone } from './arguments.ts'
import { startBrowser } from './browser.ts'
import { startWorker } from './local-worker.ts'
import { root } from './run-wrangler.ts'
import { waitFor } from './wait-for.ts'

const FOLDER = 'docs/screenshots'
const PASSWORD = 'correct horse battery'
const PEOPLE = [
  ['Grace Hopper', 'admin'],
  ['Katherine Johnson', 'member'],
  ['Hedy Lamarr', 'member'],
  ['Radia Perlman', 'member'],
  ['Barbara Liskov', 'member'],
] as const

interface Host {
  readonly url: string
  output(): string
}

async function ask(url: string, token: string | null, method: string, path: string, body?: object) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
  const text = await response.text()
  return (text === '' ? {} : JSON.parse(text)) as Record<string, string>
}

async function signUp(url: string, name: string, email: string) {
  const body = { email, name, password: PASSWORD }
  const answer = await ask(url, null, 'POST', '/identity/sign-up', body)
  const { id } = answer['user'] as unknown as { id: string }
  return { id, token: answer['token'] ?? '' }
}

/** Fills the host with an organization, and returns its slug and the token of its owner. */
async function fill({ url }: Host) {
  const owner = await signUp(url, 'Ada Lovelace', 'ada@example.com')
  const made = await ask(url, owner.token, 'POST', '/organizations', { name: 'Northwind Tools' })
  const own = `/organizations/${made['id']}`
  for (const seats of [4, 10]) {
    const event = { event: 'checkout_completed', plan: 'team', seats }
    await ask(url, null, 'POST', `/dev/billing/${made['slug']}`, event)
  }
  for (const [name, role] of PEOPLE) {
    const email = `${name.split(' ')[0]?.toLowerCase()}@example.com`
    const { id } = await signUp(url, name, email)
    await ask(url, owner.token, 'POST', `${own}/members`, { userId: id, role })
    if (name.startsWith('Radia')) {
      await ask(url, owner.token, 'POST', `${own}/members/${id}/suspend`)
    }
  }
  for (const email of ['margaret@example.com', 'frances@example.com', 'annie@example.com']) {
    await ask(url, owner.token, 'POST', `${own}/invitations`, { email, role: 'member' })
  }
  const permissions = ['audit:read', 'billing:manage']
  await ask(url, owner.token, 'POST', `${own}/roles`, { name: 'auditor', permissions })
  for (const group of [{ name: 'Engineering' }, { name: 'Finance', role: 'auditor' }]) {
    await ask(url, owner.token, 'POST', `${own}/groups`, group)
  }
  return { token: owner.token, slug: made['slug'] ?? '' }
}

async function take(page: Page, name: string) {
  await page.screenshot({ path: join(root, FOLDER, `${name}.png`) })
}

async function takeAll(page: Page, host: Host) {
  const { token, slug } = await fill(host)
  const own = `${host.url}/org/${slug}`
  await page.context().addCookies([{ name: 'seatgate_session', value: token, url: host.url }])
  const pages = [
    'members',
    'invitations',
    'seats',
    'seats/history',
    'audit',
    'billing',
    'sinks',
    'settings',
    'roles',
    'groups',
  ]
  for (const path of pages) {
    await page.goto(`${own}/${path}`)
    await take(page, path.replace('/', '-'))
  }
  await page.goto(`${own}/members`)
  await page.getByRole('button', { name: 'Manage grace@example.com' }).click()
  await take(page, 'member')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto(`${own}/seats`)
  await take(page, 'seats-dark')
  await page.emulateMedia({ colorScheme: 'light' })

  const { publicKey } = await waitFor('a checkpoint', 30, async () => {
    const path = `/organizations/${slug}/audit/checkpoint`
    const checkpoint = await ask(host.url, token, 'GET', path)
    return checkpoint['checkpoint'] ? checkpoint : undefined
  })
  await page.goto(`${own}/audit/verification`)
  await page.getByLabel('Trusted public key').fill(publicKey ?? '')
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByText('Proven').waitFor()
  await take(page, 'verification')

  await page.context().clearCookies()
  const [link = ''] =
    /http\S+#token=[\w-]+/.exec(host.output().split('mail to margaret')[1] ?? '') ?? []
  await page.goto(link)
  await page.getByLabel('Password').waitFor()
  await take(page, 'invitation')
  await page.context().clearCookies()
  await page.goto(host.url)
  await take(page, 'welcome')
}

if (import.meta.main) {
  takeNone('npm run screenshots')
  const directory = await mkdtemp(join(tmpdir(), 'seatgate-'))
  await mkdir(join(root, FOLDER), { recursive: true })
  const vars = {
    DEFAULT_SEAT_LIMIT: '3',
    // A port on which no server listens: the log stream has something to show.
    AUDIT_WEBHOOK_URL: 'http://127.0.0.1:9/events',
  }
  const lines: string[] = []
  const [worker, browser] = await Promise.all([
    startWorker({ persistTo: directory, vars, onLine: (line) => lines.push(line) }),
    startBrowser(),
  ])
  try {
    const client = await chromium.connect(browser.wsEndpoint())
    const page = await client.newPage({ viewport: { width: 1120, height: 760 }, locale: 'en' })
    await takeAll(page, { url: worker.url, output: () => lines.join('\n') })
  } finally {
    await Promise.all([browser.close(), worker.stop()])
    await rm(directory, { recursive: true, force: true })
  }
}
