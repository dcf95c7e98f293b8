import { checkOptionNames } from '../../base/names.ts'
import { ndjsonLine } from '../../base/shown-text.ts'
import { sha256 } from '../../proof/encoding.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import type { Delivery, Sink } from '../../engine/delivery/sink.ts'
import { SINK_OPTIONS, type SinkOptions } from './webhook-sink.ts'

/** A store of objects; an R2 bucket is one. */
export interface Bucket {
  put(
    key: string,
    body: string,
    options: { readonly httpMetadata: { readonly contentType: string } }
  ): Promise<unknown>
}

/** Options of {@link bucketSink}. */
export interface BucketSinkOptions extends SinkOptions {
  /** The name of the sink's cursor. Default `"bucket"`. */
  readonly id?: string
  readonly bucket: Bucket
  /** The prefix of the names of objects. Default `"audit/"`. */
  readonly prefix?: string
}

const OPTIONS = [...SINK_OPTIONS, 'id', 'bucket', 'prefix']
const DIGITS_OF_HASH = 16

/**
 * Stores events in a bucket as NDJSON, up to 100 events in an object, one per line. The name consists of
 * the organization, the first and the last sequence, and the beginning of the SHA-256 of the content:
 * `audit/ORGANIZATION/000000000101-000000000200-8d0e42a1f3b95c77.ndjson`. An object is only ever
 * overwritten with the same events, even by a late write. A listing has the events in order; if a retry,
 * a requeue or a replay grouped events differently, some are in two objects, and their ids identify the
 * repeats.
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

// Pads sequences so that names sort in the order of the events.
function padded({ sequence }: AuditEvent): string {
  return String(sequence).padStart(12, '0')
}
