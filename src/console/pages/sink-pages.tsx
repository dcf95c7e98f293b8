import type { ForwardingContext } from '../../parts/forwarding/forwarding.ts'
import { listAttempts } from '../../parts/forwarding/list-attempts.ts'
import { pauseSink, replaySink, resumeSink } from '../../parts/forwarding/replay.ts'
import { requeueDeadLetters } from '../../parts/forwarding/requeue.ts'
import { listDeadLetters, listSinks, type SinkStatus } from '../../parts/forwarding/sink-status.ts'
import type { Seatgate } from '../../seatgate.ts'
import { Empty, Facts, Field, Form, Name, Pages, Section, Table, Time } from '../elements.tsx'
import { showOrganizationPage } from '../layout.tsx'
import type { Routes } from '../routes.ts'
import type { Words } from '../texts/languages.ts'
import {
  afterAct,
  granted,
  inOrganization,
  pageIn,
  pathIn,
  readFields,
  type Console,
  type Visit,
} from '../visit.ts'

type Setup = Console & { seatgate: Seatgate & ForwardingContext }

/** The pages of log streams: their state, attempts and dead letters. */
export function sinkPages(setup: Setup, routes: Routes): void {
  const { seatgate } = setup
  const sinkIn = (c: Visit) => c.req.param('sink') ?? ''
  const all = (c: Visit) => pathIn(c, '/sinks')
  const { missingSinks } = seatgate.forwarding

  routes.page('/org/:org/sinks', async (c) => {
    const { data } = granted(await listSinks(seatgate, inOrganization(c)))
    return showOrganizationPage(setup, c, {
      key: 'sinks',
      content: (words) => (
        <>
          {data.length + missingSinks.length === 0 && <Empty>{words.text('sinksNone')}</Empty>}
          {missingSinks.map(({ id, disabled }) => (
            <Section id={`sink-${id}`} title={id}>
              <p>
                <span class="badge bad">
                  {words.text(disabled ? 'sinkDisabled' : 'sinkMissing')}
                </span>{' '}
                {words.text('sinkMissingHelp')}
              </p>
            </Section>
          ))}
          {data.map((sink) => (
            <Sink setup={setup} c={c} words={words} sink={sink} />
          ))}
        </>
      ),
    })
  })

  routes.page('/org/:org/sinks/:sink/attempts', async (c) => {
    const page = granted(await listAttempts(seatgate, inOrganization(c), sinkIn(c), pageIn(c)))
    return showOrganizationPage(setup, c, {
      key: 'sinks',
      content: (words) => (
        <Section id="attempts" title={`${words.text('attempts')}: ${sinkIn(c)}`}>
          <Table
            empty="attemptsNone"
            words={words}
            caption={words.text('attempts')}
            head={['auditWhen', 'attemptEvents', 'outcome', 'attemptTook']}
            rows={page.data.map((attempt) => [
              <Time at={attempt.attemptedAt} words={words} />,
              `${attempt.firstSequence}–${attempt.lastSequence}`,
              <>
                {words.word('attempt', attempt.outcome)}{' '}
                {attempt.reason && <Name>{attempt.reason}</Name>}
              </>,
              `${words.number(attempt.milliseconds)} ms`,
            ])}
          />
          <Pages
            path={pathIn(c, `/sinks/${encodeURIComponent(sinkIn(c))}/attempts`)}
            c={c}
            next={page.nextCursor}
            words={words}
          />
        </Section>
      ),
    })
  })

  routes.page('/org/:org/sinks/:sink/dead-letters', async (c) => {
    const page = granted(await listDeadLetters(seatgate, inOrganization(c), sinkIn(c), pageIn(c)))
    const path = pathIn(c, `/sinks/${encodeURIComponent(sinkIn(c))}`)
    return showOrganizationPage(setup, c, {
      key: 'sinks',
      content: (words) => (
        <Section id="dead" title={`${words.text('sinkDead')}: ${sinkIn(c)}`}>
          {page.data.length === 0 ? (
            <Empty>{words.text('deadNone')}</Empty>
          ) : (
            <>
              <Table
                words={words}
                caption={words.text('sinkDead')}
                head={['auditSequence', 'auditWhat', 'status', 'reason', 'auditWhen']}
                rows={page.data.map((letter) => [
                  letter.sequence,
                  words.event(letter.action),
                  words.word('letter', letter.state),
                  <Name>{letter.reason}</Name>,
                  <Time at={letter.diedAt} words={words} />,
                ])}
              />
              <Form action={`${path}/requeue`} operation={seatgate.newId()}>
                <button>{words.text('sinkRequeue')}</button>
              </Form>
            </>
          )}
          <Pages path={`${path}/dead-letters`} c={c} next={page.nextCursor} words={words} />
        </Section>
      ),
    })
  })

  routes.act('/org/:org/sinks/:sink/pause', all, 'sinkPauseDone', (c, fields) =>
    pauseSink(seatgate, inOrganization(c), sinkIn(c), fields.options)
  )
  routes.act('/org/:org/sinks/:sink/resume', all, 'sinkResumed', (c, fields) =>
    resumeSink(seatgate, inOrganization(c), sinkIn(c), fields.options)
  )
  routes.act('/org/:org/sinks/:sink/replay', all, 'sinkReplayed', (c, fields) => {
    const input = { fromSequence: Number(fields.get('from')) }
    return replaySink(seatgate, inOrganization(c), sinkIn(c), input, fields.options)
  })
  routes.form('/org/:org/sinks/:sink/requeue', async (c) => {
    const { options } = await readFields(c)
    const requeued = await requeueDeadLetters(seatgate, inOrganization(c), sinkIn(c), {}, options)
    const count = requeued.ok ? requeued.value.events : 0
    return afterAct(c, requeued, all(c), 'sinkRequeued', { count })
  })
}

