import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Page, Request, Route } from 'playwright-core'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../scripts/wait-for.ts'
import { useMembers, useOrganization, useSeats } from '../../src/react/index.ts'
import type { Shown } from './react-page.ts'
import { actAs, addMember, ask, browse, found, tolerate, url } from './browsing.ts'

let script: string

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('react-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2023',
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  script = outputFiles[0]?.text ?? ''
})

interface Seen {
  readonly status: string
  readonly isFetching: boolean
  readonly data: unknown
  readonly code?: string
}

/** Opens the page with React for a person. `requests` has every request to the routes since. */
async function open(token: string) {
  const page = await browse()
  await actAs(page, token)
  await page.route('**/with-react', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><body></body>' })
  )
  await page.goto(url('/with-react'))
  await page.addScriptTag({ content: script })
  const requests: string[] = []
  page.on('request', (request) => requests.push(pathOf(request)))
  return { page, requests }
}

function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url())
  return pathname + search
}

const show = (page: Page, components: readonly Shown[], strict = false) =>
  page.evaluate(([shown, options]) => globalThis.show(shown, options), [
    components,
    { strict },
  ] as const)

const click = (page: Page, section: string, name: string) =>
  page.getByLabel(section, { exact: true }).getByRole('button', { name }).click()

async function stateOf(page: Page, section: string): Promise<Seen> {
  const text = await page.getByLabel(section, { exact: true }).locator('output').textContent()
  return JSON.parse(text ?? '') as Seen
}

/** Waits for a read that has ended. */
async function settled(page: Page, section: string, status = 'ready'): Promise<Seen> {
  let last: Seen | undefined
  return waitFor(
    `${section} to be ${status}`,
    15,
    async () => {
      last = await stateOf(page, section)
      return last.status === status && !last.isFetching ? last : undefined
    },
    () => last
  )
}

/** Holds the requests that match, until they are let go. */
async function hold(page: Page, pattern: string) {
  const held: Route[] = []
  await page.route(pattern, (route) => void held.push(route))
  return {
    reached: (count: number) =>
      waitFor(`${count} held requests`, 15, () => (held.length >= count ? held : undefined)),
    /** Lets all go, or all but the first ones. */
    async letGo(from = 0) {
      await page.unroute(pattern)
      await Promise.all(held.splice(from).map((route) => route.continue()))
    },
  }
}

const idsOf = ({ data }: Seen) => (data as readonly { id: string }[]).map(({ id }) => id)

describe('a hook of one resource', () => {
  it('is loading, and then has the answer', async () => {
    const acme = await found('React loads')
    const { page } = await open(acme.token)
    const held = await hold(page, `**/organizations/${acme.slug}`)
    await show(page, [{ name: 'a', hook: 'organization', org: acme.slug }])
    await held.reached(1)
    expect(await stateOf(page, 'a')).toEqual({ status: 'loading', isFetching: true, data: null })
    await held.letGo()
    expect(await settled(page, 'a')).toMatchObject({ data: { id: acme.id, name: 'React loads' } })
  })

  it('has the code of a refusal', async () => {
    tolerate(/404/)
    const { page } = await open((await found('React refuses')).token)
    await show(page, [{ name: 'a', hook: 'seats', org: 'of-nobody' }])
    expect(await settled(page, 'a', 'refused')).toEqual({
      status: 'refused',
      isFetching: false,
      data: null,
      code: 'organization_not_found',
    })
  })

  it('keeps the data when a repeated read is refused, and is ready after the next', async () => {
    tolerate(/404/)
    const acme = await found('React keeps', { seats: 5 })
    const ben = await addMember(acme)
    const { page } = await open(ben.token)
    await show(page, [{ name: 'a', hook: 'organization', org: acme.id }])
    const { data } = await settled(page, 'a')
    expect(data).toMatchObject({ id: acme.id })

    await ask(acme.token, 'DELETE', `/organizations/${acme.id}/members/${ben.id}`)
    await click(page, 'a', 'Refetch')
    const refused = await settled(page, 'a', 'refused')
    expect(refused).toMatchObject({ data, code: 'organization_not_found' })

    const joining = { userId: ben.id, role: 'member' }
    await ask(acme.token, 'POST', `/organizations/${acme.id}/members`, joining)
    await click(page, 'a', 'Refetch')
    expect(await settled(page, 'a')).not.toHaveProperty('code')
  })

  it('shows the earlier data while it is read again', async () => {
    const acme = await found('React rereads')
    const { page } = await open(acme.token)
    await show(page, [{ name: 'a', hook: 'organization', org: acme.id }])
    const before = await settled(page, 'a')
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: 'React has reread' })
    const held = await hold(page, `**/organizations/${acme.id}`)
    await click(page, 'a', 'Refetch')
    await held.reached(1)
    expect(await stateOf(page, 'a')).toEqual({ ...before, isFetching: true })
    await held.letGo()
    expect(await settled(page, 'a')).toMatchObject({ data: { name: 'React has reread' } })
  })

  it('ignores the answer of a read that a later one has replaced', async () => {
    const acme = await found('React races')
    const { page } = await open(acme.token)
    const held = await hold(page, `**/organizations/${acme.id}`)
    await show(page, [{ name: 'a', hook: 'organization', org: acme.id }])
    const [first] = await held.reached(1)
    await click(page, 'a', 'Refetch')
    await held.reached(2)
    await held.letGo(1)
    const later = await settled(page, 'a')
    expect(later).toMatchObject({ data: { name: 'React races' } })
    // Nothing receives this answer if the page has aborted the request.
    await first?.fulfill({ json: { name: 'stale' } }).catch(() => {})
    await page.evaluate(() => fetch('/with-react'))
    expect(await stateOf(page, 'a')).toEqual(later)
  })

  it('is loading again when it names another organization', async () => {
    tolerate(/404/)
    const [one, two] = [await found('React one'), await found('React two')]
    const { page } = await open(one.token)
    await show(page, [{ name: 'a', hook: 'organization', org: one.id }])
    await settled(page, 'a')
    const held = await hold(page, `**/organizations/${two.id}`)
    await show(page, [{ name: 'a', hook: 'organization', org: two.id }])
    await held.reached(1)
    expect(await stateOf(page, 'a')).toEqual({ status: 'loading', isFetching: true, data: null })
    await held.letGo()
    expect(await settled(page, 'a', 'refused')).toMatchObject({ data: null })
  })
})

