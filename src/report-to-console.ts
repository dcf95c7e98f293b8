import { HostConflict } from './database/database.ts'
import type { Report } from './base/runtime.ts'

/**
 * The default of `report`: prints one line of JSON with the event, the organization and the message of
 * the innermost cause. Outer errors of Drizzle contain the parameters of a statement.
 */
export function reportToConsole({ event, organizationId, error }: Report): void {
  const line = JSON.stringify({ event, organizationId, message: messageOf(error) })
  if (event === 'sink_missing' || event === 'sweep_unfinished') console.warn(line)
  else console.error(line)
}

function messageOf(error: unknown): string | undefined {
  if (typeof error === 'string') return withoutPersonalData(error)
  if (!(error instanceof Error)) return codeOf(error)
  if (error instanceof HostConflict) return error.constraint
  return error.cause instanceof Error ? messageOf(error.cause) : withoutPersonalData(error.message)
}

// Refusals are reported, too.
function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}

function withoutPersonalData(message: string): string {
  return message.replace(/\nparams: [^]*/, '').replace(/[^\s<>"'(]+@[^\s<>"')]+/g, '…@…')
}
