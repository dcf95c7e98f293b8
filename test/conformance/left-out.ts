import type { LineId } from './checklist.ts'

/** The lines of the checklist that no test shows, each with the reason, as a sentence. */
export const LEFT_OUT: Readonly<Partial<Record<LineId, string>>> = {
  'ORG-29': 'There are no invitations yet that a deletion could revoke.',
  'PIPE-61': 'The library has routes and middleware; it ships no pages.',
  'PIPE-62': 'The library has routes and middleware; it ships no pages.',
  'PIPE-63': 'The library has routes and middleware; it ships no pages.',
}
