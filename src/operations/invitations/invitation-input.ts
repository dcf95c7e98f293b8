import * as v from 'valibot'
import { Email } from '../../base/email.ts'
import { roleInput, type Roles } from '../../engine/access/roles.ts'
import type { InvitationRules, InvitationContext } from './invitation-config.ts'

const LONGEST_TTL_DAYS = 30
const DAY_SECONDS = 24 * 60 * 60

/** The input of `createInvitation`. */
export interface CreateInvitationInput<Role extends string = string> {
  readonly email: string
  readonly role: Role
  /** The recipient's language, as a BCP 47 tag. Default: unknown. */
  readonly locale?: string | null | undefined
}

/** Creates the schema of an invitation: its address, role and language. */
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

/** Returns a warning if a lifetime is longer than advisable. */
export function warnOfLongTtl({
  invitations,
  report,
}: Pick<InvitationContext, 'invitations' | 'report'>): void {
  const warning = longTtlWarning(invitations)
  if (warning !== null) report({ event: 'invitation_ttl_long', error: warning })
}

function longTtlWarning({ ttlSeconds }: InvitationRules): string | null {
  const days = ttlSeconds / DAY_SECONDS
  if (days <= LONGEST_TTL_DAYS) return null
  return `Invitations live ${days} days; more than ${LONGEST_TTL_DAYS} days is not advisable.`
}
