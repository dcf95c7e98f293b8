import { describe, expect, it } from 'vitest'
import { waitFor } from '../../scripts/wait-for.ts'
import {
  actAs,
  addMember,
  address,
  ask,
  browse,
  execute,
  expectAccessible,
  expectNoOverflow,
  found,
  operator,
  PATIENCE_SECONDS,
  signUp,
  tolerate,
  url,
} from './browsing.ts'

describe('the seats page', () => {
  it('shows seats that are held, reserved and free, and until when', async () => {
    const acme = await found('Seated', { seats: 3 })
    const email = address('ann')
    await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, {
      email,
      role: 'member',
    })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/seats`))
    await page.getByText('2 of 3 seats').waitFor()
    await page.getByText('1 of them reserved').first().waitFor()
    expect(await page.getByRole('meter').getAttribute('value')).toBe('2')
    await page.getByText('Another member can be added.').waitFor()
    await page.getByRole('row', { name: email }).getByText('in 7 days').waitFor()
    await expectAccessible(page)
  })

  it('follows a change while it is open, and receives no body while there is no change', async () => {
    const acme = await found('Live', { seats: 5 })
    const page = await browse()
    await actAs(page, acme.token)
    const statuses: number[] = []
    page.on('response', (response) => {
      if (response.url().endsWith('/seats/now')) statuses.push(response.status())
    })
    await page.clock.install()
    await page.goto(url(`/org/${acme.slug}/seats`))
    await page.getByText('1 of 5 seats').waitFor()
    await addMember(acme)
    await page.clock.runFor(5000)
    await page.getByText('2 of 5 seats').waitFor()
    await page.clock.runFor(5000)
    await expect.poll(() => statuses, { timeout: 20_000 }).toContain(304)
  })

  it('shows why another member cannot be added when all seats are taken, and above the limit', async () => {
    const acme = await found('Full', { seats: 2 })
    await addMember(acme)
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/seats`))
    await page.getByRole('heading', { name: 'Another member cannot be added' }).waitFor()
    expect(await page.getByRole('alert').innerText()).toMatch(/All seats are taken.*Free a seat/s)
    await expectNoOverflow(page)
    await expectAccessible(page)

    const path = `/organizations/${acme.id}/seats/limit`
    await ask(await operator(), 'PUT', path, { limit: 1, reason: 'Fewer.' })
    await page.reload()
    await page.getByText('1 over the limit').waitFor()
    await expectAccessible(page)
  })

  it('shows seats over time with a table, and at an instant', async () => {
    const acme = await found('Remembered', { seats: 4 })
    await addMember(acme)
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/seats/history`))
    await page.getByRole('img', { name: /after each of the last \d+ changes/ }).waitFor()
    await page.getByRole('row', { name: 'Limit changed' }).first().waitFor()
    await page.getByLabel('Time (UTC)').fill('2020-01-01T00:00')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('The organization did not exist then.').waitFor()
  })

  it('is accessible over time', async () => {
    const acme = await found('Charted', { seats: 4 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/seats/history`))
    await expectAccessible(page)
  })

  it('shows a member the numbers, and no holder and no reservation', async () => {
    const acme = await found('Numbers', { seats: 4 })
    const { token } = await addMember(acme)
    const page = await browse()
    await actAs(page, token)
    await page.goto(url(`/org/${acme.slug}/seats`))
    await page.getByText('2 of 4 seats').waitFor()
    expect(await page.getByRole('heading', { name: 'Reservations' }).count()).toBe(0)
    tolerate(/403/)
    expect((await page.goto(url(`/org/${acme.slug}/seats/history`)))?.status()).toBe(403)
  })

  it('gives the last seat to one of two browsers', async () => {
    const acme = await found('Last Seat', { seats: 2 })
    const emails = [address('left'), address('right')]
    const pages = await Promise.all(
      emails.map(async () => {
        const page = await browse()
        await actAs(page, acme.token)
        await page.goto(url(`/org/${acme.slug}/invitations`))
        return page
      })
    )
    await Promise.all(
      pages.map(async (page, index) => {
        await page.getByLabel('E-mail addresses').fill(emails[index] ?? '')
        await page.getByRole('button', { name: 'Invite', exact: true }).click()
        await page.getByText(/[01] of 1 invited/).waitFor()
      })
    )
    const outcomes = await Promise.all(
      pages.map(async (page) => page.getByText(/[01] of 1 invited/).innerText())
    )
    expect(outcomes.sort()).toEqual(['0 of 1 invited', '1 of 1 invited'])
  })
})

