import { drizzle } from 'drizzle-orm/d1'
import { describe, expect, it } from 'vitest'
import {
  billing,
  createSeatgate,
  d1Seats,
  ledgerSeats,
  seatTypes as typesOfSeats,
  unlimitedSeats,
  type PlanOptions,
  type SeatgateOptions,
} from '../../../src/index.ts'
import { testEnv } from '../../kit/index.ts'

const ROLES = {
  all: ['owner', 'admin', 'viewer', 'guest'],
  owner: 'owner',
  invitationAdmins: ['owner'],
} as const

const LIGHT = { light: { roles: ['viewer'], defaultLimit: 3 } } as const

function make(roles: object, rest: Partial<SeatgateOptions> = {}) {
  return createSeatgate({
    database: drizzle(testEnv.DB),
    sessions: 'none',
    seats: d1Seats(),
    roles: { ...ROLES, ...roles } as never,
    ...rest,
  } as SeatgateOptions)
}

const planned = (seatTypes: PlanOptions['seatTypes']) =>
  billing({ plans: { team: { ...(seatTypes && { seatTypes }) } } })

describe('types of seats in a configuration [SEAT-30]', () => {
  it.each([
    ['d1Seats()', d1Seats()],
    ['ledgerSeats()', ledgerSeats(testEnv.SEATS)],
  ])('are taken with %s, and by plans that name them', (_name, seats) => {
    const { roles, seatContext } = make(
      { seatTypes: typesOfSeats({ ...LIGHT, guest: { roles: ['guest'] } }) },
      { seats, billing: planned({ light: 'unlimited', guest: 0 }) }
    )
    expect([...roles.seatTypes]).toEqual([
      ['light', { roles: ['viewer'], defaultLimit: 3 }],
      ['guest', { roles: ['guest'], defaultLimit: 'unlimited' }],
    ])
    expect(seatContext.seatTypes).toBe(roles.seatTypes)
  })

  it.each<[string, object, RegExp]>([
    ['no object', [], /roles\.seatTypes must be an object/],
    ['a name in capitals', { Light: { roles: ['viewer'] } }, /seatTypes\.Light must have a name/],
    ['a name with a separator', { 'a/b': { roles: ['viewer'] } }, /must have a name/],
    ['no roles', { light: {} }, /seatTypes\.light\.roles must not be empty/],
    ['an empty list', { light: { roles: [] } }, /seatTypes\.light\.roles must not be empty/],
    ['a role that is not there', { light: { roles: ['chief'] } }, /"chief".*not in roles\.all/],
    ['the owner', { light: { roles: ['owner'] } }, /must not have the owner/],
    ['a role twice', { light: { roles: ['guest', 'guest'] } }, /"guest" is in/],
    [
      'a role in two types',
      { ...LIGHT, other: { roles: ['viewer'] } },
      /"viewer" is in roles\.seatTypes\.light and in roles\.seatTypes\.other/,
    ],
    ['half a seat', { light: { roles: ['viewer'], defaultLimit: 0.5 } }, /defaultLimit must be/],
    ['a negative limit', { light: { roles: ['viewer'], defaultLimit: -1 } }, /defaultLimit must/],
    ['an unknown option', { light: { roles: ['viewer'], limit: 3 } }, /no option/],
  ])('are refused with %s', (_what, seatTypes, message) => {
    expect(() => make({ seatTypes: typesOfSeats(seatTypes as never) })).toThrow(message)
  })

  it('are refused as an object, which seatTypes() makes', () => {
    expect(() => make({ seatTypes: LIGHT })).toThrow('roles.seatTypes must be seatTypes({ … }).')
  })

  it('are refused for a role that takes no seat', () => {
    expect(() => make({ seatTypes: typesOfSeats(LIGHT), seatless: ['viewer'] })).toThrow(
      /"viewer" is in roles\.seatless and in roles\.seatTypes\.light/
    )
  })

  it('are refused with a provider that counts no types', () => {
    expect(() => make({ seatTypes: typesOfSeats(LIGHT) }, { seats: unlimitedSeats() })).toThrow(
      /counts types/
    )
    const own = { ...d1Seats(), countsTypes: undefined }
    expect(() => make({ seatTypes: typesOfSeats(LIGHT) }, { seats: own as never })).toThrow(
      /counts types/
    )
    expect(() => make({ seatTypes: typesOfSeats({}) }, { seats: unlimitedSeats() })).not.toThrow()
  })

  it.each([
    ['a type that is not configured', { heavy: 3 }, /"team" limits seats of "heavy"/],
    ['half a seat', { light: 0.5 }, /seatTypes\.light must be/],
  ])('are refused in a plan with %s', (_what, seatTypes, message) => {
    expect(() => make({ seatTypes: typesOfSeats(LIGHT) }, { billing: planned(seatTypes) })).toThrow(
      message
    )
  })
})
