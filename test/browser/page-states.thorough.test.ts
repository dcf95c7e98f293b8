import { describe, expect, it } from 'vitest'
import {
  addMember,
  address,
  ask,
  breakStore,
  expectAccessible,
  expectNoOverflow,
  found,
  operator,
  tolerate,
  url,
  type Founded,
} from './browsing.ts'
import { open, PAGES, type OrganizationPage } from './organization-pages.ts'

/** An organization in a state, and what its pages say there. A page without a text is what it is elsewhere. */
interface State {
  readonly organization: () => Promise<Founded>
  readonly says: Partial<Record<OrganizationPage, string | RegExp>>
}

async function limitTo({ id }: Founded, limit: number): Promise<void> {
  const body = { limit, reason: 'For a test.' }
  await ask(await operator(), 'PUT', `/organizations/${id}/seats/limit`, body)
}

const STATES: Readonly<Record<string, State>> = {
  'empty, with its last owner': {
    organization: () => found('Empty'),
    says: {
      members: '1 member',
      invitations: 'No open invitations.',
      'invitations/links': 'No invite links.',
      requests: 'No requests.',
      domains: 'No domains yet.',
      seats: 'No reserved seats.',
      'seats/history': 'Seats at a point in time',
      billing: 'No plan',
      audit: 'Organization created',
      'audit/verification': 'Latest checkpoint',
      sinks: 'webhook',
      'sinks/webhook/dead-letters': 'No dead letters.',
      directory: 'No tokens yet.',
      'api-keys': 'No keys yet.',
      roles: '3 roles',
      groups: 'No groups yet.',
      impersonations: 'No operator is acting as a member.',
      'impersonations/earlier': 'No matching events.',
      settings: 'Danger zone',
    },
  },
  'full, with a reservation': {
    async organization() {
      const acme = await found('Crowded', { seats: 3 })
      await addMember(acme)
      const body = { email: address('ann'), role: 'member' }
      await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, body)
      return acme
    },
    says: {
      members: '2 members',
      invitations: '1 open invitation',
      seats: 'Another member cannot be added',
      'seats/history': 'Seat reserved',
      audit: 'Invitation sent',
    },
  },
  'over the limit': {
    async organization() {
      const acme = await found('Excess', { seats: 9 })
      for (let more = 0; more < 3; more += 1) await addMember(acme)
      await limitTo(acme, 2)
      return acme
    },
    says: {
      members: '4 members',
      seats: '2 over the limit',
      'seats/history': 'Over the limit',
      billing: 'Over the limit since',
      audit: 'Over the limit',
    },
  },
  'without a limit': {
    organization: () => found('Endless', { seats: 'unlimited' }),
    says: { seats: 'no limit', billing: 'unlimited', 'seats/history': 'unlimited' },
  },
}

describe.each(Object.entries(STATES))('an organization that is %s', (_state, state) => {
  it('has pages that show it, accessible in both schemes and readable at 320 pixels', async () => {
    const acme = await state.organization()
    const page = await open(acme, 'members')
    for (const path of PAGES) {
      await page.setViewportSize({ width: 1100, height: 800 })
      expect((await page.goto(url(`/org/${acme.slug}/${path}`)))?.status(), path).toBe(200)
      const text = state.says[path]
      if (text !== undefined) await page.getByText(text).first().waitFor()
      await expectAccessible(page)
      await page.setViewportSize({ width: 320, height: 800 })
      await expectNoOverflow(page)
    }
  })
})

describe('an organization whose ledger does not answer', () => {
  it('has all pages, and the seats page reports that the ledger does not answer', async () => {
    const acme = await found('Ledgerless', { seats: 4 })
    const page = await open(acme, 'members')
    await breakStore(page, 'ledger')
    tolerate(/503/)
    for (const path of PAGES) {
      const response = await page.goto(url(`/org/${acme.slug}/${path}`))
      expect([path, response?.status()]).toEqual([path, path === 'seats' ? 503 : 200])
      await expectAccessible(page)
    }
  })
})
