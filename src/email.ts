import * as v from 'valibot'

const LONGEST_EMAIL = 160

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

/** One spelling for an address, however it was written. What is none stays none. */
export function normalizeEmail(email: string): string {
  const lower = email.trim().toLowerCase()
  const at = lower.lastIndexOf('@')
  const domain = lower.slice(at + 1)
  if (at < 0 || /^[\x20-\x7e]*$/.test(domain) || /[\s/\\:?#[\]]/.test(domain)) return lower
  const url = URL.parse(`http://${domain}`)
  return url === null ? lower : `${lower.slice(0, at)}@${url.hostname}`
}
