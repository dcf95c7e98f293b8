/** A text, or its form for each number. */
type Text = string | { readonly one: string; readonly other: string }

/** The texts of an island, as its page passes them. `{name}` is replaced by a value. */
export type IslandTexts = Readonly<Record<string, Text>>

/** Replaces the values of a text, in its form for `count`. */
export function filled(
  text: Text | undefined,
  values: Readonly<Record<string, string | number>> = {}
): string {
  const { lang } = document.documentElement
  const shown = (value: string | number | undefined) =>
    typeof value === 'number' ? value.toLocaleString(lang) : (value ?? '')
  const isOne = new Intl.PluralRules(lang).select(Number(values['count'])) === 'one'
  const form = typeof text === 'object' ? text[isOne ? 'one' : 'other'] : (text ?? '')
  return form.replace(/\{(\w+)\}/g, (_, name: string) => shown(values[name]))
}

/** Returns the text of a field. */
export function fieldIn(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}
