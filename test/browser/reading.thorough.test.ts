import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
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
  seenProblems,
  signUp,
  url,
} from './browsing.ts'
import { open, PAGES } from './organization-pages.ts'

describe('a violation of the policy', () => {
  it.each([true, false])('is seen by each test, with scripts: %s', async (scripts) => {
    const page = await browse({ scripts })
    await page.route('**/sign-in', async (route) => {
      const response = await route.fetch()
      const policy = `default-src 'none'; style-src 'self'`
      const body = (await response.text()).replace('</body>', '<p style="color:red">x</p></body>')
      const headers = { ...response.headers(), 'content-security-policy': policy }
      await route.fulfill({ response, headers, body })
    })
    await page.goto(url('/sign-in'))
    expect(seenProblems().join(' ')).toMatch(/Content Security Policy/)
  })
})

describe('every page', () => {
  it('has no motion under prefers-reduced-motion, and a dark ground in the dark scheme', async () => {
    const acme = await found('Still', { seats: 9 })
    const page = await browse()
    await actAs(page, acme.token)
    const look = () =>
      page.evaluate(() => ({
        moving: [...document.querySelectorAll('*')].some((element) => {
          const { transitionDuration, animationName } = getComputedStyle(element)
          return transitionDuration !== '0s' || animationName !== 'none'
        }),
        ground: getComputedStyle(document.body).backgroundColor,
      }))
    await page.emulateMedia({ reducedMotion: 'no-preference', colorScheme: 'light' })
    await page.goto(url(`/org/${acme.slug}/members`))
    expect(await look()).toEqual({ moving: true, ground: 'rgb(251, 251, 250)' })
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'dark' })
    expect(await look()).toEqual({ moving: false, ground: 'rgb(19, 20, 23)' })
  })
})

/** Whether each control is in the window, or in a part of the page that scrolls by itself. */
async function expectControlsInView(page: Page): Promise<void> {
  const lost = await page.evaluate(() =>
    [...document.querySelectorAll('a, button, input, select, textarea, summary')]
      .filter((control) => control.checkVisibility() && !control.matches('.skip'))
      .filter((control) => {
        for (let part = control.parentElement; part !== null; part = part.parentElement)
          if (/auto|scroll/.test(getComputedStyle(part).overflowX)) return false
        const { left, right, width } = control.getBoundingClientRect()
        return width === 0 || left < 0 || right > window.innerWidth + 1
      })
      .map(({ outerHTML }) => outerHTML)
  )
  expect(lost, page.url()).toEqual([])
}

describe('every page enlarged', () => {
  async function read(page: Page, enlarge: () => Promise<void>) {
    const acme = await found('Enlarged', { seats: 9 })
    await addMember(acme)
    const body = { email: address('a-rather-long-address-of-a-person'), role: 'member' }
    await ask(acme.token, 'POST', `/organizations/${acme.id}/invitations`, body)
    await actAs(page, acme.token)
    for (const path of PAGES) {
      await page.goto(url(`/org/${acme.slug}/${path}`))
      await enlarge()
      await expectNoOverflow(page)
      await expectControlsInView(page)
    }
  }

  it('at a zoom of 200 % has no scrolling sideways and all controls', async () => {
    await read(await browse({ width: 1280, zoom: 2 }), async () => {})
  })

  it('at a zoom of 400 % has no scrolling sideways and all controls', async () => {
    await read(await browse({ width: 1280, zoom: 4 }), async () => {})
  })

  it('with text of 200 % has no scrolling sideways and all controls', async () => {
    const page = await browse({ width: 1280 })
    await read(page, () =>
      page.evaluate(() => void (document.documentElement.style.fontSize = '200%'))
    )
  })
})

describe('names of strangers', () => {
  it('of controls of direction stay in their own place', async () => {
    const acme = await found('Directed', { seats: 9 })
    const { id, email } = await addMember(acme)
    const name = '\u202egnp.exe\u2066 <script>alert(1)</script>'
    await execute('UPDATE users SET name = ? WHERE id = ?', name, id)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    const row = page.getByRole('row', { name: email })
    await row.waitFor()
    expect(await row.locator('script').count()).toBe(0)
    const isolated = await row
      .locator('bdi')
      .first()
      .evaluate((element) => ({
        isolation: getComputedStyle(element).unicodeBidi,
        text: element.textContent,
      }))
    expect(isolated.isolation).toBe('isolate')
    expect(isolated.text).toContain('<script>alert(1)</script>')
  })
})

