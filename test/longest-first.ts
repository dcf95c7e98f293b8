import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// A lane keeps its workerd as long as the next file is of the same project, and starting one takes as long
// as many files: so all of a project's are together. Only what waits most of its time is begun before.
const PROJECTS = ['workers', 'node', 'browser', 'unit', 'simulation']
const BEFORE_ALL = ['crash', 'dev', 'receiver']

// Measured. Vitest remembers how long a file took, but not across an install.
const LONGEST = [
  'drift',
  'contracts',
  'slug-look-alikes',
  'over-limit',
  'invitation-http',
  'openapi',
  'verify-command',
  'states',
  'members',
  'member-last-owner',
  'ledger-seats',
  'invitation-atomic',
  'd1-seats',
  'organization-atomic',
  'invitation-races',
  'drift-under-way',
  'races',
  'user-deletion',
  'crashes',
  'membership-rules',
  'suspension-bulk',
  'membership-owners',
  'http-absence',
  'package',
  'kills',
  'proof-tampering',
]

/** Starts what takes longest first, so that no lane is left with it at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => projectOf(a) - projectOf(b) || placeOf(a) - placeOf(b))
  }
}

function projectOf({ moduleId, project }: TestSpecification): number {
  return BEFORE_ALL.includes(nameOf(moduleId)) ? -1 : PROJECTS.indexOf(project.name)
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = LONGEST.indexOf(nameOf(moduleId))
  return place < 0 ? LONGEST.length : place
}

function nameOf(moduleId: string): string {
  return basename(moduleId, '.test.ts').replace(/\.thorough$/, '')
}
