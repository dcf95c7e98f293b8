import type { Refusal } from '../../base/result.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import type { SeatLimitView, SeatUsage } from '../../engine/seats/limit.ts'
import type { NamedUser } from '../../engine/model/named-users.ts'
import { listAuditEvents } from '../../operations/audit/list.ts'
import { seatsAsOf } from '../../operations/seats/as-of.ts'
import { explainSeatsAndUsers, type SeatExplanation } from '../../operations/seats/explain.ts'
import { seatUsage } from '../../operations/seats/usage.ts'
import { SeatChart } from '../charts.tsx'
import {
  Deadline,
  Empty,
  Facts,
  Field,
  Island,
  islandTexts,
  Name,
  Pages,
  RefusalNotice,
  Section,
  Table,
  Time,
  UserById,
} from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  baseOf,
  granted,
  inOrganization,
  instantIn,
  pageIn,
  may,
  pathIn,
  type Console,
  type Visit,
} from '../visit.ts'

const CHANGES = 100

/** The pages of seats: in use now, over time, and at an instant. */
export function seatPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup

  routes.page('/org/:org/seats', async (c) => {
    const explained = may(c, 'members:manage')
      ? granted(await explainSeatsAndUsers(seatgate, inOrganization(c)))
      : null
    const usage = explained?.seats ?? granted(await seatUsage(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'seats',
      content: (words) => (
        <>
          <UsageSection c={c} words={words} usage={usage} />
          {explained?.seats.inputs.override?.reason && (
            <p class="soft">
              {words.say('limitReason', {
                reason: <Name>{explained.seats.inputs.override.reason}</Name>,
              })}
            </p>
          )}
          {explained && <Explanation words={words} {...explained} now={seatgate.now()} />}
          {may(c, 'audit:read') && (
            <p class="pages">
              <a href={pathIn(c, '/seats/history')}>{words.text('history')}</a>
            </p>
          )}
        </>
      ),
    })
  })

  // For the meter, which asks again and again: an unchanged answer has no body.
  routes.signedIn('/org/:org/seats/now', async (c) => {
    const usage = granted(await seatUsage(seatgate, inOrganization(c)))
    const tag = `"${usage.version}-${usage.held}-${usage.reserved}-${usage.limit}"`
    c.header('etag', tag)
    return c.req.header('if-none-match') === tag ? c.body(null, 304) : c.json(usage)
  })

  routes.page('/org/:org/seats/history', async (c) => {
    const page = granted(
      await listAuditEvents(seatgate, inOrganization(c), {
        action_prefix: 'seat.',
        limit: CHANGES,
        ...pageIn(c),
      })
    )
    const changes = page.data.flatMap((event) => changeOf(event) ?? [])
    return showOrganizationPage(setup, c, {
      key: 'seats',
      content: (words) => (
        <>
          <Section id="history" title={words.text('history')}>
            {changes.length === 0 ? (
              <Empty>{words.text('historyNone')}</Empty>
            ) : (
              <>
                <SeatChart
                  changes={changes.toReversed()}
                  label={words.text('historyChart', { count: changes.length })}
                />
                <Table
                  words={words}
                  caption={words.text('history')}
                  head={['auditWhen', 'auditWhat', 'held', 'reserved', 'limit']}
                  rows={changes.map(({ at, action, held, reserved, limit }) => [
                    <Time at={at} words={words} />,
                    words.event(action),
                    words.number(held),
                    words.number(reserved),
                    limitWords(limit, words),
                  ])}
                />
              </>
            )}
            <Pages path={pathIn(c, '/seats/history')} c={c} next={page.nextCursor} words={words} />
          </Section>
          {may(c, 'members:manage') && <AsOfForm c={c} words={words} />}
        </>
      ),
    })
  })

  routes.page('/org/:org/seats/at', async (c) => {
    const at = instantIn(c.req.query('at') ?? '')
    const then = granted(await seatsAsOf(seatgate, inOrganization(c), { at }))
    return showOrganizationPage(setup, c, {
      key: 'seats',
      content: (words) => (
        <>
          <Section id="then" title={words.text('asOf')}>
            <p>
              <Time at={at} words={words} />
            </p>
            <p class="figure">
              {then.status === 'present'
                ? words.text('asOf_present', {
                    held: then.held,
                    reserved: then.reserved,
                    limit: limitWords(then.limit, words),
                  })
                : words.text(`asOf_${then.status}`)}
            </p>
          </Section>
          <AsOfForm c={c} words={words} at={c.req.query('at')} />
          <p class="pages">
            <a href={pathIn(c, '/seats/history')}>{words.text('history')}</a>
          </p>
        </>
      ),
    })
  })
}

/** Seats after an event of the trail. */
export interface SeatChange {
  readonly at: string
  readonly action: string
  readonly held: number
  readonly reserved: number
  readonly limit: SeatLimitView
}

