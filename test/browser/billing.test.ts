import { describe, expect, it } from 'vitest'
import { waitFor } from '../../scripts/wait-for.ts'
import {
  actAs,
  addMember,
  ask,
  breakStore,
  browse,
  execute,
  expectAccessible,
  expectNoOverflow,
  found,
  PATIENCE_SECONDS,
  tolerate,
  url,
  type Founded,
} from './browsing.ts'

/** Does what the provider's customers and time do. */
const provider = ({ slug, token }: Founded, event: object) =>
  ask(token, 'POST', `/dev/billing/${slug}`, event)

describe('the billing page', () => {
  it('leads to the checkout, then shows the plan and its seats', async () => {
    const acme = await found('Billed')
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    await page.getByText('No plan').waitFor()
    await expectNoOverflow(page)
    await expectAccessible(page)
    await page.getByRole('combobox', { name: 'Plan' }).selectOption('team')
    await page.getByLabel('Seats to pay for').fill('5')
    await page.getByRole('button', { name: 'To the checkout' }).click()
    const link = page.getByRole('link', { name: 'Continue' })
    expect(await link.getAttribute('href')).toMatch(/^https:\/\/checkout\./)
    await expectAccessible(page)
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 5 })
    await page.goto(url(`/org/${acme.slug}/billing`))
    await page.getByText('team', { exact: true }).waitFor()
    await page.getByText('Active').waitFor()
    await expectAccessible(page)
  })

  it('previews and changes seats, and says how many have to be free for fewer', async () => {
    const acme = await found('Reduced')
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 4 })
    const emails = [(await addMember(acme)).email, (await addMember(acme)).email]
    const page = await browse({ scripts: false })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    await page.getByLabel('Seats to pay for').fill('6')
    const seats = page.getByRole('region', { name: 'Change the number of seats' })
    const price = seats.getByRole('button', { name: 'Show the price' })
    await price.click()
    await page.getByText(/Due now: .*\d/).waitFor()
    await page.getByRole('link', { name: 'Back', exact: true }).click()
    await page.getByLabel('Seats to pay for').fill('6')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The change is being sent').waitFor()
    await page.getByLabel('Seats to pay for').fill('1')
    await page.getByRole('button', { name: 'Save' }).click()
    const refused = await page.getByRole('alert').innerText()
    expect(refused).toMatch(/More seats are in use.*2 seats must be freed first/s)
    // Those who could leave, by name or address.
    for (const email of emails) expect(refused).toContain(email)
    await page.getByRole('link', { name: 'Back', exact: true }).click()
    await page.getByLabel('Seats to pay for').fill('1')
    await price.click()
    await page.getByText(emails[0] ?? '').waitFor()
  })

  it('cancels after a typed confirmation, and keeps the subscription after all', async () => {
    const acme = await found('Canceled')
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 4 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    const cancel = page.getByRole('button', { name: 'Cancel the subscription' })
    await page.getByLabel('Type').fill('wrong')
    await cancel.click()
    await page.getByText('The text does not match.').waitFor()
    await page.getByLabel('Type').fill(acme.slug)
    await cancel.click()
    await page.getByText('The subscription ends with the paid period.').waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Keep the subscription' }).click()
    await page.getByText('The subscription continues.').waitFor()
    await cancel.waitFor()
  })

  it('shows a trial with its end, and another plan with its price', async () => {
    const acme = await found('Tried')
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 4 })
    const end = Date.now() + 5 * 86_400_000
    await execute(
      `UPDATE seatgate_subscriptions SET status = 'trialing', trial_end = ? WHERE organization_id = ?`,
      end,
      acme.id
    )
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    await page.getByText('Trial until').waitFor()
    await page.getByText('The trial ends').waitFor()
    await expectAccessible(page)
    const plans = page.getByRole('region', { name: 'Choose a plan' })
    await plans.getByRole('combobox', { name: 'Plan' }).selectOption('flat')
    await plans.getByRole('button', { name: 'Show the price' }).click()
    await page.getByText(/Due now: /).waitFor()
    await page.getByRole('button', { name: 'Payment details and invoices' }).waitFor()
    await expectAccessible(page)
  })

  it('shows what is known, with its age, while the provider does not answer', async () => {
    const acme = await found('Cut Off')
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 4 })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    await breakStore(page, 'provider')
    await page.getByRole('button', { name: 'Payment details and invoices' }).click()
    expect(await page.getByRole('alert').innerText()).toContain('Try again in a moment')
    await page.getByText('team', { exact: true }).first().waitFor()
    await page.getByText(/As of (this|in 0|\d+) minutes?( ago)?/).waitFor()
    await expectAccessible(page)
  })

  it('shows a payment that is due', async () => {
    const acme = await found('Due')
    await provider(acme, { event: 'checkout_completed', plan: 'team', seats: 4 })
    await provider(acme, { event: 'payment_failed' })
    const page = await browse()
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/billing`))
    await page.getByText('Payment is due').waitFor()
    await page.getByText('Grace until').waitFor()
    await expectAccessible(page)
    const { token } = await addMember(acme)
    await actAs(page, token)
    tolerate(/403/)
    expect((await page.goto(url(`/org/${acme.slug}/billing`)))?.status()).toBe(403)
  })
})

describe('the pages of log streams', () => {
  it('show a stream that is behind, its attempts and dead letters, and send again', async () => {
    const acme = await found('Streamed')
    const page = await browse({ width: 320 })
    await actAs(page, acme.token)
    await page.goto(url(`/org/${acme.slug}/sinks`))
    await page.getByText(/\d+ events? since/).waitFor()
    await expectNoOverflow(page)
    await expectAccessible(page)
    await waitFor('an attempt', PATIENCE_SECONDS, async () => {
      await page.goto(url(`/org/${acme.slug}/sinks/webhook/attempts`))
      return (await page.getByRole('cell', { name: 'Failed, will retry' }).count()) > 0 || undefined
    })
    await expectAccessible(page)
    await page.goto(url(`/org/${acme.slug}/sinks/webhook/dead-letters`))
    await page.getByText('No dead letters.').waitFor()
    await expectAccessible(page)
    tolerate(/404/)
    const absent = await page.goto(url(`/org/${acme.slug}/sinks/nothing/attempts`))
    expect(absent?.status()).toBe(404)
  })
})
