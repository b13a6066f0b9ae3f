import { InputError } from './errors';

/** The eight hues of the color mixer, in its order. */
export const HUES: readonly string[] = ['Red', 'Orange', 'Yellow', 'Green', 'Aqua', 'Blue', 'Purple', 'Magenta'];

/** The 38 parameters, named as Camera Raw's process version 2012 settings, in the order that the model sees. */
export const PARAMETER_NAMES: readonly string[] = [
  'Exposure2012',
  'Contrast2012',
  'Highlights2012',
  'Shadows2012',
  'Whites2012',
  'Blacks2012',
  'ParametricShadows',
  'ParametricDarks',
  'ParametricLights',
  'ParametricHighlights',
  'IncrementalTemperature',
  'IncrementalTint',
  'Vibrance',
  'Saturation',
  ...['Hue', 'Saturation', 'Luminance'].flatMap((kind) => HUES.map((hue) => `${kind}Adjustment${hue}`)),
];

/** The three factors, in the order of every latent array. */
export const FACTORS = ['light', 'globalColor', 'specificColor'] as const;
export type Factor = (typeof FACTORS)[number];

/** Index of the first parameter of each factor, and one past the last. */
const FACTOR_BOUNDS = [0, 10, 14, 38];

/** Parameters ready for the model. */
export interface Parameters {
  /** 38 values in [-1, 1], in the order of PARAMETER_NAMES. */
  readonly values: Float32Array;
  /** Per factor: is any of its parameters not 0? A factor of zeros only has its latent set to 0. */
  readonly active: readonly [boolean, boolean, boolean];
  /** The same values in double precision, for a model that reads them as text; `values` where absent. */
  readonly exact?: Float64Array | undefined;
}

/** Index of the first parameter of a factor, and one past its last. */
export function factorBounds(factor: number): [from: number, to: number] {
  return [FACTOR_BOUNDS[factor], FACTOR_BOUNDS[factor + 1]];
}

/**
 * Reads a parsed parameter file: an object that maps names to `{"value": number in [-100, 100]}`; names that are
 * missing count as 0. Throws InputError INPUT_PARAMETERS that names the entry and, for an unknown name, the nearest
 * known one.
 */
export function parseParameters(json: unknown): Parameters {
  if (!isRecord(json)) {
    return refuse(
      'The parameters are not a JSON object of names.',
      'Write {"Exposure2012": {"value": 20}}, for example.',
    );
  }
  const sliders: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(json)) {
    checkName(name);
    if (!isRecord(entry) || !('value' in entry)) {
      refuse(`The parameter ${name} is not an object with a "value".`, `Write "${name}": {"value": 20}, for example.`);
    }
    sliders[name] = entry['value'];
  }
  return parametersFromSliders(sliders);
}

/** The numbers of Parameters by name, in -100..100: what a panel of sliders shows. Those at 0 are left out. */
export function slidersOf({ values, exact }: Parameters): Record<string, number> {
  const sliders: Record<string, number> = {};
  PARAMETER_NAMES.forEach((name, i) => {
    // 20.5, not 20.500000000000004.
    const value = Math.round((exact ?? values)[i] * 1e11) / 1e9;
    if (value !== 0) sliders[name] = value;
  });
  return sliders;
}

/**
 * The same from plain numbers in [-100, 100] by name, as a panel of sliders holds them.
 * Throws InputError INPUT_PARAMETERS as parseParameters does.
 */
export function parametersFromSliders(sliders: Readonly<Record<string, unknown>>): Parameters {
  const exact = new Float64Array(PARAMETER_NAMES.length);
  for (const [name, value] of Object.entries(sliders)) {
    checkName(name);
    if (typeof value !== 'number' || Number.isNaN(value)) {
      return refuse(`The value of ${name} is ${describe(value)}, not a number.`, 'Give a number from -100 to 100.');
    }
    if (value < -100 || value > 100) {
      return refuse(`The value of ${name} is ${value}, outside -100 to 100.`, 'Give a number from -100 to 100.');
    }
    exact[PARAMETER_NAMES.indexOf(name)] = value / 100;
  }
  const values = Float32Array.from(exact);
  return { values, active: activeFactors(values), exact };
}

/**
 * The same from the 38 values in [-1, 1] that the model sees, in the order of PARAMETER_NAMES.
 * Throws InputError INPUT_PARAMETERS for another length, NaN or a value out of range.
 */
export function parametersFromValues(values: ArrayLike<number>): Parameters {
  if (values.length !== PARAMETER_NAMES.length) {
    return refuse(
      `${values.length} parameter values were given.`,
      `Give all ${PARAMETER_NAMES.length}, 0 where unchanged.`,
    );
  }
  const copy = Float32Array.from(values);
  const bad = copy.findIndex((value) => !(value >= -1 && value <= 1));
  if (bad >= 0) {
    return refuse(`The value of ${PARAMETER_NAMES[bad]} is ${copy[bad]}.`, 'The model takes values from -1 to 1.');
  }
  return { values: copy, active: activeFactors(copy), exact: Float64Array.from(values) };
}

/** Sets the latent of every inactive factor to 0, in place. `latents` is [3, D] row-major. Returns `latents`. */
export function maskInactiveFactors(latents: Float32Array, active: readonly boolean[]): Float32Array {
  const size = latents.length / FACTORS.length;
  active.forEach((isActive, factor) => {
    if (!isActive) latents.fill(0, factor * size, (factor + 1) * size);
  });
  return latents;
}

function activeFactors(values: Float32Array): [boolean, boolean, boolean] {
  const any = (factor: number) =>
    values.subarray(FACTOR_BOUNDS[factor], FACTOR_BOUNDS[factor + 1]).some((value) => value !== 0);
  return [any(0), any(1), any(2)];
}

function checkName(name: string): void {
  if (PARAMETER_NAMES.includes(name)) return;
  const shown = name.length > 60 ? `${name.slice(0, 57)}...` : name;
  const nearest = nearestName(name);
  refuse(
    `There is no parameter named ${JSON.stringify(shown)}.`,
    nearest === undefined ? `The names are: ${PARAMETER_NAMES.join(', ')}.` : `Did you mean ${nearest}?`,
  );
}

/** The known name that takes the fewest edits, if a third of the letters or fewer differ. */
function nearestName(name: string): string | undefined {
  if (name.length > 60) return undefined;
  const lower = name.toLowerCase();
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of PARAMETER_NAMES) {
    // People leave out what the panels of raw developers do not show: "Exposure", "Temperature".
    const edits = Math.min(
      editDistance(lower, candidate.toLowerCase()),
      editDistance(lower, candidate.toLowerCase().replace(/^incremental|2012$/, '')) + 0.5,
    );
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return typeof value === 'number'
    ? 'NaN'
    : ((JSON.stringify(value) as string | undefined) ?? typeof value).slice(0, 40);
}

function refuse(message: string, hint: string): never {
  throw new InputError('INPUT_PARAMETERS', `${message} Nothing was retouched.`, hint);
}
