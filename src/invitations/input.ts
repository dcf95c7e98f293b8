import * as v from 'valibot'
import { longTtlWarning, type Roles } from '../configuration.ts'
import { Email } from '../email.ts'
import { roleInput } from '../memberships/roles.ts'
import type { Seatgate } from '../seatgate.ts'

/** Who is to be invited to what, and in which language. */
export function invitationInput(roles: Roles) {
  return v.object(
    { email: Email, role: roleInput(roles), locale: v.nullish(Locale) },
    'Must be an object.'
  )
}

const LOCALE_MESSAGE = 'Must be a language tag such as "en" or "de-CH".'

/** A language tag of BCP 47, in its canonical spelling. */
const Locale = v.pipe(
  v.string('Must be a string.'),
  v.maxLength(35, LOCALE_MESSAGE),
  v.transform(canonicalLocale),
  v.string(LOCALE_MESSAGE)
)

function canonicalLocale(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

/** Says each time that a lifetime is longer than is good. */
export function warnOfLongTtl({ invitations, report }: Seatgate): void {
  const warning = longTtlWarning(invitations)
  if (warning !== null) report({ event: 'invitation_ttl_long', error: warning })
}
