/**
 * Proofs about audit trails: `seatgate/proof`. Pure functions without a database, for browsers too.
 *
 * @module
 */
export { canonicalJson } from './canonical.ts'
export { openCheckpoint, originOf } from './checkpoint.ts'
export type { Checkpoint } from './checkpoint.ts'
export { exportLines } from './export-lines.ts'
export { eventLeaf } from './leaf.ts'
export type { ExportHorizon } from './horizon.ts'
export { GrowingTree, leafHash, nodeHash } from './merkle.ts'
export type { Hash } from './merkle.ts'
export { generateLogKey } from './note.ts'
export { personalDigest } from './personal.ts'
export { verifyExport } from './verify-export.ts'
export type { Finding, Verification } from './verify-export.ts'
export { verifyConsistency, verifyInclusion } from './verify-proof.ts'
