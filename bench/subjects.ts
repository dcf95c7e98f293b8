/** The products that are compared. */
export const PRODUCTS = ['floor', 'better-auth', 'ledger', 'd1'] as const

export type Product = (typeof PRODUCTS)[number]

/** Each measured operation. A product may lack one. */
export const OPERATIONS = [
  'read organization',
  'list 50 members',
  'list my organizations (20)',
  'audit, newest 50',
  'add member',
  'refused add at the limit',
  'invite',
  'accept invitation',
  'change role',
  'remove member',
  'create organization',
] as const

export type Operation = (typeof OPERATIONS)[number]
