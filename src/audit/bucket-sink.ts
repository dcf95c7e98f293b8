import type { AuditEvent } from './event.ts'
import type { Delivery, Sink } from './sink.ts'
import type { SinkOptions } from './webhook-sink.ts'

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

/**
 * Keeps events in a bucket as NDJSON, up to 100 in an object, one event a line. The name says the
 * organization and the first sequence: `audit/ORGANIZATION/000000000101.ndjson`. An attempt that is
 * repeated overwrites its own object, so that a listing has the events in order and hardly any twice.
 *
 * @throws {TypeError} if there is no bucket.
 *
 * @example
 * ```ts
 * bucketSink({ bucket: env.AUDIT_BUCKET, exclude: ['seat.*'] })
 * ```
 */
export function bucketSink({
  id = 'bucket',
  bucket,
  prefix = 'audit/',
  ...options
}: BucketSinkOptions): Sink {
  if (typeof bucket?.put !== 'function') throw new TypeError('bucketSink: bucket is not bound.')
  const put = async (events: readonly AuditEvent[]): Promise<Delivery> => {
    const [first] = events
    if (first === undefined) return { outcome: 'delivered' }
    const name = String(first.sequence).padStart(12, '0')
    const body = events.map((event) => `${JSON.stringify(event)}\n`).join('')
    const httpMetadata = { contentType: 'application/x-ndjson' }
    await bucket.put(`${prefix}${first.organizationId}/${name}.ndjson`, body, { httpMetadata })
    return { outcome: 'delivered' }
  }
  const setUpPage = 'docs/audit.md#forwarding'
  return { id, setUpPage, ...options, deliver: (event) => put([event]), deliverMany: put }
}
