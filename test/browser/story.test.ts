import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { THOROUGH } from '../kit/scale.ts'
import { address, browse, linkMailedTo, PASSWORD, url } from './browsing.ts'

/** How a person acts on a page. */
interface Hands {
  readonly scripts: boolean
  click(control: Locator): Promise<void>
  fill(field: Locator, text: string): Promise<void>
  choose(field: Locator, value: string): Promise<void>
}

const withoutScripts: Hands = {
  scripts: false,
  click: (control) => control.click(),
  fill: (field, text) => field.fill(text),
  async choose(field, value) {
    await field.selectOption(value)
  },
}

const MOST_TABS = 120

const byKeyboard: Hands = {
  scripts: true,
  async click(control) {
    await reach(control)
    await control.page().keyboard.press('Enter')
  },
  async fill(field, text) {
    await reach(field)
    await field.page().keyboard.press('ControlOrMeta+a')
    await field.page().keyboard.type(text)
  },
  async choose(field, value) {
    await reach(field)
    await field.page().keyboard.type(value)
    expect(await field.inputValue()).toBe(value)
  },
}

/** Moves the focus with the tabulator alone. */
async function reach(control: Locator): Promise<void> {
  await control.waitFor()
  for (let presses = 0; presses < MOST_TABS; presses += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) return
    await control.page().keyboard.press('Tab')
  }
  throw new Error(`The keyboard does not reach ${String(control)}.`)
}

async function invite(page: Page, hands: Hands, emails: readonly string[]): Promise<void> {
  await hands.click(page.getByRole('link', { name: 'Invitations' }))
  const addresses = page.getByLabel('E-mail addresses')
  await hands.fill(addresses, emails.join(' '))
  await hands.choose(
    page.getByRole('region', { name: 'Invite people' }).getByLabel('Role'),
    'member'
  )
  await hands.click(page.getByRole('button', { name: 'Invite', exact: true }))
}

async function live(hands: Hands): Promise<void> {
  const [ada, ben, eve, kim] = ['ada', 'ben', 'eve', 'kim'].map(address) as [
    string,
    string,
    string,
    string,
  ]
  const page = await browse({ scripts: hands.scripts })
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  const link = (name: string) => page.getByRole('link', { name, exact: true })
  const says = (text: string | RegExp) => page.getByRole('status').getByText(text).waitFor()

  // Sign up, create.
  await page.goto(url())
  await hands.click(link('Sign up'))
  await hands.fill(page.getByLabel('E-mail address'), ada)
  await hands.fill(page.getByLabel('Password'), PASSWORD)
  await hands.click(button('Sign up'))
  await hands.fill(page.getByLabel('Name of the organization'), 'Story')
  await hands.click(button('Create an organization'))
  await says('The organization was created.')
  const slug = new URL(page.url()).pathname.split('/')[2] ?? ''

  // Invite; the recipient follows the link of the mail and accepts.
  await invite(page, hands, [ben])
  await says('1 of 1 invited')
  const guest = await browse({ scripts: hands.scripts })
  const mailed = await linkMailedTo(ben)
  await guest.goto(mailed)
  if (!hands.scripts) {
    await hands.fill(guest.getByLabel('Link or code'), mailed)
    await hands.click(guest.getByRole('button', { name: 'Show the invitation' }))
  }
  await hands.fill(guest.getByLabel('Password'), PASSWORD)
  await hands.click(guest.getByRole('button', { name: 'Accept' }))
  await guest.getByText('You are a member of Story now.').waitFor()

  // Hit the limit of three seats, buy, add.
  await invite(page, hands, [eve, kim])
  await says('1 of 2 invited')
  await page.getByText('All seats are taken: 3 of 3 are in use.').waitFor()
  await hands.click(link('Billing'))
  await hands.choose(page.getByRole('combobox', { name: 'Plan' }), 'team')
  await hands.fill(page.getByLabel('Seats to pay for'), '6')
  await hands.click(button('To the checkout'))
  await link('Continue').waitFor()
  const paid = await fetch(url(`/dev/billing/${slug}`), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'checkout_completed', plan: 'team', seats: 6 }),
  })
  expect(paid.status).toBe(202)
  await invite(page, hands, [kim])
  await says('1 of 1 invited')

  // Suspend, restore, transfer, leave.
  await hands.click(link('Members'))
  await hands.click(page.getByRole('button', { name: `Manage ${ben}` }))
  await hands.click(button('Suspend'))
  await says('suspended')
  await hands.click(page.getByRole('button', { name: `Manage ${ben}` }))
  await hands.click(button('Restore'))
  await says('active again')
  await hands.click(page.getByRole('button', { name: `Manage ${ben}` }))
  await hands.click(link('Transfer the ownership'))
  await hands.fill(page.getByLabel('Type'), slug)
  await hands.fill(page.getByLabel('Password'), PASSWORD)
  await hands.click(button('Transfer the ownership'))
  await says('The ownership was transferred.')
  await hands.click(button('Leave the organization'))
  await hands.click(page.getByRole('dialog').getByRole('button', { name: 'Leave' }))
  await says('You have left Story.')
  await page.getByRole('heading', { name: 'You are not in an organization yet.' }).waitFor()
}

describe('the story of an organization', () => {
  it('is lived without scripts', () => live(withoutScripts))

  it.runIf(THOROUGH)('works with the keyboard alone', () => live(byKeyboard))
})
