import * as v from 'valibot'
import { UnreadableInput, parseInput, secretText } from '../../base/input.ts'
import {
  ok,
  refused,
  type InputRefusal,
  type ProofRefusal,
  type Result,
} from '../../base/result.ts'
import { isInPerson, isSystem, type Caller, type Principal } from './principal.ts'
import type { Runtime } from '../../base/runtime.ts'

const Text = v.nullish(secretText(1024))

/**
 * Verifies a password. It must take the same time for a user without a password, and return false.
 */
export type VerifyPassword = (userId: string, password: string) => boolean | Promise<boolean>

/** Verifies another proof of presence (a one-time code, a fresh token), for users without a password. */
export type StepUp = (userId: string, proof: string) => boolean | Promise<boolean>

/** The configured ways to prove an identity; null for a way that the host does not offer. */
export interface Proofs {
  readonly verifyPassword: VerifyPassword | null
  readonly stepUp: StepUp | null
}

/** The context of a function that checks a proof. */
export interface StepUpContext extends Proofs, Pick<Runtime, 'report'> {}

/** The proof of a caller; one of the two is enough. */
export interface Proof {
  readonly password?: string | null | undefined
  readonly stepUpProof?: string | null | undefined
}

/** A proof of identity: a password or a step-up proof, as the host has configured. */
export interface ProofInput {
  readonly password?: string | null | undefined
  readonly stepUpProof?: string | null | undefined
}

/**
 * Reads the proof `{ password }` or `{ stepUpProof }` of an input. The host itself needs no proof.
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`.
 */
export function readProof(
  proofs: Proofs,
  caller: Caller,
  input: unknown
): Result<Proof, InputRefusal> {
  if (isSystem(caller)) return ok({})
  return parseInput(proofInput(proofs), input)
}

function proofInput({ verifyPassword, stepUp }: Proofs) {
  if (verifyPassword === null && stepUp === null) {
    throw new TypeError('This needs identity.verifyPassword or identity.stepUp in createSeatgate.')
  }
  return v.pipe(
    v.object({ password: Text, stepUpProof: Text }, 'Must be an object.'),
    v.forward(
      v.check(
        ({ password, stepUpProof }) =>
          (verifyPassword !== null && password != null) || (stepUp !== null && stepUpProof != null),
        'Is required.'
      ),
      [verifyPassword === null ? 'stepUpProof' : 'password']
    )
  )
}

/** Returns an input without its secrets, for comparing operations. */
export function withoutProof(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || input instanceof UnreadableInput) return input
  return { ...input, password: undefined, stepUpProof: undefined }
}

/** The check of a proof with the host, which an operation makes before its change. */
export type ProofCheck = (
  context: StepUpContext,
  caller: Principal
) => Promise<Result<null, ProofRefusal | 'unavailable'>>

/** Creates the check of a proof. */
export function proving(proof: Proof): ProofCheck {
  return (context, caller) => prove(context, caller, proof)
}

// Only a user in person can provide a proof, and not an operator who acts as the user; the host itself
// needs no proof.
async function prove(
  { verifyPassword, stepUp, report }: StepUpContext,
  caller: Principal,
  { password, stepUpProof }: Proof
): ReturnType<ProofCheck> {
  if (isSystem(caller)) return ok(null)
  if (!isInPerson(caller)) return refused({ code: 'step_up_required' })
  const checked = async (check: () => boolean | Promise<boolean>) => {
    try {
      const right: unknown = await check()
      return right === true
    } catch (error) {
      report({ event: 'identity_proof_failed', error })
      return null
    }
  }
  if (verifyPassword !== null && password != null) {
    const right = await checked(() => verifyPassword(caller.userId, password))
    if (right === null) return refused({ code: 'unavailable' })
    return right ? ok(null) : refused({ code: 'invalid_password' })
  }
  if (stepUp !== null && stepUpProof != null) {
    const right = await checked(() => stepUp(caller.userId, stepUpProof))
    if (right === null) return refused({ code: 'unavailable' })
    return right ? ok(null) : refused({ code: 'step_up_failed' })
  }
  return refused({ code: 'step_up_required' })
}
