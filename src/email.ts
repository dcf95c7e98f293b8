import * as v from 'valibot'

const LONGEST_EMAIL = 160
const LONGEST_DOMAIN = 253

/**
 * An e-mail address: trimmed, in lower case, its domain in ASCII (`bücher.example` becomes
 * `xn--bcher-kva.example`), at most 160 characters. Two spellings of one address become one; a plus
 * tag stays, because it may be another mailbox.
 */
export const Email = v.pipe(
  v.string('Must be a text.'),
  v.trim(),
  v.maxLength(LONGEST_EMAIL, `Must be at most ${LONGEST_EMAIL} characters long.`),
  v.transform(normalizeEmail),
  v.rfcEmail('Must be an e-mail address.'),
  v.regex(/\.[^.@]+$/, 'Must be an e-mail address.'),
  v.maxLength(LONGEST_EMAIL, `Must be at most ${LONGEST_EMAIL} characters long.`)
)

/** The domain of a mail address: in lower case and ASCII, with a dot, no number for its last part. */
export const MailDomain = v.pipe(
  v.string('Must be a text.'),
  v.trim(),
  v.maxLength(LONGEST_DOMAIN, `Must be at most ${LONGEST_DOMAIN} characters long.`),
  v.transform((domain) => asciiDomain(domain.toLowerCase())),
  v.regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'Must be a domain such as example.com.'
  ),
  v.maxLength(LONGEST_DOMAIN, `Must be at most ${LONGEST_DOMAIN} characters long.`)
)

/** One spelling for an address, however it was written. What is none stays none. */
export function normalizeEmail(email: string): string {
  const lower = email.trim().toLowerCase()
  const at = lower.lastIndexOf('@')
  return at < 0 ? lower : `${lower.slice(0, at)}@${asciiDomain(lower.slice(at + 1))}`
}

function asciiDomain(domain: string): string {
  if (/^[\x20-\x7e]*$/.test(domain) || /[\s/\\:?#[\]]/.test(domain)) return domain
  return URL.parse(`http://${domain}`)?.hostname ?? domain
}
