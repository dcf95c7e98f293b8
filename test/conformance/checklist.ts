/** The groups of the conformance checklist and the number of each one's last line. */
export const GROUPS = {
  ORG: 139,
  HOOK: 30,
  PIPE: 63,
  INV: 89,
  MAIL: 11,
  AUD: 68,
  FWD: 51,
  SEAT: 53,
  BILL: 78,
  CAP: 8,
  PERM: 20,
  LINK: 15,
  SCIM: 23,
  KEY: 19,
  GROUP: 24,
  OP: 21,
} as const

type Groups = typeof GROUPS

type UpTo<
  Last extends number,
  Seen extends unknown[] = [unknown],
  Below extends number = never,
> = Seen['length'] extends Last
  ? Below | Last
  : UpTo<Last, [...Seen, unknown], Below | Seen['length']>

/** A line of the checklist, such as `ORG-12`. Leading zeros in a test's title do not matter. */
export type LineId = { [G in keyof Groups]: `${G}-${UpTo<Groups[G]>}` }[keyof Groups]

/** What the tests are held against. */
export interface Checklist {
  /** The number of the last line of each group; ids of any other group are not looked at. */
  readonly groups: Readonly<Record<string, number>>
  /** Why a line has no test. */
  readonly leftOut: Readonly<Record<string, string>>
  /** What is done in place of what a line says, and why. */
  readonly otherwise?: Readonly<Record<string, string>>
}
