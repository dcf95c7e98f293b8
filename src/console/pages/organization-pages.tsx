import { listOwnInvitations } from '../../operations/invitations/list.ts'
import { updateSlug } from '../../operations/organizations/change-slug.ts'
import { createOrganization } from '../../operations/organizations/create.ts'
import { softDeleteOrganization } from '../../operations/organizations/delete.ts'
import { joinOrganization } from '../../operations/joining/join.ts'
import { withdrawJoinRequest } from '../../operations/joining/decline.ts'
import {
  joinableIn,
  joinableQueries,
  ownRequests,
  type JoinableOrganization,
} from '../../operations/joining/list.ts'
import { listOrganizationsAnd, ownSeats } from '../../operations/organizations/get.ts'
import { renameOrganization } from '../../operations/organizations/update.ts'
import { ok } from '../../base/result.ts'
import { hasInvitations, hasJoining } from '../../hono/router-parts.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Confirm, Facts, Field, Form, Name, Pages, Section, Table, Time } from '../elements.tsx'
import { showOrganizationPage, showPage } from '../layout.tsx'
import { ProofField, proofIn } from '../proof-field.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import { seatsIn } from './seat-pages.tsx'
import {
  afterAct,
  afterJoin,
  baseOf,
  granted,
  homeOf,
  inOrganization,
  may,
  onlyIf,
  pageIn,
  pathIn,
  pathOf,
  readFields,
  scopeOf,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'

/** The pages of the caller's organizations, and the settings of one. */
export function organizationPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup

  routes.signedIn('/', async (c) => {
    const cursor = c.req.query('cursor')
    const { page, joinable, requests, seats } = granted(await ownOrganizations(seatgate, c))
    const asked =
      cursor === undefined && hasInvitations(seatgate) && seatgate.emailVerification !== null
        ? granted(await listOwnInvitations(seatgate, scopeOf(c))).data
        : []
    const words = wordsOf(c)
    const base = baseOf(c)
    const [only, ...further] = page.data
    // A person in one organization, without a decision to make, comes to its pages.
    const around = further.length + asked.length + joinable.length + requests.length
    if (only && around === 0 && !new URL(c.req.url).search) {
      return c.redirect(pathOf(c, only.organization.slug))
    }
    return showPage(setup, c, {
      words,
      title: words.text('organizations'),
      content: (
        <div class="narrow">
          <h1>{words.text('organizations')}</h1>
          {asked.length > 0 && (
            <Section id="asked" title={words.text('ownInvitations')}>
              <Table
                words={words}
                caption={words.text('invitationsCount', { count: asked.length })}
                head={['name', 'role', 'expires']}
                rows={asked.map(({ organization, role, expiresAt }) => [
                  <Name>{organization.name}</Name>,
                  role,
                  <Time at={expiresAt} words={words} />,
                ])}
              />
              <p>
                <a href={`${base}/invitation`}>{words.text('inv_paste')}</a>
              </p>
            </Section>
          )}
          {requests.length > 0 && (
            <Section id="requests" title={words.text('ownRequests')}>
              <Table
                words={words}
                caption={words.text('requestsCount', { count: requests.length })}
                head={['name', 'status', 'actions']}
                rows={requests.map(({ id, state, name }) => [
                  <Name>{name}</Name>,
                  words.word('request', state),
                  <Form action={`${base}/withdraw/${id}`} operation={seatgate.newId()}>
                    <button aria-label={words.text('withdrawFor', { organization: name })}>
                      {words.text('withdraw')}
                    </button>
                  </Form>,
                ])}
              />
            </Section>
          )}
          {joinable.length > 0 && (
            <JoinableSection
              action={`${base}/join`}
              newId={seatgate.newId}
              words={words}
              joinable={joinable}
            />
          )}
          {page.data.length === 0 ? (
            <Section id="none" title={words.text('organizationsNone')}>
              <p>{words.text('organizationsNoneHelp')}</p>
              <CreateForm action={`${base}/new`} operation={seatgate.newId()} words={words} />
            </Section>
          ) : (
            <>
              <section aria-label={words.text('organizations')}>
                <Table
                  words={words}
                  caption={words.text('organizationsCount', { count: page.data.length })}
                  head={['name', 'yourRole', 'seats']}
                  rows={page.data.map(({ organization, role }) => [
                    <>
                      <a href={pathOf(c, organization.slug)}>
                        <Name>{organization.name}</Name>
                      </a>
                      <small>{organization.slug}</small>
                    </>,
                    role,
                    seats.get(organization.id),
                  ])}
                />
                <Pages path={homeOf(c)} c={c} next={page.nextCursor} words={words} />
              </section>
              <p class="pages">
                <a class="button" href={`${base}/new`}>
                  {words.text('createOrganization')}
                </a>
              </p>
            </>
          )}
        </div>
      ),
    })
  })

  routes.signedIn('/new', (c) => {
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: words.text('createOrganization'),
      narrow: true,
      content: (
        <>
          <h1>{words.text('createOrganization')}</h1>
          <section>
            <CreateForm action={`${baseOf(c)}/new`} operation={seatgate.newId()} words={words} />
          </section>
          <p class="pages">
            <a href={homeOf(c)}>{words.text('home')}</a>
          </p>
        </>
      ),
    })
  })

  routes.form('/new', async (c) => {
    const fields = await readFields(c)
    const input = { name: fields.get('name') }
    const created = await createOrganization(seatgate, scopeOf(c), input, fields.options)
    const to = created.ok ? pathOf(c, created.value.slug) : `${baseOf(c)}/new`
    return afterAct(c, created, to, 'organizationCreated')
  })

  if (hasJoining(seatgate)) {
    routes.form('/join', async (c) => {
      const fields = await readFields(c)
      const input = { organizationId: fields.get('organization') }
      const joined = await joinOrganization(seatgate, scopeOf(c), input, fields.options)
      return joined.ok
        ? afterJoin(c, joined.value, fields.get('name'))
        : afterAct(c, joined, homeOf(c), 'done')
    })
    routes.act('/withdraw/:id', homeOf, 'withdrawnDone', (c) =>
      withdrawJoinRequest(seatgate, scopeOf(c), c.req.param('id') ?? '')
    )
  }

  routes.page('/org/:org', (c) => c.redirect(pathIn(c, '/members')))

  routes.page('/org/:org/settings', (c) => {
    const { organization, role } = c.var
    const isOwner = role === seatgate.roles.owner
    onlyIf(may(c, 'organization:update'))
    return showOrganizationPage(setup, c, {
      key: 'settings',
      content: (words) => (
        <>
          <Section id="general" title={words.text('general')}>
            <Form action={pathIn(c, '/settings/rename')}>
              <Field label={words.text('organizationName')}>
                <input name="name" value={organization.name} maxlength={160} required />
              </Field>
              <p>
                <button>{words.text('save')}</button>
              </p>
            </Form>
            <Facts
              words={words}
              facts={[
                ['mfa', words.text(organization.enforceMfaForMembers ? 'yes' : 'no')],
                ['created', <Time at={organization.createdAt} words={words} day />],
              ]}
            />
          </Section>
          <Section id="slug" title={words.text('slug')}>
            <p>{words.text('slugHelp')}</p>
            <Form action={pathIn(c, '/settings/slug')} operation={seatgate.newId()}>
              <Field label={words.text('newSlug')}>
                <input name="slug" required autocomplete="off" spellcheck={false} />
              </Field>
              <Confirm words={words} text={<code>{organization.slug}</code>} />
              <ProofField setup={setup} words={words} />
              <p>
                <button>{words.text('save')}</button>
              </p>
            </Form>
          </Section>
          {isOwner && (
            <Section id="danger" title={words.text('danger')} grave>
              <h3>{words.text('deleteOrganization')}</h3>
              <p>{words.text('deleteHelp')}</p>
              <Form action={pathIn(c, '/settings/delete')} operation={seatgate.newId()}>
                <Confirm words={words} text={<Name>{organization.name}</Name>} />
                <ProofField setup={setup} words={words} />
                <p>
                  <button class="grave">{words.text('deleteOrganization')}</button>
                </p>
              </Form>
            </Section>
          )}
        </>
      ),
    })
  })

  routes.act(
    '/org/:org/settings/rename',
    (c) => pathIn(c, '/settings'),
    'renamed',
    (c, fields) =>
      renameOrganization(seatgate, inOrganization(c), {
        name: fields.get('name'),
      })
  )

  routes.form('/org/:org/settings/slug', async (c) => {
    const fields = await readFields(c)
    const changed = await updateSlug(
      seatgate,
      inOrganization(c),
      { slug: fields.get('slug'), confirmSlug: fields.get('confirm'), ...proofIn(setup, fields) },
      fields.options
    )
    const slug = changed.ok ? changed.value.slug : (c.req.param('org') ?? '')
    return afterAct(c, changed, pathOf(c, slug, '/settings'), 'slugChanged')
  })

  routes.form('/org/:org/settings/delete', async (c) => {
    const fields = await readFields(c)
    const deleted = await softDeleteOrganization(
      seatgate,
      inOrganization(c),
      { confirmName: fields.get('confirm'), ...proofIn(setup, fields) },
      fields.options
    )
    const to = deleted.ok ? homeOf(c) : pathIn(c, '/settings')
    return afterAct(c, deleted, to, 'deletedDone')
  })
}