function Sink({
  setup: { seatgate },
  c,
  words,
  sink,
}: {
  setup: Setup
  c: Visit
  words: Words
  sink: SinkStatus
}) {
  const path = pathIn(c, `/sinks/${encodeURIComponent(sink.id)}`)
  const isPaused = sink.pausedReason !== null
  return (
    <Section id={`sink-${sink.id}`} title={sink.id}>
      <p>
        <span class={isPaused ? 'badge bad' : 'badge good'}>
          {isPaused
            ? words.text('sinkPaused', { reason: sink.pausedReason ?? '' })
            : words.text('sinkRunning')}
        </span>
      </p>
      <Facts
        words={words}
        facts={[
          [
            'sinkLag',
            <>
              {sink.lag === 0
                ? words.text('sinkUpToDate')
                : words.text('sinkBehind', { count: sink.lag })}{' '}
              {sink.oldestUndeliveredAt !== null &&
                words.say('sinkBehindSince', {
                  time: <Time at={sink.oldestUndeliveredAt} words={words} />,
                })}
            </>,
          ],
          [
            'attempts',
            <>
              {sink.lastError === null ? (
                words.text('none')
              ) : (
                <Name>
                  {words.text('sinkRetry', { attempts: sink.attempts, error: sink.lastError })}
                </Name>
              )}{' '}
              {sink.nextAttemptAt !== null &&
                words.say('sinkNext', { time: <Time at={sink.nextAttemptAt} words={words} /> })}
            </>,
          ],
          ['sinkDead', <a href={`${path}/dead-letters`}>{words.number(sink.deadLetters)}</a>],
        ]}
      />
      <p class="pages">
        <a href={`${path}/attempts`}>{words.text('attempts')}</a>
      </p>
      <div class="line">
        <Form action={path + (isPaused ? '/resume' : '/pause')} operation={seatgate.newId()}>
          <button class={isPaused ? 'primary' : undefined}>
            {words.text(isPaused ? 'sinkResume' : 'sinkPause')}
          </button>
        </Form>
        <form method="post" action={`${path}/replay`} class="line">
          <input type="hidden" name="operation" value={seatgate.newId()} />
          <Field label={words.text('sinkReplay')}>
            <input name="from" type="number" min={1} max={sink.head} required />
          </Field>
          <button>{words.text('sinkReplay')}</button>
        </form>
      </div>
    </Section>
  )
}
