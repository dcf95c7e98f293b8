import { checkOptionNames } from '../../base/names.ts'
import { sha256 } from '../../base/sha256.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { ndjsonLine } from '../../base/ndjson.ts'
import type { Delivery, Sink } from '../../engine/delivery/sink.ts'
import { SINK_OPTIONS, type SinkOptions } from './webhook-sink.ts'

/** Where objects are put; an R2 bucket is one. */
export interface Bucket {
  put(
    key: string,
    body: string,
    options: { readonly httpMetadata: { readonly contentType: string } }
  ): Promise<unknown>
}

/** Options of {@link bucketSink}. */
export interface BucketSinkOptions extends SinkOptions {
  /** Names the sink's cursor. Default `"bucket"`. */
  readonly id?: string
  readonly bucket: Bucket
  /** What the names of objects begin with. Default `"audit/"`. */
  readonly prefix?: string
}

const OPTIONS = [...SINK_OPTIONS, 'id', 'bucket', 'prefix']
const DIGITS_OF_HASH = 16

/**
 * Keeps events in a bucket as NDJSON, up to 100 in an object, one event a line. The name says the
 * organization, the first and the last sequence and, by the beginning of its SHA-256, the content:
 * `audit/ORGANIZATION/000000000101-000000000200-8d0e42a1f3b95c77.ndjson`. No object is ever overwritten
 * but with the same events, however late a write lands. A listing has the events in order; where an
 * attempt, a requeue or a replay took others together, some are in two objects, and their ids tell.
 *
 * @throws {TypeError} if there is no bucket.
 *
 * @example
 * ```ts
 * bucketSink({ bucket: env.AUDIT_BUCKET, exclude: ['seat.*'] })
 * ```
 */
export function bucketSink(given: BucketSinkOptions): Sink {
  checkOptionNames('bucketSink', given, OPTIONS)
  const { id = 'bucket', bucket, prefix = 'audit/', ...options } = given
  if (typeof bucket?.put !== 'function') throw new TypeError('bucketSink: bucket is not bound.')
  const put = async (events: readonly AuditEvent[]): Promise<Delivery> => {
    const [first] = events
    const last = events.at(-1)
    if (first === undefined || last === undefined) return { outcome: 'delivered' }
    const body = events.map(ndjsonLine).join('')
    const hash = (await sha256(body)).slice(0, DIGITS_OF_HASH)
    const name = `${padded(first)}-${padded(last)}-${hash}`
    const httpMetadata = { contentType: 'application/x-ndjson' }
    await bucket.put(`${prefix}${first.organizationId}/${name}.ndjson`, body, { httpMetadata })
    return { outcome: 'delivered' }
  }
  const setUpPage = 'docs/forwarding.md'
  return { id, setUpPage, ...options, deliver: (event) => put([event]), deliverMany: put }
}

// So that names are in the order of what they name.
function padded({ sequence }: AuditEvent): string {
  return String(sequence).padStart(12, '0')
}
