import type { Page } from 'playwright-core'
import { actAs, browse, url, type Browsing, type Founded } from './browsing.ts'

/** The pages of an organization, by their path. */
export const PAGES = [
  'members',
  'invitations',
  'invitations/links',
  'requests',
  'domains',
  'seats',
  'seats/history',
  'billing',
  'audit',
  'audit/verification',
  'sinks',
  'sinks/webhook/attempts',
  'sinks/webhook/dead-letters',
  'directory',
  'api-keys',
  'roles',
  'groups',
  'impersonations',
  'impersonations/earlier',
  'settings',
] as const

/** A page of an organization. */
export type OrganizationPage = (typeof PAGES)[number]

/** Opens a page of an organization as its owner, or another person. */
export async function open(
  { slug, token }: Pick<Founded, 'slug' | 'token'>,
  path: string,
  browsing: Browsing = {}
): Promise<Page> {
  const page = await browse(browsing)
  await actAs(page, token)
  await page.goto(url(`/org/${slug}/${path}`))
  return page
}
