import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Measured. Vitest remembers how long a file took, but not across an install.
const LONGEST = [
  'crash',
  'dev',
  'member-last-owner',
  'races',
  'receiver',
  'ledger-seats',
  'invitation-atomic',
  'organization-atomic',
  'invitation-races',
  'user-deletion',
  'drift-under-way',
  'owners',
  'membership-rules',
  'package',
]

/** Starts what takes longest first, so that no lane is left with it at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => placeOf(a) - placeOf(b))
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.indexOf(basename(moduleId, '.test.ts'))
  return place < 0 ? LONGEST.length : place
}
