import { expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { releaseFindings, type Manifest, type Release } from '../../scripts/release-findings.ts'

const OURS = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
) as Manifest

const READY: Manifest = {
  version: '1.2.0',
  homepage: 'https://seatgate.dev/',
  bugs: { url: 'https://code.seatgate.dev/issues' },
  repository: { url: 'git+https://code.seatgate.dev/seatgate.git' },
  keywords: ['seats'],
  publishConfig: { provenance: true },
}

const findings = (manifest: Manifest, of: Partial<Release> = {}) =>
  releaseFindings({
    manifest,
    changelog: '# Changelog\n\n## 1.2.0\n\n- Seats.\n',
    changesets: [],
    stage: 'publish',
    ...of,
  })

test('a release that is ready has no findings', () => {
  expect(findings(READY)).toEqual([])
  expect(findings(READY, { stage: 'begin', changesets: ['seats.md'] })).toEqual([])
})

test('the placeholders of package.json are refused, in both stages', () => {
  for (const stage of ['begin', 'publish'] as const) {
    const placeholders = findings(OURS, { stage }).filter((each) => each.includes('placeholder'))
    expect(placeholders.map((each) => each.split(' ')[0])).toEqual([
      'homepage',
      'repository.url',
      'bugs.url',
    ])
  }
})

test.each([
  [{ homepage: 'https://seatgate.example/' }, 'homepage is a placeholder'],
  [{ homepage: 'https://www.example.com/' }, 'homepage is a placeholder'],
  [{ homepage: 'seatgate' }, 'homepage is no URL'],
  [{ repository: {} }, 'package.json has no repository.url'],
  [{ bugs: { url: 'http://localhost/' } }, 'bugs.url is a placeholder'],
  [{ keywords: [] }, 'package.json has no keywords'],
  [{ publishConfig: {} }, 'publishConfig.provenance is not true'],
])('%j is refused', (fields: Partial<Manifest>, finding) => {
  const found = findings({ ...READY, ...fields })
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(finding)
})

test('a release begins with a changeset, and is published when each is applied', () => {
  expect(findings(READY, { stage: 'begin' })).toEqual([
    'There is no changeset, so there is no new version.',
  ])
  expect(findings(READY, { changesets: ['seats.md'] })).toEqual([
    'seats.md is not applied: run npm run release.',
  ])
  expect(findings({ ...READY, version: '1.3.0' })).toEqual([
    'CHANGELOG.md has no entry "## 1.3.0".',
  ])
})
