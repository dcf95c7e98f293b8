/** A form with nested names, such as `items[0][quantity]=3`. */
export interface Form {
  readonly [name: string]: string | Form | undefined
}

/** Parses a form-encoded text with nested names. */
export function formOf(text: string): Form {
  const form: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, value] of new URLSearchParams(text)) {
    const [first = '', ...rest] = name.replaceAll(']', '').split('[')
    put(form, [first, ...rest], value)
  }
  return form as Form
}

function put(
  form: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  value: string
) {
  if (rest.length === 0) {
    form[name] = value
    return
  }
  const inner = (form[name] ??= Object.create(null)) as Record<string, unknown>
  put(inner, rest, value)
}
