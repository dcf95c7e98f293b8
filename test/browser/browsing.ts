import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type axe from 'axe-core'
import type { RunOptions } from 'axe-core'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import { connect, type Client } from '../../scripts/client.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { OPERATOR, PASSWORD, type Person } from './setup.ts'

export { PASSWORD } from './setup.ts'

/** How long a test waits for work after a response, such as a delivery. */
export const PATIENCE_SECONDS = 120

let browser: Browser
const contexts = new Set<BrowserContext>()
const problems: string[] = []
const tolerated: RegExp[] = []

beforeAll(async () => {
  browser = await chromium.connect(inject('browser'))
})

afterEach(async () => {
  await Promise.all([...contexts].map((context) => context.close()))
  contexts.clear()
  const found = problems.splice(0).filter((problem) => !tolerated.some((one) => one.test(problem)))
  tolerated.length = 0
  expect(found, 'violations of the policy, errors of scripts, other origins').toEqual([])
})

afterAll(() => browser.close())

export const url = (path = '/') => inject('url') + path

/** Lets this test see a problem of this kind, such as a refused status. */
export function tolerate(problem: RegExp): void {
  tolerated.push(problem)
}

/** Returns the problems so far, which then fail no test. */
export function seenProblems(): readonly string[] {
  return problems.splice(0)
}

export interface Browsing {
  readonly scripts?: boolean
  readonly width?: number
  readonly language?: string
  /** How many times as large everything is: a window of this width then has room for less. Default 1. */
  readonly zoom?: number
}

/** Opens a browser of one person. A violation of the policy or an error in a script fails the test. */
export async function browse({
  scripts = true,
  width = 1100,
  language = 'en',
  zoom = 1,
}: Browsing = {}): Promise<Page> {
  const context = await browser.newContext({
    javaScriptEnabled: scripts,
    viewport: { width: width / zoom, height: 800 / zoom },
    deviceScaleFactor: zoom,
    locale: language,
  })
  contexts.add(context)
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (protocol.startsWith('http') && origin !== inject('url')) {
      problems.push(`a request to ${origin}`)
    }
  })
  return page
}

let count = 0

/** An address that no other test has. */
export function address(name: string): string {
  count += 1
  return `${name}-${process.pid}-${count}@example.com`
}

/** A person who may ask the API. */
export interface SignedIn extends Person {
  readonly api: Client
}

/** Signs a person up without a page. Without an address it is the next of those who are there already. */
export async function signUp(email?: string): Promise<SignedIn> {
  const person = email === undefined ? await nextPerson() : await newPerson(email)
  return { ...person, api: connect(inject('url'), person.token) }
}

async function nextPerson(): Promise<Person> {
  const response = await fetch(`${inject('companion')}/person`)
  const person = (await response.json()) as Person | null
  if (person === null) throw new Error('All people are taken: raise PEOPLE.')
  return person
}

async function newPerson(email: string): Promise<Person> {
  const answer = await connect(inject('url')).signUp(email)
  if (!answer.ok) throw new Error(JSON.stringify(answer.problem))
  const { token, user } = answer.value
  return { id: user.id, email, token }
}

/** Gives the browser of a page the session of a person. */
export async function actAs(page: Page, token: string): Promise<void> {
  await page
    .context()
    .addCookies([{ name: 'seatgate_session', value: token, url: inject('url'), httpOnly: true }])
}

