import type { Child } from 'hono/jsx'
import type { Refusal, Result } from '../../base/result.ts'
import type { NamedUser } from '../../engine/model/named-users.ts'
import { getBilling, type BillingView } from '../../operations/billing/get-billing.ts'
import {
  cancelSubscription,
  requestSeats,
  resumeSubscription,
} from '../../parts/billing/change-subscription.ts'
import {
  openCheckout,
  openPortal,
  previewChange,
  type PreviewView,
} from '../../parts/billing/checkout.ts'
import type { BillingConnection, ConnectionContext } from '../../parts/billing/connection.ts'
import type { Seatgate } from '../../seatgate.ts'
import {
  Back,
  Confirm,
  Deadline,
  Facts,
  Field,
  Form,
  MustFree,
  RefusalNotice,
  Section,
  Time,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { TextKey } from '../texts/en.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  granted,
  inOrganization,
  pathIn,
  readFields,
  withOutcome,
  type Console,
  type Visit,
} from '../visit.ts'
import { limitWords } from './seat-pages.tsx'

/** The page of an organization's plan, subscription and bought seats. */
export function billingPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup
  const connection = setup.options.billing ?? null
  const all = (c: Visit) => pathIn(c, '/billing')

  routes.page('/org/:org/billing', async (c) => {
    const billing = granted(await getBilling(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'billing',
      content: (words) => (
        <>
          <Overview
            words={words}
            billing={billing}
            seatsPath={pathIn(c, '/seats')}
            now={seatgate.now()}
          />
          {connection && <Changes setup={setup} c={c} words={words} billing={billing} />}
        </>
      ),
    })
  })

  if (connection !== null) paymentForms(setup, connection, routes, all)
}

// The pages of a provider are elsewhere, where a form may not lead: a link does.
function paymentForms(
  setup: Console,
  connection: BillingConnection,
  routes: Routes,
  all: (c: Visit) => string
): void {
  const { seatgate } = setup
  const context: Seatgate & ConnectionContext = { ...seatgate, connection }
  /** Runs an operation that may name who could leave, and collects them. */
  const withUsers = async <T,>(run: (named: typeof context) => Promise<T>) => {
    let users: readonly NamedUser[] = []
    const result = await run({ ...context, onCandidates: (named) => void (users = named) })
    return [result, users] as const
  }
  // Not a redirect: those who could leave are shown in this response.
  const mustFree = (c: Visit, refusal: Refusal, users: readonly NamedUser[]) =>
    showOrganizationPage(setup, c, {
      key: 'billing',
      content: (words) => (
        <>
          <RefusalNotice refusal={refusal} users={users} words={words} />
          <p>
            <Back to={all(c)} words={words} />
          </p>
        </>
      ),
    })
  const answered = (
    c: Visit,
    [result, users]: readonly [Result<unknown>, readonly NamedUser[]],
    done: TextKey
  ) =>
    !result.ok && result.error.code === 'seats_in_use'
      ? mustFree(c, result.error, users)
      : afterAct(c, result, all(c), done)
  const leading = (
    c: Visit,
    result: Result<{ readonly url: string }>,
    key: TextKey,
    users: readonly NamedUser[] = []
  ): Response | Promise<Response> => {
    if (!result.ok) return answered(c, [result, users], 'done')
    return showOrganizationPage(setup, c, {
      key: 'billing',
      content: (words) => (
        <section aria-label={words.text('billing')}>
          <p role="status">{words.text(key)}</p>
          <p class="line">
            <a class="button primary" href={result.value.url} rel="noreferrer">
              {words.text('continue')}
            </a>
            <Back to={all(c)} words={words} />
          </p>
        </section>
      ),
    })
  }

  routes.organizationForm('/org/:org/billing/checkout', async (c) => {
    const fields = await readFields(c)
    const seats = fields.get('seats')
    const input = { plan: fields.get('plan'), ...(seats !== '' && { seats: Number(seats) }) }
    const [opened, users] = await withUsers((named) =>
      openCheckout(named, inOrganization(c), input, fields.options)
    )
    return leading(c, opened, 'checkoutReady', users)
  })
  routes.organizationForm('/org/:org/billing/portal', async (c) => {
    await readFields(c)
    return leading(c, await openPortal(context, inOrganization(c)), 'portalReady')
  })
  routes.organizationForm('/org/:org/billing/seats', async (c) => {
    const fields = await readFields(c)
    const input = { seats: Number(fields.get('seats')) }
    const requested = await withUsers((named) =>
      requestSeats(named, inOrganization(c), input, fields.options)
    )
    return answered(c, requested, 'seatsRequested')
  })
  routes.organizationForm('/org/:org/billing/preview', async (c) => {
    const fields = await readFields(c)
    const [plan, seats] = [fields.get('plan'), fields.get('seats')]
    const input = plan === '' ? { seats: Number(seats) } : { plan }
    const [preview, users] = await withUsers((named) =>
      previewChange(named, inOrganization(c), input)
    )
    if (!preview.ok) return answered(c, [preview, users], 'done')
    return showOrganizationPage(setup, c, {
      key: 'billing',
      content: (words) => (
        <section aria-label={words.text('preview')}>
          <Price words={words} preview={preview.value} users={users} />
          {/* The plan changes on the pages of the provider. */}
          {plan !== '' && <PortalForm path={all(c)} words={words} />}
          <p>
            <Back to={all(c)} words={words} />
          </p>
        </section>
      ),
    })
  })
  routes.form('/org/:org/billing/cancel', async (c) => {
    const fields = await readFields(c)
    if (fields.get('confirm') !== fields.get('expected')) {
      return withOutcome(c, { kind: 'wrong', key: 'typedWrong' }, all(c))
    }
    const canceled = await cancelSubscription(
      context,
      inOrganization(c),
      { atPeriodEnd: true },
      fields.options
    )
    return afterAct(c, canceled, all(c), 'canceledDone')
  })
  routes.act('/org/:org/billing/resume', all, 'resumedDone', (c, { options }) =>
    resumeSubscription(context, inOrganization(c), options)
  )
}

