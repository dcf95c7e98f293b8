type Attributes = Readonly<Record<string, string | number | boolean>>

/** Makes an element. An attribute that is `false` is left out; text stays text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children)
  return made
}

/** Makes a field with its label. */
export function labelled(label: string, field: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, element('span', {}, label), field)
}
