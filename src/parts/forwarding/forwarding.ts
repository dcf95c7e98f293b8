import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { Report } from '../../base/runtime.ts'
import type { Part, PartContext } from '../../engine/changes/part.ts'
import { sinkConsumer } from '../../engine/delivery/deliver.ts'
import { sinkMistake, type Sink } from '../../engine/delivery/sink.ts'
import { servesTrails } from '../../engine/delivery/sweep-trails.ts'

/** Options of {@link forwarding}. */
export interface ForwardingOptions {
  /** The destinations of audit events. */
  readonly sinks: readonly Sink[]
}

/** The part that `forwarding()` makes. */
export interface Forwarding extends Part<'forwarding'> {
  /** The sinks that receive events. */
  readonly sinks: readonly Sink[]
  /** Sinks that are missing or switched off: they receive no events, and retention waits for them. */
  readonly missingSinks: readonly Sink[]
}

/** The context of a function of forwarding. */
export interface ForwardingContext {
  readonly forwarding: Forwarding
}

const OPTIONS = namesOf<ForwardingOptions>({ sinks: true })

/**
 * Makes the part that forwards audit events to sinks. A sink that is missing or switched off costs a
 * warning only. Without the part no event is forwarded, its functions do not compile, and its routes are
 * not mounted.
 *
 * @throws {TypeError} if a sink is invalid. The message names it.
 *
 * @example
 * ```ts
 * createSeatgate({
 *   …,
 *   audit: { forwarding: forwarding({ sinks: [webhookSink({ url, secret })] }) },
 *   runtime: { queue: env.AUDIT_QUEUE },
 * })
 * ```
 */
export function forwarding(options: ForwardingOptions): Forwarding {
  checkOptionNames('forwarding', options, OPTIONS)
  const sinks = checkedSinks(options.sinks)
  const present = sinks.filter((sink) => sink.disabled !== true && attached(sink))
  const missing = sinks.filter((sink) => !present.includes(sink))
  return {
    part: 'forwarding',
    sinks: present,
    missingSinks: missing,
    consumers: present.map(sinkConsumer),
    absentConsumers: missing.map(sinkConsumer),
    ...servesTrails,
    check({ queue, report }: PartContext) {
      for (const sink of missing) reportMissing(sink, report)
      const waiting = present.find((sink) => sink.dispatch === 'async')
      if (waiting === undefined || queue !== null) return
      const advice = 'is async, and there is no queue: bind one, or let its dispatch be "auto".'
      throw new TypeError(`createSeatgate: the sink "${waiting.id}" ${advice}`)
    },
  }
}

function checkedSinks(sinks: readonly Sink[]): readonly Sink[] {
  if (!Array.isArray(sinks)) throw new TypeError('forwarding: sinks must be a list.')
  for (const sink of sinks) {
    const mistake = sinkMistake(sink)
    if (mistake !== null) throw new TypeError(`forwarding: the sink "${sink?.id}" ${mistake}`)
  }
  const ids = sinks.map((sink) => sink.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new TypeError(`forwarding: two sinks have the id "${twice}".`)
  return sinks
}

// Reports no part of the error: it may contain the sink's configuration.
function reportMissing(sink: Sink, report: (report: Report) => void): void {
  const state = sink.disabled === true ? 'switched off' : 'missing'
  const page = sink.setUpPage ?? 'docs/forwarding.md'
  const error = `The sink "${sink.id}" is ${state} and receives no events. Its setup: ${page}`
  report({ event: 'sink_missing', error })
}

function attached(sink: Sink): boolean {
  try {
    return !(sink.attach?.() instanceof Error)
  } catch {
    return false
  }
}
