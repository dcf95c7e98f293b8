/**
 * The personal data of an event. They are stored apart from the event, which contains only a salted
 * digest of them: erasing them, salt included, changes no event and breaks no proof.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson, shortened } from './encoding.ts'

/** The data that are stored apart and can be erased. */
export interface PersonalData {
  readonly ipAddress: string | null
  readonly userAgent: string | null
}

/** Personal data with a salt, which prevents guessing them from their digest. */
export interface SaltedData extends PersonalData {
  readonly salt: string
}

/** Which personal data are recorded. */
export type RecordedData = Readonly<Record<keyof PersonalData, boolean>>

/** The origin of a request, as the request or the network states it. */
export interface Origin {
  readonly traceId?: string
  readonly ipAddress?: string
  readonly userAgent?: string
}

const LONGEST_ADDRESS = 64
const LONGEST_AGENT = 512

/** Returns the recorded part of an origin, cut to length; null if it is empty. */
export function personalDataOf(origin: Origin, recorded: RecordedData): PersonalData | null {
  const kept = (name: keyof PersonalData, longest: number) => {
    const value = recorded[name] ? origin[name] : undefined
    return value ? shortened(value, longest) : null
  }
  const ipAddress = kept('ipAddress', LONGEST_ADDRESS)
  const userAgent = kept('userAgent', LONGEST_AGENT)
  return ipAddress === null && userAgent === null ? null : { ipAddress, userAgent }
}

/**
 * Returns the digest that an event contains: SHA-256, in hex, of the three lines `seatgate-personal/v1`,
 * the salt, and the data as canonical JSON.
 *
 * @example
 * ```ts
 * personalDigest(event.personal) === event.personalDigest
 * ```
 */
export function personalDigest(data: SaltedData): string {
  return bytesToHex(sha256(utf8ToBytes(digestedText(data))))
}

/** Returns the text of which {@link personalDigest} is the digest. */
export function digestedText({ salt, ipAddress, userAgent }: SaltedData): string {
  return `seatgate-personal/v1\n${salt}\n${canonicalJson({ ipAddress, userAgent })}`
}
