/**
 * Which numbers of the platform are a reason for an alarm. Pure decisions.
 *
 * @module
 */

/** How urgent a reason is; `failing` after a day. */
export type HealthStatus = 'ok' | 'degraded' | 'failing'

/** A reason for an alarm. */
export interface HealthReason {
  readonly code:
    | 'sweep_missing'
    | 'sweep_late'
    | 'sink_late'
    | 'sink_paused'
    | 'dead_letters'
    | 'ledger_late'
    | 'log_late'
    | 'jobs_late'
    | 'mails_failing'
    | 'webhooks_late'
    | 'webhooks_dead'
    | 'quantities_late'
  readonly status: Exclude<HealthStatus, 'ok'>
  /** The id of the sink. */
  readonly sink?: string
  /** The recommended action. */
  readonly action: string
}

/** The numbers of the platform. Counts end at 100. */
export interface HealthNumbers {
  readonly sinks: readonly {
    readonly id: string
    readonly lagSeconds: number
    /** The organizations in which it is paused. */
    readonly paused: number
    readonly deadLetters: number
  }[]
  /** Null without `ledgerSeats`. */
  readonly ledger: { readonly lagSeconds: number } | null
  /** Null without `auditLog`. */
  readonly log: { readonly lagSeconds: number } | null
  /** Work after changes: mails, hooks, the sessions of a store elsewhere. */
  readonly jobs: { readonly due: number; readonly lateSeconds: number }
  /** Mails whose last attempt failed. */
  readonly mails: { readonly failing: number; readonly failingSeconds: number }
  /** Null without `billing`. */
  readonly billing: {
    readonly webhooks: {
      readonly due: number
      readonly lateSeconds: number
      readonly dead: number
    }
    readonly quantities: { readonly due: number; readonly lateSeconds: number }
  } | null
  /** Null before the first run. */
  readonly sweep: { readonly ranAt: string; readonly secondsAgo: number } | null
}

const HOUR = 60 * 60
const DAY = 24 * HOUR

const ACTIONS: Readonly<Record<HealthReason['code'], string>> = {
  sweep_missing: 'Add sweepHandler() and a cron trigger.',
  sweep_late: 'Look at the cron trigger and at the reports sweep_failed.',
  sink_late: 'Look at the attempts of the sink, and at its server.',
  sink_paused: 'Repair the sink, then resume it in the organizations.',
  dead_letters: 'Look at the reasons of the dead letters, repair the sink, then requeue them.',
  ledger_late: 'Look at the Durable Object; members may be refused although seats are free.',
  log_late: 'Look at the reports of the sweep and checkpoint_not_published.',
  jobs_late: 'Run the cron more often, or look at the reports that end in _failed.',
  mails_failing: 'Look at the mailer and at the reports send_invitation_failed.',
  webhooks_late: 'Look at the reports billing_event_failed, and at the status of the provider.',
  webhooks_dead:
    'Look at the reports billing_event_dead, repair the cause, then requeue the events.',
  quantities_late:
    'Look at the reports billing_quantity_failed, and at the status of the provider.',
}

/** Returns the reasons, and the most urgent status. An age is a reason after an hour, and urgent after a day. */
export function healthOf(numbers: HealthNumbers): {
  readonly status: HealthStatus
  readonly reasons: readonly HealthReason[]
} {
  const { sinks, ledger, log, jobs, mails, billing, sweep } = numbers
  const reasons = [
    ...(sweep === null ? some('sweep_missing', 1) : late('sweep_late', sweep.secondsAgo)),
    ...sinks.flatMap(({ id, lagSeconds, paused, deadLetters }) =>
      [
        ...late('sink_late', lagSeconds),
        ...some('sink_paused', paused),
        ...some('dead_letters', deadLetters),
      ].map((reason) => ({ ...reason, sink: id }))
    ),
    ...late('ledger_late', ledger?.lagSeconds),
    ...late('log_late', log?.lagSeconds),
    ...late('jobs_late', jobs.lateSeconds),
    ...late('mails_failing', mails.failingSeconds),
    ...late('webhooks_late', billing?.webhooks.lateSeconds),
    ...some('webhooks_dead', billing?.webhooks.dead),
    ...late('quantities_late', billing?.quantities.lateSeconds),
  ]
  const isFailing = reasons.some(({ status }) => status === 'failing')
  const worst = isFailing ? 'failing' : 'degraded'
  return { status: reasons.length === 0 ? 'ok' : worst, reasons }
}

function late(code: HealthReason['code'], seconds = 0): HealthReason[] {
  if (seconds < HOUR) return []
  return [{ code, status: seconds < DAY ? 'degraded' : 'failing', action: ACTIONS[code] }]
}

function some(code: HealthReason['code'], count = 0): HealthReason[] {
  return count === 0 ? [] : [{ code, status: 'degraded', action: ACTIONS[code] }]
}
