import type { AuditLogOptions } from '../src/index.ts'

/**
 * Keeps signed checkpoints in a bucket, if one is bound: `ORGANIZATION/SIZE`. What is there stays, so that
 * whoever comes to rule the database cannot rewrite it from here; another checkpoint of the same size is
 * not taken, and is reported for as long as it is the last.
 */
export function checkpointsIn(
  bucket: R2Bucket | undefined
): Pick<AuditLogOptions, 'publishCheckpoint'> {
  if (bucket === undefined) return {}
  return {
    async publishCheckpoint({ organizationId, size, note }) {
      const name = `${organizationId}/${size}`
      const put = await bucket.put(name, note, { onlyIf: { etagDoesNotMatch: '*' } })
      if (put !== null) return
      const kept = await bucket.get(name)
      if ((await kept?.text()) !== note) {
        throw new Error('Another checkpoint of this size is kept already.')
      }
    },
  }
}
