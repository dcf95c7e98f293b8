import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cost } from './cost.ts'
import type { Operation, Product } from './subjects.ts'

export interface CountedOperation extends Cost {
  readonly product: Product
  readonly members: number
  readonly operation: Operation
}

export interface Rate {
  readonly perSecond: number
  /** CPU time of workerd in milliseconds for each request; null where the system does not tell. */
  readonly cpu: number | null
}

/** The rate of an operation of a product, or of a bare call. */
export interface ComparedRate extends Rate {
  readonly subject: Product | 'bare'
  readonly operation: string
}

/** The bytes of a Worker. */
export interface Sizes {
  readonly minified: number
  readonly minifiedAndZipped: number
  /** As wrangler deploys by default. */
  readonly zipped: number
}

/** The bytes in D1 of a change. */
export interface StoredBytes {
  /** Of an added member: the membership and two events. */
  readonly member: number
  /** Of a changed role: one event. */
  readonly change: number
}

/** Everything that a run measures. */
export interface Results {
  readonly measuredOn: string
  readonly versions: Readonly<Record<string, string>>
  readonly counts: readonly CountedOperation[]
  readonly sizes: Readonly<Record<Product, Sizes>>
  /** Left out of runs before it was measured. */
  readonly storage?: StoredBytes
  /** Null if only what is exact was measured. */
  readonly timed: Timed | null
}

/** What a clock measures. Only ratios within one run can be compared. */
export interface Timed {
  readonly machine: string
  readonly rates: readonly ComparedRate[]
  /** CPU milliseconds of a start. */
  readonly starts: Readonly<Record<Product, number>>
}

const folder = join(import.meta.dirname, 'results')

/** The newest run. */
export const LATEST = join(folder, 'latest.json')

/** A run at commit 59d9ddd, before the rows of each operation were reduced. */
export const BEFORE = join(folder, 'before.json')

/** Reads the numbers of a run. */
export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results
}
