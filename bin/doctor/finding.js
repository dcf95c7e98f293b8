/** What the doctor has found: `level` is `ok`, `note` or `wrong`; `mend` is what to do about it. */
export const ok = (text) => ({ level: 'ok', text })
export const note = (text, mend) => ({ level: 'note', text, mend })
export const wrong = (text, mend) => ({ level: 'wrong', text, mend })
