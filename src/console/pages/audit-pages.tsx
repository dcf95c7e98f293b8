import { html } from 'hono/html'
import { names } from '#console-assets'
import { userIdOf } from '../../engine/access/principal.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import type { NamedUser } from '../../engine/model/named-users.ts'
import { hasLog } from '../../hono/router-parts.ts'
import { exportAuditEvents } from '../../operations/audit/export.ts'
import { listEventsAndUsers } from '../../operations/audit/list.ts'
import { auditCheckpoint } from '../../parts/log/prove.ts'
import { DayChart } from '../charts.tsx'
import {
  assetUrl,
  Empty,
  Field,
  Island,
  islandTexts,
  Name,
  Pages,
  Section,
  Time,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { TextKey } from '../texts/en.ts'
import type { Words } from '../texts/languages.ts'
import {
  baseOf,
  granted,
  inOrganization,
  instantIn,
  pageIn,
  pathIn,
  wordsOf,
  type Console,
} from '../visit.ts'

const FILTERS = [
  ['action_prefix', 'auditAction', 'text'],
  ['actor_id', 'auditActor', 'text'],
  ['target_id', 'auditTarget', 'text'],
  ['request_id', 'auditRequest', 'text'],
  ['trace_id', 'auditTrace', 'text'],
  ['from', 'auditFrom', 'datetime-local'],
  ['to', 'auditTo', 'datetime-local'],
] as const satisfies readonly (readonly [string, TextKey, string])[]

const VERIFICATION = /^(verify|kind_)/

/** The pages of the audit trail: by day, an export, and its verification. */
export function auditPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup

  routes.page('/org/:org/audit', async (c) => {
    const query = Object.fromEntries(
      FILTERS.flatMap(([name]) => {
        const value = c.req.query(name)?.trim()
        return value === undefined || value === '' ? [] : [[name, value] as const]
      })
    )
    const filters = Object.fromEntries(
      Object.entries(query).map(([name, value]) => [
        name,
        name === 'from' || name === 'to' ? instantIn(value) : value,
      ])
    )
    const page = granted(
      await listEventsAndUsers(seatgate, inOrganization(c), {
        ...filters,
        ...pageIn(c),
      })
    )
    const days = [...Map.groupBy(page.data, ({ occurredAt }) => occurredAt.slice(0, 10))]
    return showOrganizationPage(setup, c, {
      key: 'audit',
      content: (words) => (
        <>
          <details class="filter" open={Object.keys(query).length > 0}>
            <summary>{words.text('auditFilter')}</summary>
            <form method="get" action={pathIn(c, '/audit')} class="stack">
              <div class="line">
                {FILTERS.map(([name, label, type]) => (
                  <Field label={words.text(label)}>
                    <input type={type} name={name} value={query[name]} maxlength={255} />
                  </Field>
                ))}
              </div>
              <p class="line">
                <button>{words.text('auditFilter')}</button>
                <a href={pathIn(c, '/audit')}>{words.text('auditClear')}</a>
              </p>
            </form>
          </details>
          <p class="pages">
            <span>{words.text('auditExport')}:</span>
            <a href={pathIn(c, '/audit/export?format=ndjson')} download>
              {words.text('exportNdjson')}
            </a>
            <a href={pathIn(c, '/audit/export?format=csv')} download>
              {words.text('exportCsv')}
            </a>
            {hasLog(seatgate) && (
              <a href={pathIn(c, '/audit/verification')}>{words.text('verify')}</a>
            )}
          </p>
          {days.length === 0 ? (
            <Empty>{words.text('auditNone')}</Empty>
          ) : (
            <>
              {days.length > 1 && (
                <section aria-label={words.text('eventsPerDay')}>
                  <p class="soft">{words.text('eventsPerDay')}</p>
                  <DayChart
                    label={words.text('eventsPerDay')}
                    days={days
                      .map(([day, events]) => ({ day: words.day(day), count: events.length }))
                      .toReversed()}
                  />
                </section>
              )}
              {days.map(([day, events]) => (
                <Section id={`day-${day}`} title={`${words.day(day)} · ${events.length}`}>
                  <ol class="timeline" reversed>
                    {events.map((event) => (
                      <Event
                        event={event}
                        users={page.users}
                        words={words}
                        own={userIdOf(c.var.caller)}
                      />
                    ))}
                  </ol>
                </Section>
              ))}
            </>
          )}
          <Pages
            path={pathIn(c, '/audit')}
            c={c}
            next={page.nextCursor}
            query={query}
            words={words}
          />
        </>
      ),
    })
  })

  routes.signedIn('/org/:org/audit/export', async (c) => {
    const format = c.req.query('format') === 'csv' ? 'csv' : 'ndjson'
    // A HEAD takes no event away: it is no export.
    const record = c.req.method !== 'HEAD'
    const file = granted(
      await exportAuditEvents(seatgate, inOrganization(c), { format }, { record })
    )
    return c.body(file.body, 200, {
      'content-type': file.contentType,
      'content-disposition': `attachment; filename="${file.fileName}"`,
    })
  })

  if (!hasLog(seatgate)) return
  const log = seatgate

  routes.signedIn('/org/:org/audit/checkpoint', async (c) =>
    c.json(granted(await auditCheckpoint(log, inOrganization(c))))
  )

  routes.page('/org/:org/audit/verification', async (c) => {
    const sealed = granted(await auditCheckpoint(log, inOrganization(c)))
    const { checkpoint, size, unsealed, horizon } = sealed
    return showOrganizationPage(setup, c, {
      key: 'audit',
      content: (words) => (
        <>
          <Section id="verify" title={words.text('verify')}>
            <p>{words.text('verifyHelp')}</p>
            <Island
              base={baseOf(c)}
              name="verification"
              props={{
                texts: islandTexts(words, VERIFICATION),
                worker: assetUrl(baseOf(c), 'verify-worker.js'),
                checkpointUrl: pathIn(c, '/audit/checkpoint'),
                exportUrl: pathIn(c, '/audit/export?format=ndjson'),
                trail: c.var.organization.id,
              }}
            >
              <p>{words.text('verifyScripts')}</p>
            </Island>
            <p class="pages">
              <a href={`${baseOf(c)}/verification.html`} download="seatgate-verification.html">
                {words.text('verifyOffline')}
              </a>
            </p>
          </Section>
          <Section id="checkpoint" title={words.text('checkpoint')}>
            <p>{words.text('checkpointSize', { size, unsealed })}</p>
            {horizon > 0 && <p>{words.text('horizonNote', { horizon })}</p>}
            {checkpoint === null ? (
              <Empty>{words.text('checkpointNone')}</Empty>
            ) : (
              <pre tabindex={0}>{checkpoint}</pre>
            )}
          </Section>
        </>
      ),
    })
  })

  // One file that needs no server: a reader saves it before there is a reason to doubt one.
  routes.open('GET', '/verification.html', async (c) => {
    const words = wordsOf(c)
    const values: Readonly<Record<string, string>> = {
      language: words.language,
      title: words.text('verify'),
      props: JSON.stringify({ texts: islandTexts(words, VERIFICATION), worker: '' }),
    }
    const file = async (name: string) => (await setup.files.read(names[name] ?? '')) ?? ''
    const parts = (await file('verification.html')).split(/\{\{(.+?)\}\}/)
    const filled = parts.map(async (part, index) => {
      if (index % 2 === 0) return part
      const value = values[part]
      return value === undefined ? inElement(await file(part)) : html`${value}`
    })
    c.header('content-disposition', 'attachment; filename="seatgate-verification.html"')
    return c.html((await Promise.all(filled)).join(''))
  })
}

