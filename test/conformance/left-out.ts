import type { LineId } from './checklist.ts'

/** The lines of the checklist that no test shows, each with the reason, as a sentence. */
export const LEFT_OUT: Readonly<Partial<Record<LineId, string>>> = {
  'BILL-45': 'No sweep asks a provider to move a past due subscription; its grace ends here alone.',
  'BILL-48':
    'A state grants seats or does not. To add and to invite follow the limit; signing in is the host’s.',
}
