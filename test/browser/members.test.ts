import { describe, expect, it } from 'vitest'
import {
  actAs,
  addMember,
  address,
  browse,
  expectAccessible,
  expectNoOverflow,
  found,
  PASSWORD,
  signUp,
  tolerate,
  url,
} from './browsing.ts'

describe('the first page', () => {
  it('leads a new person to an organization of their own, without scripts [PIPE-61]', async () => {
    const page = await browse({ scripts: false })
    await page.goto(url())
    await page.getByRole('link', { name: 'Sign up' }).click()
    await page.getByLabel('E-mail address').fill(address('ada'))
    await page.getByLabel('Name').fill('Ada')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign up' }).click()
    await page.getByRole('heading', { name: 'You are not in an organization yet.' }).waitFor()
    await page.goto(url('/new'))
    await page.getByLabel('Name of the organization').fill('Analytical Engines')
    await page.getByRole('button', { name: 'Create an organization' }).click()
    await page.getByRole('heading', { name: 'Members', level: 1 }).waitFor()
    expect(await page.getByRole('status').innerText()).toContain('You are its owner.')
    await page.reload()
    expect(await page.getByRole('status').count()).toBe(0)
  })

  it('is accessible in each of its states', async () => {
    const page = await browse()
    for (const path of ['/', '/sign-in', '/sign-up']) {
      await page.goto(url(path))
      await expectAccessible(page)
    }
    const { token } = await signUp()
    await actAs(page, token)
    await page.goto(url())
    await expectAccessible(page)
  })

  it('sends a person without a session to sign in, and back', async () => {
    const { slug, email } = await found('There and Back')
    const page = await browse()
    await page.goto(url(`/org/${slug}/settings`))
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password').fill('wrong password')
    tolerate(/422/)
    await page.getByRole('button', { name: 'Sign in' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('Sign in first')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('link', { name: 'Sign in' }).waitFor()
  })
})

describe('the members page', () => {
  it('shows the count, the address and the role, and leads to the other organizations [PIPE-62]', async () => {
    const { slug, token, email } = await found('Counted')
    const page = await browse()
    await actAs(page, token)
    await page.goto(url(`/org/${slug}/members`))
    await page.getByRole('caption').getByText('1 member').waitFor()
    const row = page.getByRole('row', { name: email })
    await row.getByText('owner', { exact: true }).first().waitFor()
    await page.getByRole('link', { name: 'Switch organization' }).waitFor()
    await expectAccessible(page)
  })

  it('changes a role, suspends, restores and removes, without scripts', async () => {
    const acme = await found('Acts')
    const { email } = await addMember(acme)
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    const row = page.getByRole('row', { name: email })
    const manage = () => page.getByRole('button', { name: `Manage ${email}` }).click()
    const outcome = () => page.getByRole('status').innerText()

    await manage()
    await page.getByRole('dialog').getByLabel('Role').selectOption('admin')
    await page.getByRole('button', { name: 'Change the role' }).click()
    expect(await outcome()).toBe('The role was changed to admin.')
    await row.getByText('admin', { exact: true }).first().waitFor()

    await manage()
    await page.getByRole('button', { name: 'Suspend' }).click()
    expect(await outcome()).toContain('suspended')
    await row.getByText('Suspended').waitFor()

    await manage()
    await page.getByRole('button', { name: 'Restore' }).click()
    expect(await outcome()).toContain('active again')

    await manage()
    await page.getByText('Remove', { exact: true }).first().click()
    await page.getByRole('button', { name: 'Remove' }).click()
    expect(await outcome()).toContain('removed')
    expect(await row.count()).toBe(0)
  })

  it('shows the state after the change of another person, with the reason', async () => {
    const acme = await found('Meanwhile')
    const { email, id } = await addMember(acme)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    const response = await fetch(url(`/organizations/${acme.id}/members/${id}`), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${acme.token}` },
    })
    expect(response.status).toBe(204)
    await page.getByRole('button', { name: `Manage ${email}` }).click()
    await page.getByRole('button', { name: 'Suspend' }).click()
    expect(await page.getByRole('alert').innerText()).toMatch(/Not found.*changed in the meantime/s)
    await expectAccessible(page)
  })

  it('keeps the last owner, shows the reason, and transfers the ownership after a typed confirmation', async () => {
    const acme = await found('Handed Over')
    const { email } = await addMember(acme)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    await page.getByRole('button', { name: `Manage ${acme.email}` }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('This is the last owner').waitFor()
    expect(await dialog.getByRole('button', { name: 'Suspend' }).isDisabled()).toBe(true)
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      `Manage ${acme.email}`
    )

    await page.getByRole('button', { name: 'Leave the organization' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('at least one owner')

    await page.getByRole('button', { name: `Manage ${email}` }).click()
    await page.getByRole('link', { name: 'Transfer the ownership' }).click()
    await page.getByLabel('Type').fill('something else')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Transfer the ownership' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('does not match')
    await page.getByLabel('Type').fill(acme.slug)
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Transfer the ownership' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('The password is wrong')
    await page.getByLabel('Type').fill(acme.slug)
    await page.getByLabel('Password').fill(PASSWORD)
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Transfer the ownership' }).click()
    expect(await page.getByRole('status').innerText()).toContain('transferred')
  })

  it('shows a member no act that the role has not, and no page of administrators', async () => {
    const acme = await found('Quiet')
    const { token } = await addMember(acme)
    const page = await browse()
    await actAs(page, token)
    await page.goto(url(`/org/${acme.slug}/members`))
    expect(await page.getByRole('button', { name: /^Manage/ }).count()).toBe(0)
    expect(await page.getByRole('link', { name: 'Settings' }).count()).toBe(0)
    tolerate(/40[34]/)
    const refused = await page.goto(url(`/org/${acme.slug}/settings`))
    expect(refused?.status()).toBe(403)
    expect(await page.getByRole('alert').innerText()).toContain('Your role does not allow this')
    await expectAccessible(page)
    const absent = await page.goto(url('/org/nothing-here/members'))
    expect(absent?.status()).toBe(404)
  })

  it('finds members by the beginning of an address, and can be read at 320 pixels', async () => {
    const acme = await found('Found')
    const { email } = await addMember(acme, 'member', address('zoe'))
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    await expectNoOverflow(page)
    await page.getByLabel('Start of a name').fill('zoe')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 member found').waitFor()
    await page.getByRole('row', { name: email }).waitFor()
    await page.goto(url(`/org/${acme.slug}/members?search=nobody`))
    await page.getByText('No name or address begins with').waitFor()
    await expectAccessible(page)
  })

  it('shows a name of markup and controls of direction as text', async () => {
    const hostile = '<img src=x onerror=alert(1)>'
    const acme = await found(hostile)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/members`))
    await page.getByText(hostile).first().waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.locator('bdi', { hasText: hostile }).count()).toBeGreaterThan(0)
  })
})