describe('a hook of a list', () => {
  it('reads one page after another, and all of them again', async () => {
    const acme = await found('React pages', { seats: 9 })
    for (let count = 0; count < 4; count += 1) await addMember(acme)
    const { page, requests } = await open(acme.token)
    await show(page, [{ name: 'a', hook: 'members', org: acme.id, limit: 2 }])
    const first = idsOf(await settled(page, 'a'))
    expect(first).toHaveLength(2)

    await click(page, 'a', 'More')
    await waitFor('four members', 15, async () =>
      idsOf(await settled(page, 'a')).length === 4 ? true : undefined
    )
    await click(page, 'a', 'More')
    await waitFor('five members', 15, async () =>
      idsOf(await settled(page, 'a')).length === 5 ? true : undefined
    )
    const all = idsOf(await settled(page, 'a'))
    expect(all.slice(0, 2)).toEqual(first)
    expect(new Set(all).size).toBe(5)
    expect(await page.getByRole('button', { name: 'More' }).count()).toBe(0)
    expect(requests).toHaveLength(3)

    await click(page, 'a', 'Refetch')
    await waitFor('the pages again', 15, () => (requests.length === 6 ? true : undefined))
    expect(idsOf(await settled(page, 'a'))).toEqual(all)
  })

  it('has the pending invitations', async () => {
    const acme = await found('React invites', { seats: 9 })
    const email = `invited-${process.pid}@example.com`
    await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, {
      email,
      role: 'member',
    })
    const { page } = await open(acme.token)
    await show(page, [{ name: 'a', hook: 'invitations', org: acme.id }])
    expect(await settled(page, 'a')).toMatchObject({ data: [{ email, status: 'pending' }] })
  })
})

describe('components', () => {
  it('share a read, and a refetch, if they have the same arguments', async () => {
    const acme = await found('React shares', { seats: 9 })
    const { page, requests } = await open(acme.token)
    await show(page, [
      { name: 'a', hook: 'seats', org: acme.id },
      { name: 'b', hook: 'seats', org: acme.id },
      { name: 'list', hook: 'members', org: acme.id, limit: 2 },
      { name: 'longer list', hook: 'members', org: acme.id, limit: 3 },
    ])
    for (const name of ['a', 'b', 'list', 'longer list']) await settled(page, name)
    expect(requests.toSorted()).toEqual([
      `/organizations/${acme.id}/members?limit=2`,
      `/organizations/${acme.id}/members?limit=3`,
      `/organizations/${acme.id}/seats`,
    ])

    await addMember(acme)
    await click(page, 'a', 'Refetch')
    const seats = async (name: string) => (await settled(page, name)).data as { held: number }
    await waitFor('both to have two seats taken', 15, async () =>
      (await seats('a')).held === 2 && (await seats('b')).held === 2 ? true : undefined
    )
    expect(requests).toHaveLength(4)
  })

  it('keep a read open until the last one is unmounted, and read again when mounted', async () => {
    const acme = await found('React unmounts')
    const { page, requests } = await open(acme.token)
    const ended: string[] = []
    page.on('requestfailed', (request) => ended.push(request.failure()?.errorText ?? ''))
    const held = await hold(page, `**/organizations/${acme.id}/seats`)
    const [a, b] = ['a', 'b'].map((name) => ({ name, hook: 'seats', org: acme.id }) as const) as [
      Shown,
      Shown,
    ]
    await show(page, [a, b])
    await held.reached(1)

    await show(page, [b])
    await page.getByLabel('a', { exact: true }).waitFor({ state: 'detached' })
    // The microtasks of the unmount have run.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)))
    expect(ended).toEqual([])

    await show(page, [])
    await waitFor('the request to end', 15, () => (ended.length > 0 ? true : undefined))
    expect(ended).toEqual(['net::ERR_ABORTED'])
    await held.letGo().catch(() => {})

    await show(page, [a])
    expect(await settled(page, 'a')).toMatchObject({ data: { held: 1 } })
    expect(requests).toHaveLength(2)
  })

  it('read once in strict mode, which mounts them twice', async () => {
    const acme = await found('React is strict')
    const { page, requests } = await open(acme.token)
    await show(page, [{ name: 'a', hook: 'seats', org: acme.id }], true)
    expect(await settled(page, 'a')).toMatchObject({ data: { held: 1 } })
    expect(requests).toEqual([`/organizations/${acme.id}/seats`])
  })
})

it('on a server the hooks are loading and send no request', () => {
  let reads = 0
  const client = {
    get() {
      reads += 1
      return Promise.reject(new Error('read'))
    },
  }
  const Server = () =>
    [useOrganization, useSeats, useMembers].map((use) => use(client, 'acme').status).join(' ')
  expect(renderToString(createElement(Server))).toBe('loading loading loading')
  expect(reads).toBe(0)
})
