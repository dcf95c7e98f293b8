import { platformHealth } from '../../operations/organizations/platform-health.ts'
import { Back, Facts, Name, Section, Table, Time } from '../elements.tsx'
import { showPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import { baseOf, granted, scopeOf, wordsOf, type Console } from '../visit.ts'

/** The page of the platform's health: what asks for an act, the last sweep, and what waits. */
export function healthPage(setup: Console, routes: Routes): void {
  routes.signedIn('/platform/health', async (c) => {
    const health = granted(await platformHealth(setup.seatgate, scopeOf(c)))
    const { status, reasons, sweep, jobs, mails, sinks } = health
    const words = wordsOf(c)
    return showPage(setup, c, {
      words,
      title: words.text('health'),
      narrow: true,
      content: (
        <>
          <h1>{words.text('health')}</h1>
          <section aria-label={words.text('status')}>
            <p class={status === 'ok' ? 'figure good' : 'figure bad'}>
              {words.word('health', status)}
            </p>
            {/* The library's advice is in English in each language. */}
            {reasons.map(({ code, sink, action }) => (
              <p lang="en" data-reason={code}>
                {sink && <Name>{sink}: </Name>}
                {action}
              </p>
            ))}
            <Facts
              words={words}
              facts={[
                ['sweptAt', sweep ? <Time at={sweep.ranAt} words={words} /> : words.text('never')],
                ['jobsDue', words.number(jobs.due)],
                ['mailsFailing', words.number(mails.failing)],
              ]}
            />
          </section>
          {sinks.length > 0 && (
            <Section id="sinks" title={words.text('sinks')}>
              <Table
                words={words}
                caption={words.text('sinks')}
                head={['sink', 'sinkLag', 'attempt_paused', 'sinkDead']}
                rows={sinks.map(({ id, lagSeconds, paused, deadLetters }) => [
                  id,
                  `${words.number(lagSeconds)} s`,
                  words.number(paused),
                  words.number(deadLetters),
                ])}
              />
            </Section>
          )}
          <p class="pages">
            <Back to={`${baseOf(c)}/platform`} words={words} />
          </p>
        </>
      ),
    })
  })
}
