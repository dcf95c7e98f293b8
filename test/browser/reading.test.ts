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

const PAGES = ['members', 'invitations', 'invitations/links', 'seats', 'billing', 'audit', 'sinks']

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
  it('can be read at 200 % of the size of text, and has one size of target at least', async () => {
    const acme = await found('Enlarged', { seats: 9 })
    await addMember(acme)
    // The same as a zoom of 200 % in a window of 1280 pixels.
    const page = await browse({ width: 640 })
    await actAs(page, acme.token)
    for (const path of PAGES) {
      await page.goto(url(`/org/${acme.slug}/${path}`))
      await expectNoOverflow(page)
      await page.evaluate(() => {
        document.documentElement.style.setProperty('font-size', '200%')
      })
      await expectNoOverflow(page)
      // WCAG 2.2, 2.5.8: 24 pixels, but for links in a text.
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, input, select, textarea, nav a')]
          .map((element) => [element.outerHTML, element.getBoundingClientRect()] as const)
          .filter(([, { height, width }]) => height > 0 && (height < 24 || width < 13))
          .map(([html]) => html)
      )
      expect(small, path).toEqual([])
    }
  })

  it('moves nothing for a person who asked for reduced motion, and is dark for one who asked for that', async () => {
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

  it('leads to older rows and back by address', async () => {
    const acme = await found('Older', { seats: 'unlimited' })
    const { id } = await addMember(acme)
    await execute(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, status, seat_id, created_at, updated_at)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
      SELECT 'm-' || ?1 || i, ?1, 'u-' || ?1 || i, 'member', 'suspended', null, i, i FROM n`,
      acme.id
    )
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    await page.getByRole('link', { name: 'Older' }).click()
    expect(new URL(page.url()).searchParams.get('cursor')).not.toBeNull()
    await page.getByRole('link', { name: 'Back to the newest' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('link', { name: 'Back to the newest' }).click()
    expect(await page.getByRole('caption').innerText()).toContain('newest')
    expect(id).not.toBe('')
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

  it('say in German why no link is made, and show a token once', async () => {
    const acme = await found('Verzeichnis', { seats: 9 })
    const page = await browse({ language: 'de', width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations/links`))
    await page.getByLabel('Nur Adressen').fill('no domain')
    await page.getByRole('button', { name: 'Link erstellen' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('Die Eingabe ist nicht gültig')
    await page.goto(url(`/org/${acme.slug}/directory`))
    await page.getByText('Noch kein Token.').waitFor()
    await expectAccessible(page)
    await page.getByLabel('Name').fill('Azure')
    await page.getByRole('button', { name: 'Token erstellen' }).click()
    expect(await page.getByLabel('Token').inputValue()).not.toBe('')
    await page.getByRole('link', { name: 'Zurück', exact: true }).click()
    await page.getByRole('row', { name: 'Azure' }).waitFor()
    expect(await page.locator('main input[readonly]').count()).toBe(0)
    await expectNoOverflow(page)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Token Azure widerrufen' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Zurückziehen' }).click()
    expect(await page.getByRole('status').innerText()).toBe('Das Token ist widerrufen.')
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
