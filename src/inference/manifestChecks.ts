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

export function asText(value: unknown, where: string): string {
  return typeof value === 'string' && value !== '' ? value : wrong(where, value, 'a text that is not empty');
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
