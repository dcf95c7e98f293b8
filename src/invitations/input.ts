import * as v from 'valibot'
import { longTtlWarning, type Roles } from '../configuration.ts'
import { Email } from '../email.ts'
import { roleInput } from '../memberships/roles.ts'
import type { Seatgate } from '../seatgate.ts'

/** Who is to be invited to what. */
export function invitationInput(roles: Roles) {
  return v.object({ email: Email, role: roleInput(roles) }, 'Must be an object.')
}

/** Says each time that a lifetime is longer than is good. */
export function warnOfLongTtl({ invitations, report }: Seatgate): void {
  const warning = longTtlWarning(invitations)
  if (warning !== null) report({ event: 'invitation_ttl_long', error: warning })
}
