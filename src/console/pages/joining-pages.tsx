import { mayChangeRole } from '../../engine/access/roles.ts'
import type { Domain } from '../../engine/model/join-request.ts'
import { addDomain } from '../../operations/joining/add-domain.ts'
import { approveJoinRequest } from '../../operations/joining/approve.ts'
import { removeDomain, setDomainMode } from '../../operations/joining/change-domain.ts'
import { declineJoinRequest } from '../../operations/joining/decline.ts'
import type { JoiningContext } from '../../operations/joining/join-rules.ts'
import {
  listDomains,
  listJoinRequests,
  type ListedJoinRequest,
} from '../../operations/joining/list.ts'
import { verifyDomain } from '../../operations/joining/verify-domain.ts'
import type { Seatgate } from '../../seatgate.ts'
import {
  Dialog,
  Empty,
  Field,
  Form,
  Name,
  Pages,
  Person,
  RoleSelect,
  Section,
  Table,
  Time,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import { granted, inOrganization, pageIn, pathIn, type Console, type Visit } from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & Pick<JoiningContext, 'joining'> }

const MODES = ['off', 'request', 'auto'] as const
type Mode = (typeof MODES)[number]

/** The pages of requests to join, with the waitlist, and of domains. */
export function joiningPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const requests = (c: Visit) => pathIn(c, '/requests')
  const domains = (c: Visit) => pathIn(c, '/domains')
  const idIn = (c: Visit) => c.req.param('id') ?? ''

  routes.page('/org/:org/requests', async (c) => {
    const page = granted(await listJoinRequests(seatgate, inOrganization(c), pageIn(c)))
    return showOrganizationPage(setup, c, {
      key: 'requests',
      content: (words) => (
        <section aria-label={words.text('requests')}>
          <p>{words.text('waitingHelp')}</p>
          <Table
            empty="requestsNone"
            words={words}
            caption={words.text('requestsCount', { count: page.data.length })}
            head={['name', 'role', 'status', 'since', 'actions']}
            rows={page.data.map((request) => [
              <Person user={request.user} words={words} />,
              request.role,
              <State words={words} {...request} />,
              <Time at={request.createdAt} words={words} />,
              <RequestActs setup={setup} c={c} words={words} request={request} />,
            ])}
          />
          <Pages path={requests(c)} c={c} next={page.nextCursor} words={words} />
        </section>
      ),
    })
  })

  routes.act('/org/:org/requests/:id/approve', requests, 'approvedDone', (c, fields) => {
    const input = { role: fields.get('role') }
    return approveJoinRequest(seatgate, inOrganization(c), idIn(c), input, fields.options)
  })
  routes.act('/org/:org/requests/:id/decline', requests, 'declinedDone', (c, fields) =>
    declineJoinRequest(seatgate, inOrganization(c), idIn(c), fields.options)
  )

  routes.page('/org/:org/domains', async (c) => {
    const { data } = granted(await listDomains(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'domains',
      content: (words) => (
        <>
          <Section id="add" title={words.text('domainAdd')}>
            <p>{words.text('domainsHelp')}</p>
            <Form action={domains(c)} operation={seatgate.newId()}>
              <div class="line">
                <Field label={words.text('domain')}>
                  <input name="domain" required autocomplete="off" spellcheck={false} />
                </Field>
                <ModeSelect words={words} mode="request" />
                <button class="primary">{words.text('domainAdd')}</button>
              </div>
            </Form>
          </Section>
          {data.length === 0 && <Empty>{words.text('domainsNone')}</Empty>}
          {data.map((domain) => (
            <DomainSection setup={setup} c={c} words={words} domain={domain} />
          ))}
        </>
      ),
    })
  })

  routes.act('/org/:org/domains', domains, 'domainAdded', (c, fields) => {
    const input = { domain: fields.get('domain'), mode: modeIn(fields.get('mode')) }
    return addDomain(seatgate, inOrganization(c), input, fields.options)
  })
  routes.act('/org/:org/domains/:id/mode', domains, 'domainModeChanged', (c, fields) => {
    const input = { mode: modeIn(fields.get('mode')) }
    return setDomainMode(seatgate, inOrganization(c), idIn(c), input)
  })
  routes.act('/org/:org/domains/:id/verify', domains, 'domainVerified', (c, fields) =>
    verifyDomain(seatgate, inOrganization(c), idIn(c), fields.options)
  )
  routes.act('/org/:org/domains/:id/remove', domains, 'domainRemoved', (c) =>
    removeDomain(seatgate, inOrganization(c), idIn(c))
  )
}