// The end of an element must not be in its text.
function inElement(code: string): string {
  return code.replaceAll('</script', String.raw`<\/script`)
}

// An id is long, and the details have the whole of it.
function shortId(id: string): string {
  return /^[\da-f]{8}-[\da-f-]{27}$/.test(id) ? id.slice(0, 8) : id
}

function Event({
  event,
  users,
  words,
  own,
}: {
  event: AuditEvent
  users: readonly NamedUser[]
  words: Words
  own: string | null
}) {
  const named = (id: string) => {
    const user = users.find((one) => one.id === id)
    return id === own ? words.text('you') : <Name>{user?.name ?? user?.email ?? shortId(id)}</Name>
  }
  const { action, actorType, actorId, targetType, targetId, occurredAt, metadata, personal } = event
  const facts = [
    [words.text('auditSequence'), String(event.sequence)],
    [words.text('auditWhat'), action],
    [words.text('auditActor'), actorId === null ? actorType : `${actorType} ${actorId}`],
    [words.text('auditTarget'), targetId === null ? null : `${targetType} ${targetId}`],
    [
      words.text('auditRequest'),
      event.requestId,
      `?request_id=${encodeURIComponent(event.requestId ?? '')}`,
    ],
    [
      words.text('auditTrace'),
      event.traceId,
      `?trace_id=${encodeURIComponent(event.traceId ?? '')}`,
    ],
    [words.text('auditCause'), event.causeEventId, `#${event.causeEventId}`],
  ] as const
  return (
    <li id={event.id}>
      <details>
        <summary>
          <time datetime={occurredAt}>{occurredAt.slice(11, 16)}</time>
          <span>
            {words.event(action)}
            {event.outcome !== 'success' && (
              <span class="badge bad">{words.word('outcome', event.outcome)}</span>
            )}
          </span>
          <small>
            {actorId === null ? words.text('system') : named(actorId)}
            {targetId !== null && targetId !== event.organizationId && (
              <>
                {' → '}
                {named(targetId)}
              </>
            )}
          </small>
        </summary>
        <dl class="facts">
          {facts.map(([title, value, href]) =>
            value === null ? null : (
              <>
                <dt>{title}</dt>
                <dd>
                  <code>{href ? <a href={href}>{value}</a> : value}</code>
                </dd>
              </>
            )
          )}
          <dt>{words.text('auditWhen')}</dt>
          <dd>
            <Time at={occurredAt} words={words} />
          </dd>
          {Object.entries(metadata).map(([name, value]) => (
            <>
              <dt>{name}</dt>
              <dd>
                <code>
                  <Name>{typeof value === 'string' ? value : JSON.stringify(value)}</Name>
                </code>
              </dd>
            </>
          ))}
          {personal !== null && (
            <>
              <dt>{words.text('auditPersonal')}</dt>
              <dd>
                <Name>{[personal.ipAddress, personal.userAgent].filter(Boolean).join(' · ')}</Name>
              </dd>
            </>
          )}
        </dl>
      </details>
    </li>
  )
}
