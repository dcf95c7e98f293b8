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
    await page.getByRole('link', { name: 'Links to join' }).click()
    await page.getByText('No link is open.').waitFor()
    await page.getByLabel('Uses').fill('2')
    await page.getByRole('button', { name: 'Make a link' }).click()
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
