/**
 * E-mail addresses and their domains. Refuses text that reaches no mailbox, or another mailbox than it
 * seems to name. A domain is checked before it is mapped to ASCII.
 *
 * @module
 */
import * as v from 'valibot'
import { atMost } from './input.ts'

const LONGEST_EMAIL = 160
const LONGEST_LOCAL_PART = 64
const LONGEST_DOMAIN = 253

// Unquoted atoms with dots between them. A quoted local part is refused: it has many spellings for one
// mailbox, and hardly any provider has such addresses.
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i
// Labels of letters, digits and inner hyphens. A last label of digits alone would be an IPv4 address.
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/
// No mail reaches these: RFC 6761 and RFC 7686.
const UNREACHABLE = /(?:^|\.)(?:localhost|invalid|onion)$/

const EMAIL_MESSAGE = 'Must be an e-mail address.'
const DOMAIN_MESSAGE = 'Must be a domain such as example.com.'

/**
 * An e-mail address: trimmed, in lower case, its domain in ASCII (`bücher.example` becomes
 * `xn--bcher-kva.example`), at most 160 characters. Spellings of one address become equal; a plus tag
 * stays, because it may be another mailbox.
 */
export const Email = v.pipe(
  v.string('Must be a string.'),
  v.transform(trimmed),
  atMost(LONGEST_EMAIL),
  v.transform(readEmail),
  v.string(EMAIL_MESSAGE),
  atMost(LONGEST_EMAIL),
  v.metadata({ format: 'idn-email' })
)

/** The domain of a mail address, in lower case and ASCII. */
export const MailDomain = v.pipe(
  v.string('Must be a string.'),
  v.transform(trimmed),
  atMost(LONGEST_DOMAIN),
  v.transform(normalizeDomain),
  v.string(DOMAIN_MESSAGE),
  v.metadata({ format: 'idn-hostname' })
)

/**
 * Normalizes an e-mail address for comparison: trimmed, in lower case, its domain in ASCII. Other text is
 * trimmed, and its letters A to Z become lower case.
 *
 * @example
 * ```ts
 * normalizeEmail(' Ann@Bücher.example ') // 'ann@xn--bcher-kva.example'
 * ```
 */
export function normalizeEmail(email: string): string {
  const address = trimmed(email)
  return readEmail(address) ?? asciiLowerCase(address)
}

function readEmail(text: string): string | null {
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0))
  if (local.length > LONGEST_LOCAL_PART || !LOCAL_PART.test(local)) return null
  const domain = normalizeDomain(text.slice(at + 1))
  return domain === null ? null : `${asciiLowerCase(local)}@${domain}`
}

/** Normalizes a domain: in lower case and ASCII. Returns null if mail cannot reach it. */
export function normalizeDomain(text: string): string | null {
  if (text.length > LONGEST_DOMAIN || !/^[a-z0-9.\u0080-\uffff-]+$/i.test(text)) return null
  if (hidesAscii(text)) return null
  const ascii = toAscii(text)
  if (ascii === null || ascii.length > LONGEST_DOMAIN || UNREACHABLE.test(ascii)) return null
  return DOMAIN.test(ascii) ? ascii : null
}

// Only letters, digits, dots and hyphens get here, so that the URL parser finds no port, path or user.
function toAscii(domain: string): string | null {
  const lower = asciiLowerCase(domain)
  const mapped = URL.parse(`http://${domain}`)?.hostname
  if (mapped === undefined) return null
  const labels = lower.split('.')
  // A label that was not ASCII must become punycode, and an ASCII label must not change: otherwise one
  // domain could pass for another.
  const faithful = mapped
    .split('.')
    .every((label, index) =>
      isAscii(labels[index] ?? '') ? label === labels[index] : label.startsWith('xn--')
    )
  return faithful && mapped.split('.').length === labels.length ? mapped : null
}

/**
 * Whether mapping would turn a character into an ASCII one, a dot or an empty text, as it does with the
 * Kelvin sign, full-width letters and soft hyphens.
 */
function hidesAscii(text: string): boolean {
  if (/[\p{Default_Ignorable_Code_Point}\p{Cs}\p{Zs}\u3002\uff0e\uff61]/u.test(text)) return true
  return Array.from(text).some(
    (character) => !isAscii(character) && /[\0-\x7f]/.test(folded(character))
  )
}

function folded(character: string): string {
  return character.normalize('NFKC').toLowerCase()
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}

function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

// Only white space that people type. Other characters are refused later, not removed silently.
function trimmed(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
}
