/**
 * Refuses a release that is not ready: `begin` before the changesets are applied, `publish` before
 * the package is published.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { oneOf, readArguments } from './arguments.ts'
import { releaseFindings, type Manifest } from './release-findings.ts'
import { root } from './run-wrangler.ts'

const stage = readArguments('release-check.ts begin|publish', () =>
  oneOf('The stage', process.argv[2] ?? '', ['begin', 'publish'] as const)
)

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const findings = releaseFindings({
  manifest: JSON.parse(read('package.json')) as Manifest,
  changelog: read('CHANGELOG.md'),
  changesets: readdirSync(join(root, '.changeset')).filter(
    (name) => name.endsWith('.md') && name !== 'README.md'
  ),
  stage,
})
for (const finding of findings) console.error(finding)
if (findings.length > 0) {
  console.error('Not ready for a release: see CONTRIBUTING.md.')
  process.exitCode = 1
}
