/** The fields of `package.json` that a release needs. */
export interface Manifest {
  readonly version: string
  readonly homepage?: string
  readonly bugs?: { readonly url?: string }
  readonly repository?: { readonly url?: string }
  readonly keywords?: readonly string[]
  readonly publishConfig?: { readonly provenance?: boolean }
}

/** What a release is checked from. */
export interface Release {
  readonly manifest: Manifest
  readonly changelog: string
  /** Names of changesets that no release has taken yet. */
  readonly changesets: readonly string[]
  /** `begin` is before the changesets are applied, `publish` after. */
  readonly stage: 'begin' | 'publish'
}

/** Hosts that no site can have: RFC 2606 reserves them. */
const RESERVED = /(^|\.)(invalid|example|test|localhost|example\.(com|net|org))$/

/** Returns the reasons against a release, one sentence each. */
export function releaseFindings(release: Release): readonly string[] {
  const { manifest, stage } = release
  return [
    ...addressFindings('homepage', manifest.homepage),
    ...addressFindings('repository.url', manifest.repository?.url),
    ...addressFindings('bugs.url', manifest.bugs?.url),
    ...(manifest.keywords?.length ? [] : ['package.json has no keywords.']),
    ...(manifest.publishConfig?.provenance === true
      ? []
      : ['publishConfig.provenance is not true: the package could not be traced to its source.']),
    ...(stage === 'begin' ? beginFindings(release) : publishFindings(release)),
  ]
}

function addressFindings(field: string, address: string | undefined): string[] {
  if (address === undefined) return [`package.json has no ${field}.`]
  const url = URL.canParse(address) ? new URL(address.replace(/^git\+/, '')) : null
  if (url === null) return [`${field} is no URL: "${address}".`]
  return RESERVED.test(url.hostname) ? [`${field} is a placeholder: "${address}".`] : []
}

function beginFindings({ changesets }: Release): string[] {
  return changesets.length > 0 ? [] : ['There is no changeset, so there is no new version.']
}

function publishFindings({ manifest: { version }, changelog, changesets }: Release): string[] {
  const findings = changesets.map((name) => `${name} is not applied: run npm run release.`)
  const entry = changelog.split('\n').includes(`## ${version}`)
  return entry ? findings : [...findings, `CHANGELOG.md has no entry "## ${version}".`]
}
