import type { Context } from 'hono'
import type { Child } from 'hono/jsx'
import { isUser, type Principal } from '../../engine/access/principal.ts'
import { listEventsAndUsers } from '../../operations/audit/list.ts'
import { endImpersonation } from '../../parts/impersonation/end.ts'
import type { ImpersonationContext } from '../../parts/impersonation/impersonation.ts'
import {
  listImpersonationsAndUsers,
  listOwnImpersonations,
} from '../../parts/impersonation/list.ts'
import { startImpersonation } from '../../parts/impersonation/start.ts'
import type { Seatgate } from '../../seatgate.ts'
import { forgetActing, keepActing } from '../acting.ts'
import {
  Back,
  Deadline,
  Field,
  Form,
  Name,
  Pages,
  Section,
  Table,
  Time,
  UserById,
} from '../elements.tsx'
import { showOrganizationPage, showPage } from '../layout.tsx'
import { ProofField, proofIn } from '../proof-field.tsx'
import { afterActWith } from '../refusal-words.ts'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  baseOf,
  granted,
  inOrganization,
  pageIn,
  pathIn,
  pathOf,
  readFields,
  scopeOf,
  withOutcome,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & ImpersonationContext }

const ACTING = '/org/:org/impersonations'
const OWN = '/impersonations'