function Price({
  words,
  preview,
  users,
}: {
  words: Words
  preview: PreviewView
  users: readonly NamedUser[]
}) {
  const { amountDue, currency, lines, mustFree } = preview
  const money = (amount: number) => moneyIn(words, currency ?? 'usd', amount)
  return (
    <>
      {amountDue !== null && (
        <p class="figure">{words.text('previewDue', { amount: money(amountDue) })}</p>
      )}
      {lines.length > 0 && (
        <ul>
          {lines.map(({ description, amount }) => (
            <li>
              {description}: {money(amount)}
            </li>
          ))}
        </ul>
      )}
      {mustFree.seats > 0 && <MustFree mustFree={mustFree} users={users} words={words} />}
    </>
  )
}

// Amounts are in minor units, and a currency has zero, two or three digits of them.
function moneyIn({ language }: Words, currency: string, amount: number): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(amount / 10 ** digits)
}

function Overview({
  words,
  billing,
  seatsPath,
  now,
}: {
  words: Words
  billing: BillingView
  seatsPath: string
  now: Date
}) {
  const { plan, status, seats, overLimitSince, scheduled, syncedAt } = billing
  const time = (at: string | null): Child => at !== null && <Time at={at} words={words} />
  const facts: readonly (readonly [TextKey, Child])[] = [
    ['subscription', words.word('subscription', status)],
    ['included', limitWords(seats.included, words)],
    ['purchased', limitWords(seats.purchased, words)],
    ['limit', limitWords(seats.limit, words)],
    ['used', words.number(seats.used)],
    ['periodEnd', time(billing.currentPeriodEnd)],
    ['trialEnd', time(billing.trialEnd)],
    ['graceEnd', time(billing.graceEnd)],
    [
      'scheduled',
      scheduled && (
        <>
          {words.word('change', scheduled.change)} <Time at={scheduled.at} words={words} />
        </>
      ),
    ],
  ]
  return (
    <Section id="overview" title={words.text('plan')}>
      {overLimitSince !== null && (
        <div class="notice bad" role="alert">
          <p>
            {words.text('overSince')} <Time at={overLimitSince} words={words} />.{' '}
            {words.text('overLimitHelp')} <a href={seatsPath}>{words.text('seats')}</a>
          </p>
        </div>
      )}
      <p class="figure">{plan ?? words.text('planNone')}</p>
      {!billing.granting && status !== 'none' && (
        <p class="bad">{words.word('grant', billing.reason)}</p>
      )}
      <Facts words={words} facts={facts} />
      {syncedAt !== null && (
        <p class="soft">
          {words.say('checkedAt', { time: <Deadline at={syncedAt} words={words} now={now} /> })}
        </p>
      )}
    </Section>
  )
}