// The operation checks it.
function modeIn(text: string): Mode {
  return text as Mode
}

function State({ words, state, ahead }: ListedJoinRequest & { words: Words }) {
  return (
    <>
      {words.word('request', state)}
      {ahead !== null && (
        <small>
          {' '}
          {ahead === 0 ? words.text('waitingNext') : words.text('ahead', { count: ahead })}
        </small>
      )}
    </>
  )
}

function RequestActs({
  setup: { seatgate },
  c,
  words,
  request,
}: {
  setup: Setup
  c: Visit
  words: Words
  request: ListedJoinRequest
}) {
  const { id, user, role, state } = request
  const { organizationRoles: roles } = c.var
  const to = (act: string) => pathIn(c, `/requests/${encodeURIComponent(id)}/${act}`)
  const name = user.name ?? user.email
  const open = roles.all.filter((one) => mayChangeRole(roles, c.var, null, one))
  return (
    <>
      {state === 'open' && (
        <Dialog
          id={`approve-${id}`}
          open={words.text('approve')}
          label={words.text('approveFor', { name })}
          title={words.say('approveFor', { name: <Name>{name}</Name> })}
          cancel={words.text('cancel')}
        >
          <Form action={to('approve')} operation={seatgate.newId()}>
            <RoleSelect label={words.text('role')} roles={open} role={role} />
            <button class="primary">{words.text('approve')}</button>
          </Form>
        </Dialog>
      )}{' '}
      <Dialog
        id={`decline-${id}`}
        open={words.text('decline')}
        label={words.text('declineFor', { name })}
        title={words.say('declineFor', { name: <Name>{name}</Name> })}
        cancel={words.text('cancel')}
        grave
      >
        <Form action={to('decline')} operation={seatgate.newId()}>
          <button class="grave">{words.text('decline')}</button>
        </Form>
      </Dialog>
    </>
  )
}

function DomainSection({
  setup: { seatgate },
  c,
  words,
  domain,
}: {
  setup: Setup
  c: Visit
  words: Words
  domain: Domain
}) {
  const { id, record, verified, recordMissingSince } = domain
  const to = (act: string) => pathIn(c, `/domains/${encodeURIComponent(id)}/${act}`)
  return (
    <Section id={`domain-${id}`} title={domain.domain}>
      <p>
        <span class={verified ? 'badge good' : 'badge warn'}>
          {words.text(verified ? 'domainVerifiedState' : 'domainUnverified')}
        </span>{' '}
        {recordMissingSince !== null &&
          words.say('domainMissing', { time: <Time at={recordMissingSince} words={words} /> })}
      </p>
      {!verified && (
        <>
          <p>{words.text('domainRecord')}</p>
          <pre>
            {record.name}
            {'\n'}
            {record.value}
          </pre>
          <Form action={to('verify')} operation={seatgate.newId()}>
            <button class="primary">{words.text('domainVerify')}</button>
          </Form>
        </>
      )}
      <div class="line">
        <form method="post" action={to('mode')} class="line">
          <ModeSelect words={words} mode={domain.mode} />
          <button>{words.text('save')}</button>
        </form>
        <Dialog
          id={`remove-${id}`}
          open={words.text('remove')}
          label={`${words.text('remove')}: ${domain.domain}`}
          title={domain.domain}
          cancel={words.text('cancel')}
          grave
        >
          <Form action={to('remove')}>
            <button class="grave">{words.text('remove')}</button>
          </Form>
        </Dialog>
      </div>
    </Section>
  )
}

function ModeSelect({ words, mode }: { words: Words; mode: string }) {
  return (
    <Field label={words.text('domainMode')}>
      <select name="mode">
        {MODES.map((one) => (
          <option value={one} selected={one === mode}>
            {words.text(`mode_${one}`)}
          </option>
        ))}
      </select>
    </Field>
  )
}
