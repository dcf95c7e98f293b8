import type { UserTable } from '../database/database.ts'
import type { Proofs, StepUp, VerifyPassword } from '../engine/access/step-up.ts'
import type { Part } from '../engine/changes/part.ts'
import type { EmailVerification, VerificationContext } from '../engine/model/exclusions.ts'
import { ANY, FUNCTION, groupOf, hasMethods, part, type Rules } from './option-group.ts'

/** The host's users, and how they prove who they are. */
export interface IdentityOptions {
  /**
   * The host's users. Without them, or with null, the library cannot check that a new member exists, or
   * show their data.
   */
  readonly users?: UserTable | null
  /** Verifies a password. Changing a slug and deleting need this or `stepUp`. */
  readonly verifyPassword?: VerifyPassword
  /** Verifies another proof than a password. */
  readonly stepUp?: StepUp
  /**
   * How the host knows which addresses are verified. `"always"` means that every address in its table was
   * verified before. Without it no address counts as verified.
   */
  readonly emailVerification?: EmailVerification | 'always'
  /**
   * How many organizations a user may own and be a member of: `userLimits({ … })`. Default null: any
   * number.
   */
  readonly limits?: Part<'limits'> | null
}

/** The checked options. */
export interface Identity extends Proofs, VerificationContext {
  readonly users: UserTable | null
}

const RULES: Rules<IdentityOptions> = {
  users: ANY,
  verifyPassword: FUNCTION,
  stepUp: FUNCTION,
  emailVerification: [
    'be "always", or have column and markVerified',
    (value) => value === null || value === 'always' || isVerification(value),
  ],
  limits: part('userLimits'),
}

function isVerification(value: unknown): boolean {
  return Boolean((value as Partial<EmailVerification>).column) && hasMethods(value, 'markVerified')
}

/** @throws {TypeError} if one of the options is invalid. */
export function checkedIdentity(options: IdentityOptions | undefined): Identity {
  const {
    users = null,
    verifyPassword = null,
    stepUp = null,
    emailVerification = null,
  } = groupOf('identity', options, RULES)
  return { users, verifyPassword, stepUp, emailVerification }
}
