import type { LineId } from './checklist.ts'

const WITHOUT_ID = 'Tests that do not carry the id show this:'

/** The lines of the checklist that no test shows, each with the reason, as a sentence. */
export const LEFT_OUT: Readonly<Partial<Record<LineId, string>>> = {
  'BILL-45': 'No sweep asks a provider to move a past due subscription; its grace ends here alone.',
  'BILL-48':
    'A state grants seats or does not. To add and to invite follow the limit; signing in is the host’s.',
  'SEAT-3': `${WITHOUT_ID} test/workers/operations/invitations/invitation-accept.test.ts.`,
  'SEAT-29': `${WITHOUT_ID} test/workers/operations/organizations/organization-restore.test.ts.`,
  'SEAT-42': `${WITHOUT_ID} test/workers/operations/joining/waiting-line.test.ts.`,
}
