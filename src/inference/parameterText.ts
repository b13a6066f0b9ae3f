import { FACTORS, PARAMETER_NAMES, factorBounds, type Parameters } from './params';

/** The groups of a printed dictionary, in the order of the factors. */
const GROUPS = ['Light Adjustment', 'Color and Temperature Adjustment', 'Specific Color Adjustment'] as const;

export interface ParameterText {
  readonly text: string;
  /** Per factor: is any of its parameters not 0 once rounded? What the model does not read must not change the photo. */
  readonly active: readonly boolean[];
}

/**
 * Parameters as Python prints a dictionary of three groups of numbers: all 38, each rounded to three decimals.
 * `{'Light Adjustment': {'Exposure2012': 0.3, ...}, 'Color and Temperature Adjustment': {...}, ...}`.
 */
export function parametersAsPythonDict({ values, exact }: Parameters): ParameterText {
  const rounded = Array.from<number>(exact ?? values).map(roundToThousandths);
  const groups = FACTORS.map((_, factor) => {
    const [from, to] = factorBounds(factor);
    const items = PARAMETER_NAMES.slice(from, to).map((name, i) => `'${name}': ${printFloat(rounded[from + i])}`);
    return `'${GROUPS[factor]}': {${items.join(', ')}}`;
  });
  const active = FACTORS.map((_, factor) => rounded.slice(...factorBounds(factor)).some((value) => value !== 0));
  return { text: `{${groups.join(', ')}}`, active };
}

/**
 * `round(value, 3)` of Python for |value| <= 1: the nearest by the value's exact binary fraction, ties to even. A value
 * that rounds to 0 keeps its sign, but a slider at 0 has none.
 */
export function roundToThousandths(value: number): number {
  if (value === 0) return 0;
  const size = Math.abs(value);
  const sign = value < 0 ? -1 : 1;
  // Only odd sixteenths end in a 5 as the fourth and last decimal: there, and nowhere else, two numbers are equally near.
  if ((size * 16) % 2 === 1) {
    const below = Math.floor(size * 1000);
    return (sign * (below % 2 === 0 ? below : below + 1)) / 1000;
  }
  // toFixed is defined on the exact value too.
  return sign * Number(size.toFixed(3));
}

/** As Python prints a float of at most three decimals: the shortest digits that mean it, and always a point. */
function printFloat(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}