/** Asks the API of the reference host. */
export async function ask(
  token: string,
  method: string,
  path: string,
  body?: object
): Promise<unknown> {
  const response = await fetch(url(path), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

let operatorToken: Promise<string> | null = null

/** Returns the token of the operator. */
export function operator(): Promise<string> {
  operatorToken ??= tokenOf(OPERATOR)
  return operatorToken
}

// Another file may have signed the operator up.
async function tokenOf(email: string): Promise<string> {
  const body = JSON.stringify({ email, password: PASSWORD })
  const headers = { 'content-type': 'application/json' }
  const post = (path: string) => fetch(url(path), { method: 'POST', headers, body })
  const up = await post('/identity/sign-up')
  const answer = up.ok ? up : await post('/identity/sign-in')
  return ((await answer.json()) as { token: string }).token
}

export interface Founded {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly token: string
  readonly email: string
}

/** Founds an organization with its owner. */
export async function found(
  name: string,
  { seats }: { seats?: number | 'unlimited' } = {}
): Promise<Founded> {
  const { token, email } = await signUp()
  const made = (await ask(token, 'POST', '/organizations', { name })) as Founded
  if (seats !== undefined) {
    const path = `/organizations/${made.id}/seats/limit`
    await ask(await operator(), 'PUT', path, { limit: seats, reason: 'For a test.' })
  }
  return { ...made, token, email }
}

/** Adds a member who has signed up. */
export async function addMember(
  { id, token }: Pick<Founded, 'id' | 'token'>,
  role = 'member',
  email?: string
): Promise<SignedIn> {
  const person = await signUp(email)
  await ask(token, 'POST', `/organizations/${id}/members`, { userId: person.id, role })
  return person
}

/** Decides the status with which the log stream takes the events of an organization. */
export async function streamAnswers({ id }: Pick<Founded, 'id'>, status: number): Promise<void> {
  await fetch(`${inject('companion')}/answers?organization=${id}&status=${status}`)
}

/** Lets DNS have a record. */
export async function publishRecord(record: {
  readonly name: string
  readonly value: string
}): Promise<void> {
  await fetch(`${inject('companion')}/record?${new URLSearchParams({ ...record })}`)
}

/** Runs a statement on the database, for a state that takes days to come about. */
export async function execute(sql: string, ...params: readonly unknown[]): Promise<void> {
  const body = JSON.stringify([{ sql, params }])
  const response = await fetch(url('/test/statements'), { method: 'POST', body })
  if (!response.ok) throw new Error(await response.text())
}

/** Lets the requests of a page fail at a store. */
export async function breakStore(
  page: Page,
  store: 'd1' | 'ledger' | 'provider' | null
): Promise<void> {
  await page.setExtraHTTPHeaders(store === null ? {} : { 'x-fault': store })
}

/** Returns the address in the latest mail to a recipient. */
export async function linkMailedTo(email: string): Promise<string> {
  return waitFor(`a mail to ${email}`, PATIENCE_SECONDS, async () => {
    const output = await (await fetch(`${inject('companion')}/output`)).text()
    const mail = output.slice(output.lastIndexOf(`mail to ${email}:`))
    return output.includes(`mail to ${email}:`)
      ? /http\S+#token=[\w.~-]+/.exec(mail)?.[0]
      : undefined
  })
}

const EVERY_RULE: RunOptions = { resultTypes: ['violations'] }
// The other rules do not depend on colours.
const COLOURS: RunOptions = { ...EVERY_RULE, runOnly: ['color-contrast'], preload: false }

// A third of the size of `axe.source`, which goes to the browser for each page.
const script = readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const checked = new Set<string>()

/** Checks a page with axe in both colour schemes. One that is the same to the letter is checked once. */
export async function expectAccessible(page: Page): Promise<void> {
  const content = `${page.viewportSize()?.width} ${await page.content()}`
  if (checked.has(content)) return
  await page.evaluate(await script)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const found = await violationsIn(page, colorScheme === 'light' ? EVERY_RULE : COLOURS)
    expect(found, `${page.url()} in ${colorScheme}`).toEqual([])
  }
  checked.add(content)
}

function violationsIn(page: Page, options: RunOptions): Promise<readonly string[]> {
  return page.evaluate(async (chosen) => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(chosen)
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }, options)
}

/** Whether the page can be read without scrolling sideways. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ])
  expect(content, page.url()).toBeLessThanOrEqual(window ?? 0)
}
