import { listPlatformEvents } from '../../operations/audit/platform-events.ts'
import { rebuildSeats } from '../../operations/seats/repair.ts'
import { verifySeats } from '../../operations/seats/verify.ts'
import type { SeatUsage } from '../../engine/seats/limit.ts'
import { Back, Form, Pages, Section, Table, Time } from '../elements.tsx'
import { showPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  baseOf,
  granted,
  inOrganization,
  pageIn,
  readFields,
  scopeOf,
  wordsOf,
  type Console,
  type Visit,
} from '../visit.ts'
import { limitWords } from './seat-pages.tsx'

/** The pages of an organization's seats for operators: the repairs so far, and both stores compared. */
export function platformSeatPages(setup: Console, routes: Routes): void {
  const { seatgate } = setup
  const idIn = (c: Visit) => c.req.param('org') ?? ''
  const one = (c: Visit, page = '') => `${baseOf(c)}/platform/${encodeURIComponent(idIn(c))}${page}`

  routes.signedIn('/platform/:org/seats', async (c) => {
    const filter = { organization_id: idIn(c), action_prefix: 'seat.drift_repaired' }
    const page = granted(
      await listPlatformEvents(seatgate, scopeOf(c), { ...filter, ...pageIn(c) })
    )
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: words.text('seats'),
      narrow: true,
      content: (
        <>
          <h1>{words.text('seats')}</h1>
          <Section id="compare" title={words.text('verifySeats')}>
            <div class="line">
              <Form action={one(c, '/seats')}>
                <button class="primary">{words.text('verifySeats')}</button>
              </Form>
              <Form action={one(c, '/rebuild')} operation={seatgate.newId()}>
                <button>{words.text('rebuild')}</button>
              </Form>
            </div>
          </Section>
          <Section id="repairs" title={words.text('repairs')}>
            <Table
              empty="none"
              words={words}
              caption={words.text('repairs')}
              head={['auditWhen', 'auditActor', 'found', 'held', 'reserved']}
              rows={page.data.map(({ occurredAt, actorId, metadata }) => [
                <Time at={occurredAt} words={words} />,
                actorId ?? words.text('system'),
                Object.entries(metadata['differences'] ?? {})
                  .map(([kind, count]) => `${kind}: ${count}`)
                  .join(', '),
                String(metadata['held']),
                String(metadata['reserved']),
              ])}
            />
            <Pages path={one(c, '/seats')} c={c} next={page.nextCursor} words={words} />
          </Section>
          <p class="pages">
            <Back to={one(c)} words={words} />
          </p>
        </>
      ),
    })
  })

  // Not a page to come back to: it reads both stores, the one before and after the other.
  routes.form('/platform/:org/seats', async (c) => {
    await readFields(c)
    const { stored, ledger, differences } = granted(await verifySeats(seatgate, inOrganization(c)))
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: words.text('verifySeats'),
      narrow: true,
      content: (
        <>
          <h1>{words.text('verifySeats')}</h1>
          <section aria-label={words.text('seats')}>
            <p class={differences.length === 0 ? 'figure good' : 'figure bad'}>
              {differences.length === 0
                ? words.text('differencesNone')
                : words.text('differences', { count: differences.length })}
            </p>
            <Table
              words={words}
              caption={words.text('seats')}
              head={['store', 'held', 'reserved', 'limit']}
              rows={[
                [words.text('stored'), ...counted(stored, words)],
                [words.text('ledger'), ...counted(ledger, words)],
              ]}
            />
            {differences.length > 0 && (
              <ul>
                {differences.map(({ kind, id }) => (
                  <li>
                    {kind}: <code>{id}</code>
                  </li>
                ))}
              </ul>
            )}
          </section>
          <p class="pages">
            <Back to={one(c, '/seats')} words={words} />
          </p>
        </>
      ),
    })
  })

  routes.form('/platform/:org/rebuild', async (c) => {
    const { options } = await readFields(c)
    const rebuilt = await rebuildSeats(seatgate, inOrganization(c), options)
    const count = rebuilt.ok ? rebuilt.value.repaired.length : 0
    return afterAct(c, rebuilt, one(c, '/seats'), 'rebuilt', { count })
  })
}

function counted(usage: SeatUsage | null, words: Words) {
  if (usage === null) return [words.text('ledgerNone'), '', '']
  const { held, reserved, limit } = usage
  return [words.number(held), words.number(reserved), limitWords(limit, words)]
}