describe('the requests and domains pages', () => {
  it('are accessible while empty, and add a domain', async () => {
    const acme = await found('Domains', { seats: 4 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/requests`))
    await page.getByText('No requests.').waitFor()
    await expectAccessible(page)
    await page.goto(url(`/org/${acme.slug}/domains`))
    await page.getByText('No domains yet.').waitFor()
    await page.getByLabel('Domain', { exact: true }).fill('domains.example')
    await page.getByRole('button', { name: 'Add a domain' }).click()
    await page.getByRole('heading', { name: 'domains.example' }).waitFor()
    await page.getByText('seatgate-domain=').waitFor()
    await expectAccessible(page)
  })
})

describe('the pages of operators', () => {
  it('find an organization, set its limit and compare its stores', async () => {
    const acme = await found('Operated', { seats: 4 })
    const page = await browse()
    await actAs(page, await operator())
    await page.goto(url(`/platform?search=${acme.slug}`))
    await expectAccessible(page)
    await page.getByRole('link', { name: 'Operated' }).click()
    await page.getByLabel('Seats, or').fill('7')
    await page.getByLabel('Reason').fill('A new contract.')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Set the limit' }).click()
    await page.getByText('The limit was set.').waitFor()
    await page.getByRole('link', { name: 'Seats', exact: true }).click()
    await page.getByRole('heading', { name: 'Repairs so far' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Compare the stores' }).click()
    await page.getByText('Both stores agree.').waitFor()
    await expectAccessible(page)
  })

  it('show drift, and list it with the operator who repaired it', async () => {
    const acme = await found('Drifted', { seats: 4 })
    await addMember(acme)
    const drift = 'UPDATE seatgate_member_counts SET active = active + 1 WHERE organization_id = ?'
    const page = await browse({ scripts: false })
    await actAs(page, await operator())
    await page.goto(url(`/platform/${acme.id}/seats`))
    await page.getByText('None', { exact: true }).waitFor()
    const shows = (text: string) =>
      page
        .getByText(text, { exact: true })
        .waitFor({ timeout: 5000 })
        .then(() => true)
        .catch(() => undefined)
    // A sweep may repair it first: then it is made again.
    await waitFor('drift that is found, and repaired by hand', PATIENCE_SECONDS, async () => {
      await execute(drift, acme.id)
      await page.goto(url(`/platform/${acme.id}/seats`))
      await page.getByRole('button', { name: 'Compare the stores' }).click()
      if (!(await shows('1 difference'))) return undefined
      await page.getByText('member_count').waitFor()
      await page.getByRole('link', { name: 'Back', exact: true }).click()
      await page.getByRole('button', { name: 'Count again' }).click()
      return shows('1 difference was repaired.')
    })
    await page.getByRole('cell', { name: 'member_count: 1' }).first().waitFor()
    await page.getByRole('button', { name: 'Compare the stores' }).click()
    await page.getByText('Both stores agree.').waitFor()
  })

  it('show the health of the platform with the last sweep', async () => {
    const page = await browse({ width: 320 })
    await actAs(page, await operator())
    await page.goto(url('/platform'))
    await page.getByRole('link', { name: 'Health' }).click()
    const sweep = page.locator('div', { hasText: /^Last sweep/ }).locator('time')
    await expect
      .poll(
        async () => {
          await page.reload()
          return sweep.count()
        },
        { timeout: 120_000, interval: 1000 }
      )
      .toBe(1)
    await page.getByRole('rowheader', { name: 'webhook' }).waitFor()
    await expectNoOverflow(page)
    await expectAccessible(page)
  })

  it('are refused to other users', async () => {
    const { token } = await signUp()
    const page = await browse()
    await actAs(page, token)
    tolerate(/403/)
    for (const path of ['/platform', '/platform/health', '/platform/any/seats'])
      expect((await page.goto(url(path)))?.status(), path).toBe(403)
  })
})