function changeOf({ action, metadata, occurredAt }: AuditEvent): SeatChange | null {
  const { held, reserved, limit } = metadata
  if (typeof held !== 'number' || typeof reserved !== 'number') return null
  const known = typeof limit === 'number' || limit === 'unlimited' ? limit : 'unknown'
  return { at: occurredAt, action, held, reserved, limit: known }
}

function AsOfForm({ c, words, at }: { c: Visit; words: Words; at?: string | undefined }) {
  return (
    <Section id="as-of" title={words.text('asOf')}>
      <form method="get" action={pathIn(c, '/seats/at')} class="line">
        <Field label={words.text('asOfAt')}>
          <input type="datetime-local" name="at" required value={at} />
        </Field>
        <button>{words.text('asOfShow')}</button>
      </form>
    </Section>
  )
}

export function limitWords(limit: SeatLimitView, words: Words): string {
  return typeof limit === 'number' ? words.number(limit) : words.text(limit)
}

/** Returns the seats in use of a limit in words. */
export function seatsIn(used: number, limit: SeatLimitView, words: Words): string {
  return limit === 'unlimited'
    ? words.text('seatsUnlimited', { count: used })
    : words.text('seatsOf', { used, limit: limitWords(limit, words) })
}

function UsageSection({ c, words, usage }: { c: Visit; words: Words; usage: SeatUsage }) {
  const { limit, held, reserved, available, version, overLimit } = usage
  const used = held + reserved
  return (
    <section aria-label={words.text('seatsMeter')}>
      {limit === 'unknown' && (
        <div class="notice bad" role="alert">
          <p>{words.text('seatsUnknown')}</p>
        </div>
      )}
      {overLimit && typeof limit === 'number' && (
        <div class="notice bad" role="alert">
          <p>
            <strong>{words.text('overLimit', { count: used - limit })}.</strong>{' '}
            {words.text('overLimitHelp')}
          </p>
        </div>
      )}
      <Island
        base={baseOf(c)}
        name="seat-meter"
        props={{
          url: pathIn(c, '/seats/now'),
          usage: { limit, held, reserved },
          texts: islandTexts(words, /^seats(Of|Un|Reserved|Meter)/),
        }}
      >
        <p class="figure">
          {seatsIn(used, limit, words)}
          {reserved > 0 && <small> {words.text('seatsReservedOf', { count: reserved })}</small>}
        </p>
        {typeof limit === 'number' && (
          <meter
            min={0}
            max={Math.max(limit, used, 1)}
            value={used}
            aria-label={words.text('seatsMeter')}
          />
        )}
      </Island>
      <Facts
        words={words}
        facts={[
          ['held', words.number(held)],
          ['reserved', words.number(reserved)],
          ['free', limitWords(available, words)],
          ['limit', `${limitWords(limit, words)} · ${words.text('limitVersion', { version })}`],
        ]}
      />
    </section>
  )
}

function Explanation({
  words,
  seats: { refusal, members, invitations, nextExpiry, over },
  users,
  now,
}: {
  words: Words
  seats: SeatExplanation
  users: readonly NamedUser[]
  now: Date
}) {
  return (
    <>
      <Section id="next" title={words.text(refusal === null ? 'seatsRefusalNone' : 'seatsRefusal')}>
        {refusal !== null && <RefusalNotice refusal={refusal satisfies Refusal} words={words} />}
        <p>
          {nextExpiry === null
            ? refusal !== null && words.text('nextFreeNone')
            : words.say('nextFree', {
                time: <Deadline at={nextExpiry} words={words} now={now} />,
              })}
        </p>
        {over?.at && (
          <>
            <p>
              {words.say('overSuspended', {
                time: <Deadline at={over.at} words={words} now={now} />,
              })}
            </p>
            <ul>
              {over.members.map(({ userId }) => (
                <li>
                  <UserById id={userId} users={users} />
                </li>
              ))}
            </ul>
          </>
        )}
      </Section>
      <Section id="reservations" title={words.text('reservations')}>
        <Table
          empty="reservationsNone"
          words={words}
          caption={words.text('invitationsCount', { count: invitations.length })}
          head={['address', 'until']}
          rows={invitations.map(({ email, expiresAt }) => [
            <Name>{email}</Name>,
            <Deadline at={expiresAt} words={words} now={now} />,
          ])}
        />
      </Section>
      <Section id="holders" title={words.text('holders')}>
        <Table
          words={words}
          caption={words.text('membersCount', { count: members.length })}
          head={['name', 'role']}
          rows={members.map(({ userId, role }) => [<UserById id={userId} users={users} />, role])}
        />
        {members.length === 100 && <p class="soft">{words.text('holdersMost')}</p>}
      </Section>
    </>
  )
}
