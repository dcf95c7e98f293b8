import type { ProofInput } from '../engine/access/step-up.ts'
import { Field } from './elements.tsx'
import type { Words } from './texts/languages.ts'
import type { Console, Fields } from './visit.ts'

/** The field for the proof of identity that the host is configured for. */
export function ProofField({ setup, words }: { setup: Console; words: Words }) {
  return setup.seatgate.verifyPassword === null ? (
    <Field label={words.text('proof')} hint={words.text('proofWhy')}>
      <input name="proof" required autocomplete="one-time-code" />
    </Field>
  ) : (
    <Field label={words.text('password')} hint={words.text('passwordWhy')}>
      <input name="proof" type="password" required autocomplete="current-password" />
    </Field>
  )
}

/** Returns the proof of a form. */
export function proofIn({ seatgate }: Console, fields: Fields): ProofInput {
  const proof = fields.get('proof')
  return seatgate.verifyPassword === null ? { stepUpProof: proof } : { password: proof }
}
