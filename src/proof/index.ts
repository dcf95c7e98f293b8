/**
 * Proofs about audit trails: `seatgate/proof`. Pure functions without a database, for browsers too.
 *
 * @module
 */
export { canonicalJson } from './encoding.ts'
export { openCheckpoint, originOf, verifyConsistency, verifyInclusion } from './verify-proof.ts'
export type { Checkpoint } from './verify-proof.ts'
export { exportLines, verifyExport } from './verify-export.ts'
export { eventLeaf, GrowingTree, leafHash, nodeHash } from './merkle.ts'
export type { ExportHorizon } from './horizon.ts'
export type { Hash } from './merkle.ts'
export { generateLogKey } from './note.ts'
export { personalDigest } from './personal.ts'
export type { Finding, Verification } from './verify-export.ts'
