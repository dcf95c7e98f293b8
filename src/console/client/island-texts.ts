/** The texts of an island, as its page passes them. `{name}` is replaced by a value. */
export type IslandTexts = Readonly<Record<string, string>>

/** Replaces the values of a text. */
export function filled(
  text: string | undefined,
  values: Readonly<Record<string, string | number>>
) {
  const shown = (value: string | number | undefined) =>
    typeof value === 'number' ? value.toLocaleString(document.documentElement.lang) : (value ?? '')
  return (text ?? '').replace(/\{(\w+)\}/g, (_, name: string) => shown(values[name]))
}

/** Returns the text of a field. */
export function fieldIn(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}
