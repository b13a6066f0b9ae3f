import { BundleError } from './errors';

const GET_AGAIN = 'Get the whole bundle again from a place that you trust.';

/** A parsed JSON object whose entries are still to be checked. */
export type Raw = Readonly<Record<string, unknown>>;

/**
 * A file name inside a bundle: no folders, no climbing out, nothing hidden.
 * Throws BundleError BUNDLE_FILE_NAME otherwise. `where` says which entry holds it.
 */
export function checkFileName(name: string, where: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/.test(name) && !name.includes('..')) return name;
  throw new BundleError(
    'BUNDLE_FILE_NAME',
    `${where} names the file ${JSON.stringify(name)}. A bundle is one flat folder: names are letters, digits, ".", "-" ` +
      'and "_", without folders. No file of that name was opened.',
    GET_AGAIN,
  );
}

// Each of these returns the value of an entry of bundle.json, or throws BundleError BUNDLE_MANIFEST that names `where`.

export function asObject(value: unknown, where: string): Raw {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Raw;
  return wrong(where, value, 'an object');
}

export function asArray(value: unknown, where: string): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : wrong(where, value, 'a list');
}

/** Of one text of bundle.json, where nothing else is said; the longest in ours has 84. */
const LONGEST_TEXT = 1000;
/** Of all texts of bundle.json together, the prompts among them; ours has 3,000. They are made tokens in half a second. */
export const MOST_TEXT = 65536;

export function asText(value: unknown, where: string, most = LONGEST_TEXT): string {
  if (typeof value !== 'string' || value === '') return wrong(where, value, 'a text that is not empty');
  return value.length <= most ? value : wrong(where, value, `a text of at most ${most} characters`);
}

/** Throws BundleError BUNDLE_MANIFEST where the texts of a parsed bundle.json are more than MOST_TEXT characters in all. */
export function checkTexts(root: Raw): void {
  const count = charactersIn(root);
  if (count <= MOST_TEXT) return;
  throw new BundleError(
    'BUNDLE_MANIFEST',
    `bundle.json holds texts of ${count} characters in all; at most ${MOST_TEXT} are taken. Nothing was loaded.`,
    'Get the bundle again, or export it anew if you made it yourself.',
  );
}

function charactersIn(json: unknown): number {
  let count = 0;
  // A list of what is still to be looked at, because lists in lists may be deeper than calls can be.
  for (const rest = [json]; rest.length > 0;) {
    const value = rest.pop();
    if (typeof value === 'string') count += value.length;
    else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) rest.push(item);
  }
  return count;
}

export function asInteger(value: unknown, where: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  return wrong(where, value, `a whole number from ${min} to ${max}`);
}

export function asOneOf<T extends string>(value: unknown, where: string, known: readonly T[]): T {
  return known.find((name) => name === value) ?? wrong(where, value, `one of ${known.join(', ')}`);
}

export function asFile(value: unknown, where: string): string {
  return checkFileName(asText(value, where), `bundle.json, ${where},`);
}

export function wrong(where: string, value: unknown, expected: string): never {
  throw new BundleError(
    'BUNDLE_MANIFEST',
    `bundle.json: ${where} is ${show(value)} but must be ${expected}. Nothing was loaded.`,
    'Get the bundle again, or export it anew if you made it yourself.',
  );
}

/** A value as a message can hold it. */
export function show(value: unknown): string {
  // JSON.stringify gives undefined for what JSON cannot say, whatever its declared type.
  const text = (JSON.stringify(value) as string | undefined) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function missingGraph(name: string, needed: readonly string[]): BundleError {
  return new BundleError(
    'BUNDLE_GRAPH_MISSING',
    `bundle.json has no graph "${name}"; a bundle needs ${needed.join(', ')}. Nothing was loaded.`,
    GET_AGAIN,
  );
}