describe('the pages of links and of the directory', () => {
  it('make a link without scripts, by which a person signs in and joins', async () => {
    const acme = await found('Linked', { seats: 9 })
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    await page.getByRole('link', { name: 'Invite links' }).click()
    await page.getByText('No invite links.').waitFor()
    await page.getByLabel('Uses').fill('2')
    await page.getByRole('button', { name: 'Create a link' }).click()
    const link = await page.getByLabel('Link to pass on').inputValue()
    expect(link).toContain('/link#token=')
    await page.getByRole('link', { name: 'Back', exact: true }).click()
    await page.getByRole('row', { name: 'member' }).getByText('2 of 2 left').waitFor()

    const person = await signUp()
    const guest = await browse()
    await guest.goto(link)
    await guest.getByRole('heading', { name: 'Sign in to open this link' }).waitFor()
    expect(guest.url()).not.toContain('token')
    await expectAccessible(guest)
    await actAs(guest, person.token)
    await guest.reload()
    await guest.getByRole('heading', { name: 'Join Linked', level: 1 }).waitFor()
    await expectAccessible(guest)
    await guest.getByRole('button', { name: 'Join' }).click()
    expect(await guest.getByRole('status').innerText()).toBe('You are a member of Linked now.')

    const owner = await browse({ width: 320 })
    await actAs(owner, acme.token)
    await owner.goto(url(`/org/${acme.slug}/invitations/links`))
    await owner.getByText('1 of 2 left').waitFor()
    await expectNoOverflow(owner)
    await expectAccessible(owner)
    await owner.getByRole('button', { name: 'Revoke the link for member' }).click()
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    expect(await owner.getByRole('status').innerText()).toBe('The link was revoked.')
  })

  it('name the states of log streams in German', async () => {
    const acme = await found('Streams')
    await ask(acme.token, 'PATCH', `/organizations/${acme.id}`, { name: address('Renamed') })
    const page = await browse({ language: 'de' })
    await actAs(page, acme.token)
    await expect
      .poll(
        async () => {
          await page.goto(url(`/org/${acme.slug}/sinks/webhook/attempts`))
          return page.getByRole('cell', { name: 'Gescheitert, wird erneut versucht' }).count()
        },
        { timeout: 120_000, interval: 1000 }
      )
      .toBeGreaterThan(0)
  })
})

describe('the page of API keys', () => {
  it('makes a key, replaces it and revokes it, with scripts and without', async () => {
    for (const scripts of [true, false]) {
      const acme = await found('Automated')
      const page = await open(acme, 'api-keys', { scripts })
      await page.getByLabel('Name, for example').fill('Build <b>')
      await page.getByRole('checkbox', { name: 'members:invite' }).check()
      await page.getByRole('button', { name: 'Create a key' }).click()
      const shown = page.getByRole('textbox', { name: 'Key', exact: true })
      const first = await shown.inputValue()
      expect(first).toMatch(/^sg_live_/)
      if (scripts) await expectAccessible(page)
      await page.getByRole('link', { name: 'Back', exact: true }).click()
      await page.getByRole('rowheader', { name: 'Build <b>' }).waitFor()
      expect(await page.content()).not.toContain(first)
      if (scripts) await expectAccessible(page)
      await page.getByRole('button', { name: 'Replace the key Build <b>' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click()
      expect(await shown.inputValue()).not.toBe(first)
      await page.getByRole('link', { name: 'Back', exact: true }).click()
      await page.getByText('Replaced', { exact: true }).waitFor()
      if (scripts) await expectAccessible(page)
      const revoke = page.getByRole('button', { name: 'Revoke the key Build <b>' })
      await revoke.first().click()
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
      expect(await page.getByRole('status').innerText()).toBe('The key was revoked.')
      expect(await revoke.count()).toBe(1)
      if (!scripts) await expectNoOverflow(page)
    }
  })
})