function Changes({
  setup: { seatgate },
  c,
  words,
  billing,
}: {
  setup: Console
  c: Visit
  words: Words
  billing: BillingView
}) {
  const path = pathIn(c, '/billing')
  const plans = [...(seatgate.billing?.plans.values() ?? [])].filter(({ prices }) => prices.length)
  const { slug } = c.var.organization
  if (billing.status === 'none' || billing.status === 'canceled') {
    return (
      <Section id="checkout" title={words.text('choosePlan')}>
        <Form action={`${path}/checkout`} operation={seatgate.newId()}>
          <div class="line">
            <PlanSelect words={words} plans={plans} />
            <SeatsField words={words} billing={billing} />
            <button class="primary">{words.text('checkout')}</button>
          </div>
        </Form>
      </Section>
    )
  }
  const ends = billing.scheduled?.change === 'cancel'
  return (
    <>
      <Section id="buy" title={words.text('buySeats')}>
        <Form action={`${path}/seats`} operation={seatgate.newId()}>
          <div class="line">
            <SeatsField words={words} billing={billing} required />
            <button formaction={`${path}/preview`}>{words.text('preview')}</button>
            <button class="primary">{words.text('save')}</button>
          </div>
        </Form>
      </Section>
      <Section id="plan" title={words.text('choosePlan')}>
        <Form action={`${path}/preview`}>
          <div class="line">
            <PlanSelect words={words} plans={plans.filter(({ name }) => name !== billing.plan)} />
            <button>{words.text('preview')}</button>
          </div>
        </Form>
      </Section>
      <Section id="portal" title={words.text('portal')}>
        <PortalForm path={path} words={words} />
      </Section>
      <Section
        id="cancel"
        title={words.text(ends ? 'resumeSubscription' : 'cancelSubscription')}
        grave={!ends}
      >
        {ends ? (
          <Form action={`${path}/resume`} operation={seatgate.newId()}>
            <button>{words.text('resumeSubscription')}</button>
          </Form>
        ) : (
          <Form action={`${path}/cancel`} operation={seatgate.newId()}>
            <p>{words.text('cancelHelp')}</p>
            <Confirm words={words} text={<code>{slug}</code>} />
            <input type="hidden" name="expected" value={slug} />
            <p>
              <button class="grave">{words.text('cancelSubscription')}</button>
            </p>
          </Form>
        )}
      </Section>
    </>
  )
}

function SeatsField({
  words,
  billing: { seats },
  required,
}: {
  words: Words
  billing: BillingView
  required?: true
}) {
  const value = Math.max(1, seats.used, Number(seats.purchased) || 0)
  return (
    <Field label={words.text('seatsToPay')}>
      <input name="seats" type="number" min={1} required={required} value={value} />
    </Field>
  )
}

function PlanSelect({
  words,
  plans,
}: {
  words: Words
  plans: readonly { readonly name: string }[]
}) {
  return (
    <Field label={words.text('plan')}>
      <select name="plan">
        {plans.map(({ name }) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </Field>
  )
}

function PortalForm({ path, words }: { path: string; words: Words }) {
  return (
    <Form action={`${path}/portal`}>
      <button>{words.text('portal')}</button>
    </Form>
  )
}
