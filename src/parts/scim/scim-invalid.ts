import { refused, type Refused } from '../../base/result.ts'

/** The kinds of errors in a request, as section 3.12 of RFC 7644 names them. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'

/** Refuses a request that is not valid SCIM. */
export function scimInvalid(scimType: ScimType, detail: string): Refused<'scim_invalid'> {
  return refused({ code: 'scim_invalid', scimType, detail })
}
