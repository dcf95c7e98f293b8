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
  linkMailedTo,
  PASSWORD,
  signUp,
  url,
} from './browsing.ts'

const invite = (token: string, id: string, email: string) =>
  ask(token, 'POST', `/organizations/${id}/invitations`, { email, role: 'member' })

describe('the invitations page', () => {
  it('shows an empty list, then each with address, role and inviter, and their number [INV-87]', async () => {
    const acme = await found('Inviting', { seats: 9 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    await page.getByText('0 open invitations').waitFor()
    await page.getByText('No open invitations.').waitFor()
    await expectAccessible(page)
    const emails = [address('ann'), address('ben'), address('cat')]
    for (const [index, email] of emails.entries()) {
      await invite(acme.token, acme.id, email)
      if (index === 0) continue
      await page.reload()
      await page.getByText(`${index + 1} open invitations`).waitFor()
    }
    for (const email of emails) {
      const row = page.getByRole('row', { name: email })
      await row.getByText('member', { exact: true }).first().waitFor()
      await row.getByText('You').waitFor()
    }
    await expectAccessible(page)
  })

  it('gives controls to administrators, and only the rows to a member [INV-86]', async () => {
    const acme = await found('Controls', { seats: 9 })
    const email = address('ann')
    await invite(acme.token, acme.id, email)
    const controls = [`Revoke the invitation of ${email}`, `Manage ${email}`]
    for (const role of ['owner', 'admin', 'member']) {
      const page = await browse()
      await actAs(page, role === 'owner' ? acme.token : (await addMember(acme, role)).token)
      await page.goto(url(`/org/${acme.slug}/invitations`))
      await page.getByRole('row', { name: email }).waitFor()
      const shown = await Promise.all(
        controls.map((name) => page.getByRole('button', { name }).count())
      )
      expect(shown, role).toEqual(role === 'member' ? [0, 0] : [1, 1])
      const send = page.getByRole('button', { name: 'Invite', exact: true })
      expect(await send.isDisabled(), role).toBe(role === 'member')
    }
  })

  it('revokes after a confirmation that can be cancelled [INV-88]', async () => {
    const acme = await found('Revoked', { seats: 9 })
    const email = address('ann')
    await invite(acme.token, acme.id, email)
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    const revoke = page.getByRole('button', { name: `Revoke the invitation of ${email}` })
    const dialog = page.getByRole('dialog')
    await revoke.click()
    await dialog.getByText(`Revoke the invitation of ${email}?`).waitFor()
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.reload()
    await revoke.click()
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    expect(await page.getByRole('status').first().innerText()).toContain('revoked')
    await page.getByText('0 open invitations').waitFor()
  })

  it('invites many with an outcome for each, as many as fit, and a link to pass on', async () => {
    const acme = await found('Many', { seats: 3 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    const emails = [address('one'), address('two'), address('three')]
    await page.getByLabel('E-mail addresses').fill([...emails, 'no address'].join('\n'))
    await page.getByLabel('Role').first().selectOption('member')
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByText('2 of 5 invited').waitFor()
    const row = page.getByRole('row', { name: emails[2] ?? '' })
    await row.getByText('All seats are taken: 3 of 3 are in use.').waitFor()
    const link = page.getByRole('textbox', { name: `Link to pass on: ${emails[0]}` })
    expect(await link.inputValue()).toMatch(/\/invitation#token=/)
    await expectAccessible(page)
  })

  it('shows after too many mails when to try again', async () => {
    const acme = await found('Eager', { seats: 'unlimited' })
    for (let sent = 0; sent < 20; sent += 1) await invite(acme.token, acme.id, address('many'))
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    await page
      .getByRole('button', { name: /^Manage many-/ })
      .first()
      .click()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Send the invitation/ })
      .click()
    expect(await page.getByRole('alert').innerText()).toMatch(/Try again in [\d,]+ seconds\./)
    await expectAccessible(page)
  })

  it('invites without scripts, and shows each link once', async () => {
    const acme = await found('Plain', { seats: 9 })
    const email = address('ann')
    const page = await browse({ scripts: false, width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/invitations`))
    await expectNoOverflow(page)
    await page.getByLabel('E-mail addresses').fill(email)
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByText('1 of 1 invited').waitFor()
    await page.getByRole('textbox', { name: `Link to pass on: ${email}` }).waitFor()
    await page.getByRole('link', { name: 'Back', exact: true }).click()
    expect(await page.getByRole('textbox', { name: 'Link to pass on' }).count()).toBe(0)
    await page.getByRole('button', { name: `Manage ${email}` }).click()
    await page.getByRole('dialog').getByLabel('Role').selectOption('admin')
    await page.getByRole('button', { name: 'Change the role' }).click()
    expect(await page.getByRole('status').innerText()).toContain('the role admin now')
    await page.getByRole('button', { name: `Manage ${email}` }).click()
    await page.getByRole('button', { name: `Send the invitation of ${email} again` }).click()
    expect(await page.getByRole('status').innerText()).toContain('sent again')
  })
})

describe("the page of an invitation's link", () => {
  it('signs up and joins, with a title and a heading of its own [INV-59]', async () => {
    const acme = await found('Welcoming', { seats: 9 })
    const email = address('new')
    await invite(acme.token, acme.id, email)
    const page = await browse()
    await page.goto(await linkMailedTo(email))
    const heading = 'Sign up and join Welcoming'
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
    expect(await page.title()).toBe(`${heading} · Seatgate`)
    expect(page.url()).not.toContain('token')
    await expectAccessible(page)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Accept' }).click()
    expect(await page.getByRole('status').innerText()).toBe('You are a member of Welcoming now.')
    await page.getByRole('row', { name: email }).waitFor()
  })

  it('accepts after a person has signed in on the way', async () => {
    const acme = await found('Returning', { seats: 9 })
    const { email } = await signUp()
    await invite(acme.token, acme.id, email)
    const page = await browse()
    await page.goto(await linkMailedTo(email))
    await page.getByRole('link', { name: 'Already have an account?' }).click()
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Join Returning', level: 1 }).waitFor()
    expect(await page.title()).toBe('Join Returning · Seatgate')
    await page.getByRole('button', { name: 'Accept' }).click()
    await page.getByText('You are a member of Returning now.').waitFor()
    await page.goto(await linkMailedTo(email))
    await page.getByRole('heading', { name: 'already accepted' }).waitFor()
  })

  it('has no control to accept on the pages of errors and of a mismatch [INV-61]', async () => {
    const acme = await found('Ended', { seats: 9 })
    const page = await browse()
    const shows = async (heading: string) => {
      await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
      expect(await page.title()).toContain(heading)
      expect(await page.getByRole('button', { name: 'Accept' }).count(), heading).toBe(0)
      expect(await page.locator('form[action$="/accept"]').count(), heading).toBe(0)
      await expectAccessible(page)
    }
    await page.goto(url('/invitation'))
    await shows('Open an invitation')
    await page.goto(url('/invitation#token=wrong'))
    await shows('This link is not valid')

    const declined = address('declined')
    await invite(acme.token, acme.id, declined)
    await page.goto(await linkMailedTo(declined))
    await page.getByRole('button', { name: 'Decline' }).click()
    await page.getByText('The invitation was declined.').waitFor()
    await page.goto(await linkMailedTo(declined))
    await shows('This invitation was declined')

    const revoked = address('revoked')
    const { id } = (await invite(acme.token, acme.id, revoked)) as { id: string }
    await ask(acme.token, 'DELETE', `/organizations/${acme.id}/invitations/${id}`)
    await page.goto(await linkMailedTo(revoked))
    await shows('This invitation was revoked')

    const expired = address('expired')
    const late = (await invite(acme.token, acme.id, expired)) as { id: string }
    await execute('UPDATE seatgate_invitations SET expires_at = 1 WHERE id = ?', late.id)
    await page.goto(await linkMailedTo(expired))
    await shows('This invitation has expired')

    const other = address('other')
    await invite(acme.token, acme.id, other)
    await actAs(page, acme.token)
    await page.goto(await linkMailedTo(other))
    await shows('This invitation is for another address')
  })

  it('takes a pasted link where there are no scripts', async () => {
    const acme = await found('Pasted', { seats: 9 })
    const email = address('pasting')
    await invite(acme.token, acme.id, email)
    const page = await browse({ scripts: false })
    const link = await linkMailedTo(email)
    await page.goto(link)
    await page.getByLabel('Link or code').fill(link)
    await page.getByRole('button', { name: 'Show the invitation' }).click()
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Accept' }).click()
    await page.getByText('You are a member of Pasted now.').waitFor()
  })
})
