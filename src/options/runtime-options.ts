import type {
  Metric,
  Report,
  Runtime,
  SpanAttributes,
  Trace,
  WakeUpQueue,
} from '../base/runtime.ts'
import { reportToConsole } from '../report-to-console.ts'
import { FUNCTION, groupOf, hasMethods, type Rules } from './option-group.ts'

/** The host's runtime. */
export interface RuntimeOptions {
  /**
   * Wakes the consumers of the audit trail after each change. Without it they run after the response if
   * `waitUntil` is set, and otherwise in the sweep.
   */
  readonly queue?: WakeUpQueue
  /**
   * Keeps work alive after the response; `waitUntil` of `cloudflare:workers`. By default the response
   * waits.
   */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /**
   * Receives failures that change no response, and stores that did not answer. The default prints one
   * line of JSON to `console.error`: the event, the organization and the message of the innermost cause,
   * without the parameters of statements and without e-mail addresses.
   */
  readonly report?: (report: Report) => void
  /** Receives metrics. It is not awaited, and an error in it is ignored. */
  readonly measure?: (metric: Metric) => void
  /**
   * Runs work within a span: operations, round trips to D1, calls of ledgers, hooks and deliveries to sinks.
   * Call `run` once, and return its promise. An error of your own in it is ignored. Default: no spans.
   */
  readonly trace?: (
    name: string,
    attributes: SpanAttributes,
    run: () => Promise<unknown>
  ) => unknown
  /** Returns the time. Default: the system's clock. */
  readonly now?: () => Date
  /** Returns a new id, never repeated. Default: random UUIDs. */
  readonly newId?: () => string
  /** Returns 32 random bytes. Default: from Web Crypto. */
  readonly newSecret?: () => Uint8Array<ArrayBuffer>
  /** Returns a number from 0 up to 1, for jitter and for suffixes of slugs. Default `Math.random`. */
  readonly random?: () => number
}

const RULES: Rules<RuntimeOptions> = {
  queue: [
    'have send and sendBatch, as a Cloudflare Queue has',
    (value) => value === null || hasMethods(value, 'send', 'sendBatch'),
  ],
  waitUntil: FUNCTION,
  report: FUNCTION,
  measure: FUNCTION,
  trace: FUNCTION,
  now: FUNCTION,
  newId: FUNCTION,
  newSecret: FUNCTION,
  random: FUNCTION,
}

/** @throws {TypeError} if one of the options is invalid. */
export function checkedRuntime(options: RuntimeOptions | undefined): Runtime {
  const given = groupOf('runtime', options, RULES)
  return {
    queue: given.queue ?? null,
    waitUntil: given.waitUntil ?? null,
    report: given.report ?? reportToConsole,
    measure: quietly(given.measure),
    trace: alongside(given.trace),
    now: given.now ?? (() => new Date()),
    newId: given.newId ?? (() => crypto.randomUUID()),
    newSecret: given.newSecret ?? (() => crypto.getRandomValues(new Uint8Array(32))),
    random: given.random ?? Math.random,
  }
}

// A metric must not make an operation fail.
function quietly(measure: RuntimeOptions['measure']): Runtime['measure'] {
  return (metric) => ignoringErrors(() => measure?.(metric))
}

// Nor must a span: the work runs once, however the host's function runs it, and its own result counts.
function alongside(trace: RuntimeOptions['trace']): Trace {
  if (trace === undefined) return (_name, _attributes, run) => run()
  return (name, attributes, run) => {
    let running: ReturnType<typeof run> | undefined
    const once = () => (running ??= (async () => run())())
    ignoringErrors(() => trace(name, attributes, once))
    return once()
  }
}

function ignoringErrors(act: () => unknown): void {
  try {
    Promise.resolve(act()).catch(() => {})
  } catch {}
}
