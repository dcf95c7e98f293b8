import type { Listener } from '../../engine/changes/listeners.ts'
import { forwardWhenCommitted } from './forwarding.ts'
import type { Report } from '../../base/runtime.ts'
import { sinkMistake } from '../../engine/delivery/outgoing.ts'
import type { Sink } from '../../engine/delivery/sink.ts'

/** The sinks that were configured. */
export interface Sinks {
  /** The sinks that receive events. */
  readonly sinks: readonly Sink[]
  /** Sinks that are missing or switched off: they receive no events, and retention waits for them. */
  readonly missingSinks: readonly Sink[]
  /** Forwards after each commit. */
  readonly listener: Listener
}

/**
 * Separates the sinks that can work from the missing ones. A sink that is missing or switched off costs a
 * warning only.
 *
 * @throws {TypeError} if a sink is invalid. The message names it.
 */
export function checkedSinks(
  sinks: readonly Sink[],
  { queue, report }: { readonly queue: unknown; readonly report: (report: Report) => void }
): Sinks {
  for (const sink of sinks) {
    const mistake = sinkMistake(sink)
    if (mistake !== null) throw new TypeError(`createSeatgate: the sink "${sink?.id}" ${mistake}`)
  }
  const ids = sinks.map((sink) => sink.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new TypeError(`createSeatgate: two sinks have the id "${twice}".`)
  const present = sinks.filter((sink) => isPresent(sink, report))
  const waiting = present.find((sink) => sink.dispatch === 'async')
  if (waiting && queue === null) {
    const advice = 'is async, and there is no queue: bind one, or let its dispatch be "auto".'
    throw new TypeError(`createSeatgate: the sink "${waiting.id}" ${advice}`)
  }
  return {
    sinks: present,
    missingSinks: sinks.filter((sink) => !present.includes(sink)),
    listener: forwardWhenCommitted,
  }
}

// Reports no part of the error: it may contain the sink's configuration.
function isPresent(sink: Sink, report: (report: Report) => void): boolean {
  if (sink.disabled !== true && attached(sink)) return true
  const state = sink.disabled === true ? 'switched off' : 'missing'
  const page = sink.setUpPage ?? 'docs/forwarding.md'
  const error = `The sink "${sink.id}" is ${state} and receives no events. Its setup: ${page}`
  report({ event: 'sink_missing', error })
  return false
}

function attached(sink: Sink): boolean {
  try {
    return !(sink.attach?.() instanceof Error)
  } catch {
    return false
  }
}
