import { generateSlug, slugErrors, type SlugContext } from '../../engine/model/slug.ts'

const SUFFIX_LETTERS = 6
// For names without a letter or digit that a slug can have.
const WITHOUT_LETTERS = 'org'

/**
 * Makes slugs of a name for an organization that asked for none, the plainest first. The last has
 * random letters, so that it is free however many organizations have the name. Empty if the host's
 * format takes none of them.
 */
export function slugCandidates(seatgate: SlugContext, name: string): readonly string[] {
  const { slugs } = seatgate
  const fits = (slug: string) => slugErrors(slugs, slug).length === 0
  const base = baseOf(name)
  const plain = [cut(base, '', slugs.longest), cut(base, '-2', slugs.longest)].filter(fits)
  const unique = uniqueCandidates(seatgate, base).find(fits)
  return unique === undefined ? plain : [...plain, unique]
}

function baseOf(name: string): string {
  const slug = generateSlug(name)
  if (slug === '') return WITHOUT_LETTERS
  return /^[a-z]/.test(slug) ? slug : `${WITHOUT_LETTERS}-${slug}`
}

// A host's own format may have no hyphens, and its length little room.
function uniqueCandidates({ slugs, random }: SlugContext, base: string): readonly string[] {
  const { shortest, longest } = slugs
  const letters = randomLetters(random, Math.min(longest, Math.max(SUFFIX_LETTERS, shortest)))
  return [
    cut(base, `-${letters}`, longest),
    cut(base.replaceAll('-', ''), letters, longest),
    letters,
  ]
}

function cut(base: string, suffix: string, longest: number): string {
  const room = Math.max(0, longest - suffix.length)
  return base.slice(0, room).replace(/-+$/, '') + suffix
}

// Without vowels they are no words.
const CONSONANTS = 'bcdfghjkmnpqrstvwxz'

function randomLetters(random: () => number, count: number): string {
  const letter = () => CONSONANTS.charAt(Math.floor(random() * CONSONANTS.length))
  return Array.from({ length: count }, letter).join('')
}
