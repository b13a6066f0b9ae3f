import { readFileSync } from 'node:fs';

/** { file, after, within, from, to, why }: known by the text of its line and of the one before, whatever number that has. */
const KNOWN = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'));
const KEYS = ['file', 'after', 'within', 'from', 'to'];

/** Why a mutant changes nothing that anyone could see; undefined for all that are not in the list. */
export function equivalenceOf(mutant) {
  return KNOWN.find((known) => KEYS.every((key) => known[key] === mutant[key]))?.why;
}