/** The pages of impersonations: those in an organization, its earlier ones, and those of an operator. */
export function actingPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const { mostMinutes } = seatgate.impersonation
  const own = (c: Visit) => `${baseOf(c)}${OWN}`

  routes.page(ACTING, async (c) => {
    const scope = inOrganization(c)
    const { data, users } = granted(await listImpersonationsAndUsers(seatgate, scope))
    return showOrganizationPage(setup, c, {
      key: 'impersonations',
      content: (words) => (
        <section aria-label={words.text('impersonations')}>
          <p>{words.text('actingHelp')}</p>
          <Table
            empty="actingNone"
            words={words}
            caption={words.text('actingCount', { count: data.length })}
            head={['actingOperator', 'actingUser', 'reason', 'since', 'until']}
            rows={data.map(({ operatorId, userId, reason, createdAt, expiresAt }) => [
              <UserById id={operatorId} users={users} />,
              <UserById id={userId} users={users} />,
              <Name>{reason}</Name>,
              <Time at={createdAt} words={words} />,
              <Deadline at={expiresAt} words={words} now={seatgate.now()} />,
            ])}
          />
          <p class="pages">
            <a href={pathIn(c, `${OWN}/earlier`)}>{words.text('actingEarlier')}</a>
          </p>
        </section>
      ),
    })
  })

  routes.page(`${ACTING}/earlier`, async (c) => {
    const filter = { action_prefix: 'organization.impersonation.', ...pageIn(c) }
    const page = granted(await listEventsAndUsers(seatgate, inOrganization(c), filter))
    const { data, users, nextCursor } = page
    const path = pathIn(c, `${OWN}/earlier`)
    return showOrganizationPage(setup, c, {
      key: 'impersonations',
      content: (words) => (
        <section aria-label={words.text('actingEarlier')}>
          <Table
            empty="auditNone"
            words={words}
            caption={words.text('actingEarlier')}
            head={['auditWhen', 'auditWhat', 'actingOperator', 'actingUser', 'reason', 'until']}
            rows={data.map(({ occurredAt, action, actorId, targetId, metadata }) => [
              <Time at={occurredAt} words={words} />,
              words.event(action),
              <UserById id={actorId ?? ''} users={users} />,
              <UserById id={targetId ?? ''} users={users} />,
              <Name>{textOf(metadata['reason'])}</Name>,
              textOf(metadata['expires_at']) && (
                <Time at={textOf(metadata['expires_at'])} words={words} />
              ),
            ])}
          />
          <Pages path={path} c={c} next={nextCursor} words={words} />
          <p class="pages">
            <Back to={pathIn(c, OWN)} words={words} />
          </p>
        </section>
      ),
    })
  })

  // Sent below the organization's path, where browsers send the token: the caller is the user as whom they act.
  routes.form(`${ACTING}/:id/end`, async (c) => {
    const { options } = await readFields(c)
    const id = c.req.param('id') ?? ''
    const ended = await endImpersonation(seatgate, inOrganization(c), id, options)
    forgetActing(c, c.req.param('org') ?? '')
    return afterAct(c, ended, own(c), 'actingEnded')
  })

  routes.signedIn(OWN, async (c) => {
    const { data } = granted(await listOwnImpersonations(seatgate, scopeOf(c)))
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: words.text('impersonations'),
      narrow: true,
      content: (
        <>
          <h1>{words.text('impersonations')}</h1>
          <section aria-label={words.text('actingOwn')}>
            <Table
              empty="actingNone"
              words={words}
              caption={words.text('actingOwn')}
              head={['actingUser', 'reason', 'until', 'actions']}
              rows={data.map(({ id, organizationId, userId, reason, expiresAt }) => [
                <>
                  <code>{userId}</code>
                  <small>
                    <a href={pathOf(c, organizationId)}>{words.text('continue')}</a>
                  </small>
                </>,
                <Name>{reason}</Name>,
                <Deadline at={expiresAt} words={words} now={seatgate.now()} />,
                <Form action={`${own(c)}/end`} operation={seatgate.newId()}>
                  <input type="hidden" name="organization" value={organizationId} />
                  <input type="hidden" name="id" value={id} />
                  <button aria-label={words.text('actingEndFor', { user: userId })}>
                    {words.text('actingEnd')}
                  </button>
                </Form>,
              ])}
            />
          </section>
          <Section id="begin" title={words.text('actingBegin')}>
            <Form action={own(c)} operation={seatgate.newId()}>
              <Field label={words.text('actingOrganization')}>
                <input name="organization" required autocomplete="off" spellcheck={false} />
              </Field>
              <Field label={words.text('actingUserId')}>
                <input name="user" required autocomplete="off" spellcheck={false} />
              </Field>
              <Field label={words.text('actingReason')}>
                <input name="reason" required minlength={10} maxlength={500} />
              </Field>
              <Field label={words.text('actingMinutes')}>
                <input type="number" name="minutes" min={1} max={mostMinutes} value={15} required />
              </Field>
              <ProofField setup={setup} words={words} />
              <p>
                <button class="primary">{words.text('actingBegin')}</button>
              </p>
            </Form>
          </Section>
          <p class="pages">
            <Back to={`${baseOf(c)}/platform`} words={words} />
          </p>
        </>
      ),
    })
  })

  routes.form(OWN, async (c) => {
    const fields = await readFields(c)
    const begun = await startImpersonation(
      seatgate,
      { ...scopeOf(c), organization: fields.get('organization').trim() },
      {
        userId: fields.get('user').trim(),
        reason: fields.get('reason').trim(),
        minutes: Number(fields.get('minutes') || Number.NaN),
        ...proofIn(setup, fields),
      },
      fields.options
    )
    if (!begun.ok) return afterActWith(c, { too_many: 'actingMany' }, begun, own(c), 'done')
    const { token, organizationId, createdAt, expiresAt } = begun.value
    // The form was sent twice: the first response had the token.
    if (token === null) return withOutcome(c, { kind: 'wrong', key: 'actingTwice' }, own(c))
    const seconds = (Date.parse(expiresAt) - Date.parse(createdAt)) / 1000
    keepActing(c, { token, organizationId }, seconds)
    return c.redirect(pathOf(c, organizationId), 303)
  })

  routes.form(`${OWN}/end`, async (c) => {
    const fields = await readFields(c)
    const organization = fields.get('organization')
    const scope = { ...scopeOf(c), organization }
    const ended = await endImpersonation(seatgate, scope, fields.get('id'), fields.options)
    forgetActing(c, organization)
    return afterAct(c, ended, own(c), 'actingEnded')
  })
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The banner of an operator who acts as a user, and on the first page of operators the link to theirs. */
export function actingNotice(c: Context, words: Words): Child {
  const { caller } = (c as Visit).var as { readonly caller?: Principal | null }
  if (caller && isUser(caller) && caller.impersonation) {
    const { userId, impersonation } = caller
    const { id, organizationId } = impersonation
    return (
      <div class="notice bad" role="note" aria-label={words.text('impersonations')}>
        <p>{words.say('actingBanner', { user: <code>{userId}</code> })}</p>
        <Form action={pathOf(c, organizationId, `${OWN}/${id}/end`)}>
          <button>{words.text('actingEnd')}</button>
        </Form>
      </div>
    )
  }
  const isPlatform = c.req.path === `${baseOf(c)}/platform` && c.error === undefined
  return (
    isPlatform && (
      <p class="pages">
        <a href={`${baseOf(c)}${OWN}`}>{words.text('actingBegin')}</a>
      </p>
    )
  )
}
