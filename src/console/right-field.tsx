import type { Fields } from './visit.ts'

const FOR_RIGHT = 'right '

/** The check box of a permission, in a form that grants permissions. */
export function RightField({ right, checked = false }: { right: string; checked?: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" name={FOR_RIGHT + right} value="yes" checked={checked} /> {right}
    </label>
  )
}

/** Returns the permissions that are checked in a form. */
export function rightsIn(fields: Fields, permissions: readonly string[]): readonly string[] {
  return permissions.filter((each) => fields.get(FOR_RIGHT + each) !== '')
}
