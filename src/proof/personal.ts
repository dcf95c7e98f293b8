/**
 * What an event knows of a person beside their id. It lies apart from the event, which holds nothing
 * but a salted digest of it: erasing it, salt included, changes no event and breaks no proof.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from './canonical.ts'
import { shortened } from './text.ts'

/** What is kept apart, and can be erased. */
export interface PersonalData {
  readonly ipAddress: string | null
  readonly userAgent: string | null
}

/** Personal data with the salt that makes its digest say nothing to whoever guesses. */
export interface SaltedData extends PersonalData {
  readonly salt: string
}

/** Which of it is recorded. */
export type RecordedData = Readonly<Record<keyof PersonalData, boolean>>

/** Where a request came from, as it says itself or as the network says. */
export interface Origin {
  readonly traceId?: string
  readonly ipAddress?: string
  readonly userAgent?: string
}

const LONGEST_ADDRESS = 64
const LONGEST_AGENT = 512

/** The personal part of an origin, cut to length; null if nothing of it is recorded. */
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
 * The commitment that an event holds: SHA-256, in hex, of `seatgate-personal/v1`, the salt and the data
 * as canonical JSON, a line each.
 *
 * @example
 * ```ts
 * personalDigest(event.personal) === event.personalDigest
 * ```
 */
export function personalDigest({ salt, ipAddress, userAgent }: SaltedData): string {
  const data = canonicalJson({ ipAddress, userAgent })
  return bytesToHex(sha256(utf8ToBytes(`seatgate-personal/v1\n${salt}\n${data}`)))
}