describe('the settings page', () => {
  it('has a general section, one for the address, and a danger zone [PIPE-63]', async () => {
    const acme = await found('Settled')
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/settings`))
    for (const name of ['General', 'Address of the organization', 'Danger zone']) {
      await page.getByRole('heading', { name }).waitFor()
    }
    await page.getByLabel('Name of the organization').fill('Resettled')
    await page.getByRole('button', { name: 'Save' }).first().click()
    expect(await page.getByRole('status').innerText()).toBe('The organization was renamed.')
    await page.getByLabel('New address').fill(`${acme.slug}-2`)
    const change = page.getByRole('region', { name: 'Address of the organization' })
    await change.getByLabel('Type').fill(acme.slug)
    await change.getByLabel('Password').fill(PASSWORD)
    await change.getByRole('button', { name: 'Save' }).click()
    expect(new URL(page.url()).pathname).toBe(`/org/${acme.slug}-2/settings`)
    const danger = page.getByRole('region', { name: 'Danger zone' })
    await danger.getByLabel('Type').fill('Resettled')
    await danger.getByLabel('Password').fill(PASSWORD)
    await danger.getByRole('button').click()
    await page.getByText('The organization was deleted.').waitFor()
  })

  it('is accessible, and speaks German', async () => {
    const acme = await found('Zweisprachig')
    const page = await browse({ language: 'de' })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/settings`))
    await page.getByRole('heading', { name: 'Einstellungen', level: 1 }).waitFor()
    expect(await page.getAttribute('html', 'lang')).toBe('de')
    await expectAccessible(page)
  })
})

it('refuses a form of another site', async () => {
  const acme = await found('Crossed')
  const response = await fetch(url(`/org/${acme.slug}/settings/rename`), {
    method: 'POST',
    headers: {
      cookie: `seatgate_session=${acme.token}`,
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'name=Taken',
  })
  expect(response.status).toBe(403)
  expect(await response.text()).toContain('The request comes from another site')
})