/**
 * Lists the caller's organizations with their seats, their requests, and those that they may join, in one
 * round trip.
 */
async function ownOrganizations(seatgate: Seatgate, c: Visit) {
  const scope = scopeOf(c)
  const { cursor } = pageIn(c)
  const joining = cursor === undefined && hasJoining(seatgate) ? seatgate : null
  const listed = await listOrganizationsAnd(seatgate, scope, pageIn(c), {
    seats: ownSeats(seatgate, scope.caller),
    ...(joining && {
      ...joinableQueries(joining, scope.caller),
      requests: ownRequests(joining, scope.caller),
    }),
  })
  if (!listed.ok) return listed
  const { page, rows, caller } = listed.value
  return ok({
    page,
    seats: new Map(
      rows.seats.map(({ place, used, limit }) => [place, seatsIn(used, limit, wordsOf(c))])
    ),
    requests: rows.requests ?? [],
    joinable: joining ? joinableIn(joining, rows as Joinable, caller) : [],
  })
}

type Joinable = Parameters<typeof joinableIn>[1]

function JoinableSection({
  action,
  newId,
  words,
  joinable,
}: {
  action: string
  newId: () => string
  words: Words
  joinable: readonly JoinableOrganization[]
}) {
  return (
    <Section id="joinable" title={words.text('joinable')}>
      <p>{words.text('joinableHelp')}</p>
      <Table
        words={words}
        caption={words.text('organizationsCount', { count: joinable.length })}
        head={['name', 'actions']}
        rows={joinable.map(({ organization: { id, name }, mode }) => [
          <Name>{name}</Name>,
          <Form action={action} operation={newId()}>
            <input type="hidden" name="organization" value={id} />
            <input type="hidden" name="name" value={name} />
            <button
              class="primary"
              aria-label={words.text('joinFor', {
                act: words.text(`join_${mode}`),
                organization: name,
              })}
            >
              {words.text(`join_${mode}`)}
            </button>
          </Form>,
        ])}
      />
    </Section>
  )
}

function CreateForm({
  action,
  operation,
  words,
}: {
  action: string
  operation: string
  words: Words
}) {
  return (
    <Form action={action} operation={operation}>
      <Field label={words.text('organizationName')}>
        <input name="name" maxlength={160} required autocomplete="organization" />
      </Field>
      <p>
        <button class="primary">{words.text('createOrganization')}</button>
      </p>
    </Form>
  )
}
