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

const own = { all: ['chief', 'clerk'], owner: 'chief', invitationAdmins: ['chief'] }
const roles = (options: object = {}) => make({ roles: options }).roles

describe('the roles', () => {
  it('are owner, admin and member by default, and there is no viewer [ORG-34]', () => {
    expect(make().roles.all).toEqual(['owner', 'admin', 'member'])
    for (const option of ['invitationAdmins', 'memberAdmins', 'organizationAdmins']) {
      expect(() => roles({ [option]: ['viewer'] })).toThrow(`roles.${option} has "viewer"`)
    }
  })

  it('have owner as the owner’s, or one of those that are configured [ORG-35]', () => {
    expect(make().roles.owner).toBe('owner')
    expect(roles(own).owner).toBe('chief')
    expect(() => roles({ ...own, owner: 'owner' })).toThrow('roles.owner has "owner"')
    expect(() => roles({ owner: 'chief' })).toThrow('roles.owner has "chief"')
  })

  it('of the host require an owner and inviters [ORG-36]', () => {
    expect(() => roles(own)).not.toThrow()
    for (const missing of ['owner', 'invitationAdmins']) {
      expect(() => roles({ ...own, [missing]: undefined })).toThrow(
        'roles.all needs roles.owner and roles.invitationAdmins'
      )
    }
  })

  it('include at least one that may invite [ORG-37]', () => {
    expect(() => roles({ invitationAdmins: [] })).toThrow('invitationAdmins must not be empty')
    expect(() => roles({ invitationAdmins: ['owner', 'boss'] })).toThrow(
      'invitationAdmins has "boss"'
    )
    expect(() => roles({ ...own, invitationAdmins: ['admin'] })).toThrow(
      'invitationAdmins has "admin"'
    )
    expect(roles({ invitationAdmins: ['member'] })).toMatchObject({
      memberAdmins: ['member'],
      organizationAdmins: ['member'],
    })
  })
})

describe('the rules for slugs', () => {
  const slugs = (options: object) => make({ slugs: options }).slugs

  it.each([['^[a-z]+$'], [{}], [() => true], [7], [['a-z']]])(
    'are no rules with %j for the format [ORG-38]',
    (format) => {
      expect(() => slugs({ format })).toThrow('slugs.format must be a regular expression')
    }
  )

  it.each([[/x/g], [/x/y], [/x/gy]])('are no rules with %s, which remembers [ORG-38]', (format) => {
    expect(() => slugs({ format })).toThrow(
      'slugs.format must be a regular expression that is not global or sticky'
    )
  })

  it.each([
    ['min', { min: 0, max: 9 }],
    ['min', { min: -1, max: 9 }],
    ['max', { min: 5, max: 4 }],
    ['min', { min: 1.5, max: 9 }],
    ['max', { min: 1, max: Infinity }],
    ['min', { min: Number.NaN, max: 9 }],
    ['min', { min: '3', max: '9' }],
    ['max', { min: 3 }],
    ['min', {}],
  ])('are no rules with %s of the length %j [ORG-38]', (name, length) => {
    const message = `createSeatgate: slugs.length.${name} must be a whole number from `
    expect(() => slugs({ length })).toThrow(message)
  })

  it.each([[{ min: 1, max: 1 }], [{ min: 5, max: 10 }]])(
    'may have the length %j [ORG-38]',
    (length) => {
      expect(() => slugs({ length })).not.toThrow()
    }
  )

  it.each([[-1], [0.5], [Number.NaN], [Infinity], ['7']])(
    'have no aliases of %s days',
    (aliasDays) => {
      expect(() => slugs({ aliasDays })).toThrow('slugs.aliasDays must be a whole number')
    }
  )

  it.each([['reserved'], ['additionalReserved']])('have texts for %s', (option) => {
    for (const value of [['fine', 7], 'fine']) {
      expect(() => slugs({ [option]: value })).toThrow(`slugs.${option} must be a list of texts`)
    }
  })

  const complaints = (options: object, slug: string) =>
    slugErrors(slugs(options), slug).map(
      (message) => /letter|characters long|reserved/.exec(message)?.[0]
    )

  it('reserve the host’s own words beside the library’s, with the same error [ORG-61]', () => {
    const options = { additionalReserved: ['acme'] }
    expect(complaints(options, 'acme')).toEqual(['reserved'])
    expect(complaints(options, 'admin')).toEqual(['reserved'])
    expect(complaints({}, 'acme')).toEqual([])
    const rules = slugs(options)
    expect(slugErrors(rules, 'acme')).toEqual(slugErrors(rules, 'admin'))
  })

  it('reserve the host’s own words in place of the library’s [ORG-61]', () => {
    const options = { reserved: ['acme'], additionalReserved: ['corp'] }
    expect(['acme', 'corp', 'admin'].map((slug) => complaints(options, slug))).toEqual([
      ['reserved'],
      ['reserved'],
      [],
    ])
  })

  it('have the length that is configured: 5 to 10 has no abcd, but abcde [ORG-62]', () => {
    const options = { length: { min: 5, max: 10 } }
    expect(complaints(options, 'abcd')).toEqual(['characters long'])
    expect(complaints(options, 'abcde')).toEqual([])
    expect(complaints(options, 'abcdefghij')).toEqual([])
    expect(complaints(options, 'abcdefghijk')).toEqual(['characters long'])
  })

  it('complain of all that is wrong: form, then length, then that it is reserved [ORG-63]', () => {
    const options = { reserved: ['1', 'X!'], length: { min: 3, max: 9 } }
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
    'throws with %j for sessions [ORG-39]',
    (sessions) => {
      expect(() => make({ sessions })).toThrow(/sessions must be a session store/)
    }
  )

  it('has no session store if it passes the word for no sessions [ORG-39]', () => {
    expect(make({ sessions: 'none' }).sessions).toBeNull()
  })

  it.each([['database'], ['seats']])('without %s throws, naming it [ORG-39]', (option) => {
    expect(() => make({ [option]: undefined })).toThrow(`createSeatgate: ${option}`)
  })

  it.each([
    'database',
    'seats',
    'sessions',
    'identity',
    'roles',
    'slugs',
    'invitations',
    'joining',
    'audit',
    'hooks',
    'idempotency',
    'runtime',
  ])('passes on an error of the host in its %s unchanged [ORG-40]', (option) => {
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

  it('passes an error of the host’s seat provider on unchanged [ORG-40]', () => {
    const error = new Error('no such binding')
    const seats = {
      ...unlimitedSeats(),
      get consumers(): never {
        throw error
      },
    }
    const configuration = { database: { batch }, sessions: 'none', seats }
    expect(() => createSeatgate(configuration as unknown as SeatgateOptions)).toThrow(error)
  })

  it.each([['verifyPassword'], ['stepUp']])('throws for a %s that is no function', (option) => {
    for (const value of [true, 'secret', {}]) {
      const identity = { [option]: value }
      expect(() => make({ identity })).toThrow(`identity.${option} must be a function`)
    }
  })
})
