import { describe, expect, it } from 'vitest'
import {
  createSeatgate,
  d1Seats,
  generate,
  generateSlug,
  unlimitedSeats,
  type SeatgateOptions,
} from '../../../../src/index.ts'
import { slugErrors } from '../../../../src/engine/model/slug.ts'

const batch = () => Promise.reject(new Error('No database is asked at set-up.'))

function make(options: object = {}) {
  return createSeatgate({
    database: { batch },
    seats: d1Seats(),
    sessions: 'none',
    ...options,
  } as unknown as SeatgateOptions)
}

const own = { roles: ['chief', 'clerk'], ownerRole: 'chief', invitationAdminRoles: ['chief'] }

describe('the roles', () => {
  it('are owner, admin and member by default, and there is no viewer [ORG-34]', () => {
    expect(make().roles.all).toEqual(['owner', 'admin', 'member'])
    for (const option of ['invitationAdminRoles', 'memberAdminRoles', 'organizationAdminRoles']) {
      expect(() => make({ [option]: ['viewer'] })).toThrow(`${option} has "viewer"`)
    }
  })

  it('have owner as the owner’s, or one of those that are configured [ORG-35]', () => {
    expect(make().roles.owner).toBe('owner')
    expect(make(own).roles.owner).toBe('chief')
    expect(() => make({ ...own, ownerRole: 'owner' })).toThrow('ownerRole has "owner"')
    expect(() => make({ ownerRole: 'chief' })).toThrow('ownerRole has "chief"')
  })

  it('of the host’s own come with ownerRole and invitationAdminRoles [ORG-36]', () => {
    expect(() => make(own)).not.toThrow()
    for (const missing of ['ownerRole', 'invitationAdminRoles']) {
      expect(() => make({ ...own, [missing]: undefined })).toThrow(
        /roles needs ownerRole and invitationAdminRoles/
      )
    }
  })

  it('who invite are some of them, and at least one [ORG-37]', () => {
    expect(() => make({ invitationAdminRoles: [] })).toThrow(
      'invitationAdminRoles must not be empty'
    )
    expect(() => make({ invitationAdminRoles: ['owner', 'boss'] })).toThrow(
      'invitationAdminRoles has "boss"'
    )
    expect(() => make({ ...own, invitationAdminRoles: ['admin'] })).toThrow(
      'invitationAdminRoles has "admin"'
    )
    expect(make({ invitationAdminRoles: ['member'] }).roles).toMatchObject({
      memberAdmins: ['member'],
      organizationAdmins: ['member'],
    })
  })
})

describe('the rules for slugs', () => {
  it.each([['^[a-z]+$'], [{}], [() => true], [7], [['a-z']]])(
    'are no rules with %j for slugFormat [ORG-38]',
    (slugFormat) => {
      expect(() => make({ slugFormat })).toThrow(/slugFormat must be a regular expression/)
    }
  )

  it.each([[/x/g], [/x/y], [/x/gy]])(
    'are no rules with %s, which remembers [ORG-38]',
    (slugFormat) => {
      expect(() => make({ slugFormat })).toThrow(/slugFormat must not be global or sticky/)
    }
  )

  it.each([
    [{ min: 0, max: 9 }],
    [{ min: -1, max: 9 }],
    [{ min: 5, max: 4 }],
    [{ min: 1.5, max: 9 }],
    [{ min: 1, max: Infinity }],
    [{ min: Number.NaN, max: 9 }],
    [{ min: '3', max: '9' }],
    [{ min: 3 }],
    [{}],
  ])('are no rules with the length %j [ORG-38]', (slugLength) => {
    expect(() => make({ slugLength })).toThrow(/slugLength must be whole numbers/)
  })

  it.each([[{ min: 1, max: 1 }], [{ min: 5, max: 10 }]])(
    'may have the length %j [ORG-38]',
    (slugLength) => {
      expect(() => make({ slugLength })).not.toThrow()
    }
  )

  it.each([[-1], [0.5], [Number.NaN], [Infinity], ['7']])(
    'have no aliases of %s days',
    (slugAliasDays) => {
      expect(() => make({ slugAliasDays })).toThrow(/slugAliasDays must be a whole number/)
    }
  )

  it.each([['reservedSlugs'], ['additionalReservedSlugs']])('have texts for %s', (option) => {
    expect(() => make({ [option]: ['fine', 7] })).toThrow(/must be lists of texts/)
  })

  const complaints = (options: object, slug: string) =>
    slugErrors(make(options).slugs, slug).map(
      (message) => /letter|characters long|reserved/.exec(message)?.[0]
    )

  it('reserve the host’s own words beside the library’s, with the same error [ORG-61]', () => {
    const options = { additionalReservedSlugs: ['acme'] }
    expect(complaints(options, 'acme')).toEqual(['reserved'])
    expect(complaints(options, 'admin')).toEqual(['reserved'])
    expect(complaints({}, 'acme')).toEqual([])
    const { slugs } = make(options)
    expect(slugErrors(slugs, 'acme')).toEqual(slugErrors(slugs, 'admin'))
  })

  it('reserve the host’s own words in place of the library’s [ORG-61]', () => {
    const options = { reservedSlugs: ['acme'], additionalReservedSlugs: ['corp'] }
    expect(['acme', 'corp', 'admin'].map((slug) => complaints(options, slug))).toEqual([
      ['reserved'],
      ['reserved'],
      [],
    ])
  })

  it('have the length that is configured: 5 to 10 has no abcd, but abcde [ORG-62]', () => {
    const options = { slugLength: { min: 5, max: 10 } }
    expect(complaints(options, 'abcd')).toEqual(['characters long'])
    expect(complaints(options, 'abcde')).toEqual([])
    expect(complaints(options, 'abcdefghij')).toEqual([])
    expect(complaints(options, 'abcdefghijk')).toEqual(['characters long'])
  })

  it('complain of all that is wrong: form, then length, then that it is reserved [ORG-63]', () => {
    const options = { reservedSlugs: ['1', 'X!'], slugLength: { min: 3, max: 9 } }
    for (const slug of ['1', 'X!']) {
      expect(complaints(options, slug)).toEqual(['letter', 'characters long', 'reserved'])
    }
  })

  it('make slugs of names under two names [ORG-51]', () => {
    expect(generate).toBe(generateSlug)
    expect(generate('Acme Corp!')).toBe('acme-corp')
  })
})

describe('a configuration', () => {
  it.each([[undefined], [null], [{}], ['d1'], [{ updateActiveOrganization() {} }]])(
    'with %j for sessions throws: without sessions it says "none" [ORG-39]',
    (sessions) => {
      expect(() => make({ sessions })).toThrow(/sessions must be a session store/)
    }
  )

  it('says "none" on purpose, and then has no session store [ORG-39]', () => {
    expect(make({ sessions: 'none' }).sessions).toBeNull()
  })

  it.each([['database'], ['seats']])('without %s throws, naming it [ORG-39]', (option) => {
    expect(() => make({ [option]: undefined })).toThrow(`createSeatgate: ${option}`)
  })

  it.each([
    'database',
    'seats',
    'sessions',
    'roles',
    'slugFormat',
    'slugLength',
    'hooks',
    'lifecycle',
    'sinks',
    'verifyPassword',
    'defaultSeatLimit',
    'now',
  ])('lets an error of the host’s in its %s come through as it is [ORG-40]', (option) => {
    class HostError extends Error {}
    const error = new HostError('the host is not ready')
    const options = {
      get [option](): never {
        throw error
      },
    }
    const configuration = Object.defineProperties(
      { database: { batch }, seats: d1Seats(), sessions: 'none' },
      Object.getOwnPropertyDescriptors(options)
    )
    expect(() => createSeatgate(configuration as unknown as SeatgateOptions)).toThrow(error)
  })

  it('lets an error of the host’s seat provider come through as it is [ORG-40]', () => {
    const error = new Error('no such binding')
    const seats = {
      ...unlimitedSeats(),
      outbox() {
        throw error
      },
    }
    expect(() => make({ seats })).toThrow(error)
  })

  it.each([['verifyPassword'], ['stepUp']])('throws for a %s that is no function', (option) => {
    for (const value of [true, 'secret', {}]) {
      expect(() => make({ [option]: value })).toThrow(`${option} must be a function`)
    }
  })
})
