import { BundleError } from '../errors';
import { FACTORS, type Factor } from '../params';
import { BANDS, type Band } from './bandChange';
import { axisReader } from './effect';
import { ROUNDINGS, type Fault, type Said } from './faults';
import { isReading } from './readings';

export type Size = 'slight' | 'moderate' | 'strong';
export type Direction = 1 | -1;

/** What a plan may claim: an axis of change, with its sizes in the axis' units. */
export interface Axis {
  readonly name: string;
  readonly factor: Factor;
  /** A change up to this is not spoken of; from `moderate` and `strong` on it is that. */
  readonly dead: number;
  readonly moderate: number;
  readonly strong: number;
  /** Is it named where nobody asked for it? */
  readonly measured: boolean;
}

/** All wordings of one claim: every verb with every object, whose place in the verb is `{}`. */
export interface ClauseWording {
  readonly axis: string;
  readonly direction: Direction;
  /** Does a tonal zone move, or only move less than the rest ("hold")? Empty for what is no zone. */
  readonly form: '' | 'step' | 'hold';
  readonly verbs: readonly string[];
  readonly objects: readonly string[];
}

export interface Signed {
  readonly axis: string;
  readonly direction: Direction;
}

type Sentences<Kind extends string> = Readonly<Record<Kind, Readonly<Record<Factor, readonly string[]>>>>;

/** wording.json: how a model words its answers, from which follows what it may say of a measured change. */
export interface Wording {
  readonly axes: ReadonlyMap<string, Axis>;
  readonly mostClaims: Readonly<Record<Factor, number>>;
  /** Another key element is named only where the comma before it is by so much likelier than the end, in logits. */
  readonly namesMargin: number;
  /** In dead zones: from where a change is spoken of; up to where it may be called none. */
  readonly clear: number;
  readonly still: number;
  /** Shares of the pixels that a hue band needs: to count as moved, and to be spoken of. */
  readonly leastShare: readonly [number, number];
  readonly sliders: {
    /** Axis of each of the 38 parameters. */
    readonly axes: readonly string[];
    readonly dead: number;
    readonly steps: readonly [number, number];
    readonly stepsOf: Readonly<Record<string, readonly [number, number]>>;
    /** From here on down the saturation slider leaves no colour. */
    readonly monochrome: number;
  };
  /** Words before a clause, behind it, and in the place `~` of a comparative. */
  readonly sizes: Readonly<Record<Size, readonly [readonly string[], readonly string[], readonly string[]]>>;
  readonly joints: readonly string[];
  readonly clauses: readonly ClauseWording[];
  readonly sentences: Sentences<'leave' | 'given' | 'unset'>;
  readonly problems: {
    readonly most: Readonly<Record<Factor, number>>;
    readonly joint: string;
    /** Sentences with `{}` in the place of what a photo is against a look. */
    readonly look: readonly string[];
    readonly faults: readonly (Signed & Fault)[];
    readonly against: readonly (Signed & {
      /** Whole sentences, of a hue band; else words, and the figure behind them, if any. */
      readonly said?: Said;
      readonly words?: string;
      readonly figure?: Said;
    })[];
    readonly sentences: Sentences<'fine' | 'sound' | 'suits'>;
    /** The second of these about a hue band. */
    readonly soundOfBand: Readonly<Record<Band, readonly string[]>>;
  };
}

/**
 * Checks a parsed wording.json. Throws BundleError BUNDLE_MANIFEST that names the part which is not as it must be: an answer
 * would fail on it in the middle.
 */
export function parseWording(json: unknown, file: string): Wording {
  const check = new Check(file);
  const root = check.record(json, 'The file');
  const axes = check.list(root['axes'], 'axes').map((item, i): Axis => {
    const raw = check.record(item, `axes[${i}]`);
    const name = check.text(raw['name'], `axes[${i}].name`);
    const factor = FACTORS.find((known) => known === raw['factor']) ?? check.fail(`axes[${i}].factor`, 'a factor');
    if (!axisReader(name)) check.fail(`axes[${i}].name`, 'an axis that this program measures');
    const [dead, moderate, strong] = (['dead', 'moderate', 'strong'] as const).map((part) =>
      check.number(raw[part], `axes[${i}].${part}`),
    );
    return { name, factor, dead, moderate, strong, measured: raw['measured'] === true };
  });
  const known = new Set(axes.map(({ name }) => name));
  const axisOf = (value: unknown, where: string): string =>
    known.has(value as string) ? (value as string) : check.fail(where, 'an axis of the list');
  const signed = (item: unknown, where: string): Signed & { readonly raw: Readonly<Record<string, unknown>> } => {
    const raw = check.record(item, where);
    const { direction } = raw;
    if (direction !== 1 && direction !== -1) check.fail(`${where}.direction`, '1 or -1');
    return { axis: axisOf(raw['axis'], `${where}.axis`), direction: direction as Direction, raw };
  };
  const sliders = check.record(root['sliders'], 'sliders');
  const sizes = check.record(root['sizes'], 'sizes');
  const places = (size: Size): Wording['sizes'][Size] => {
    const [first, last, comparative] = check
      .list(sizes[size], `sizes.${size}`)
      .map((words, i) => check.texts(words, `sizes.${size}[${i}]`));
    return (comparative as unknown) ? [first, last, comparative] : check.fail(`sizes.${size}`, 'three lists');
  };
  const problems = check.record(root['problems'], 'problems');
  const sentences = <Kind extends string>(value: unknown, where: string, kinds: readonly Kind[]): Sentences<Kind> => {
    const raw = check.record(value, where);
    const entries = kinds.map((kind) => [
      kind,
      check.byFactor(raw[kind], `${where}.${kind}`, (texts, at) => check.texts(texts, at)),
    ]);
    return Object.fromEntries(entries) as Sentences<Kind>;
  };
  return {
    axes: new Map(axes.map((axis) => [axis.name, axis])),
    mostClaims: check.byFactor(root['mostClaims'], 'mostClaims', (value, at) => check.number(value, at)),
    namesMargin: check.number(root['namesMargin'], 'namesMargin'),
    clear: check.number(root['clear'], 'clear'),
    still: check.number(root['still'], 'still'),
    leastShare: check.pair(root['leastShare'], 'leastShare'),
    sliders: {
      axes: check.list(sliders['axes'], 'sliders.axes').map((name, i) => axisOf(name, `sliders.axes[${i}]`)),
      dead: check.number(sliders['dead'], 'sliders.dead'),
      steps: check.pair(sliders['steps'], 'sliders.steps'),
      stepsOf: Object.fromEntries(
        Object.entries(check.record(sliders['stepsOf'], 'sliders.stepsOf')).map(([name, pair]) => [
          axisOf(name, `sliders.stepsOf.${name}`),
          check.pair(pair, `sliders.stepsOf.${name}`),
        ]),
      ),
      monochrome: check.number(sliders['monochrome'], 'sliders.monochrome'),
    },
    sizes: { slight: places('slight'), moderate: places('moderate'), strong: places('strong') },
    joints: check.texts(root['joints'], 'joints'),
    clauses: check.list(root['clauses'], 'clauses').map((item, i): ClauseWording => {
      const { raw, axis, direction } = signed(item, `clauses[${i}]`);
      const { form } = raw;
      if (form !== '' && form !== 'step' && form !== 'hold') return check.fail(`clauses[${i}].form`, 'a form');
      const part = (name: 'verbs' | 'objects'): readonly string[] => check.texts(raw[name], `clauses[${i}].${name}`);
      return { axis, direction, form, verbs: part('verbs'), objects: part('objects') };
    }),
    sentences: sentences(root['sentences'], 'sentences', ['leave', 'given', 'unset']),
    problems: {
      most: check.byFactor(problems['most'], 'problems.most', (value, at) => check.number(value, at)),
      joint: check.text(problems['joint'], 'problems.joint'),
      look: check.texts(problems['look'], 'problems.look'),
      faults: check.list(problems['faults'], 'problems.faults').map((item, i) => {
        const { raw, axis, direction } = signed(item, `problems.faults[${i}]`);
        return { axis, direction, ...faultOf(check, raw, `problems.faults[${i}]`) };
      }),
      against: check.list(problems['against'], 'problems.against').map((item, i) => {
        const where = `problems.against[${i}]`;
        const { raw, axis, direction } = signed(item, where);
        if (raw['said'] !== undefined) {
          return { axis, direction, said: saidOf(check, raw['said'], `${where}.said`) };
        }
        const words = check.text(raw['words'], `${where}.words`);
        if (raw['figure'] === undefined) return { axis, direction, words };
        return { axis, direction, words, figure: saidOf(check, raw['figure'], `${where}.figure`) };
      }),
      sentences: sentences(problems['sentences'], 'problems.sentences', ['fine', 'sound', 'suits']),
      soundOfBand: textsOfBands(check, problems['soundOfBand'], 'problems.soundOfBand'),
    },
  };
}

function textsOfBands(check: Check, value: unknown, where: string): Readonly<Record<Band, readonly string[]>> {
  const raw = check.record(value, where);
  const entries = BANDS.map((band) => [band, check.texts(raw[band], `${where}.${band}`)]);
  return Object.fromEntries(entries) as Record<Band, readonly string[]>;
}

function faultOf(check: Check, raw: Readonly<Record<string, unknown>>, where: string): Fault {
  const shown = check.list(raw['shown'], `${where}.shown`).map((item, i) => {
    const at = `${where}.shown[${i}]`;
    const [name, sign, limit] = check.list(item, at);
    return [reading(check, name, at), check.number(sign, at), check.number(limit, at)] as const;
  });
  const said = check.list(raw['said'], `${where}.said`).map((item, i) => saidOf(check, item, `${where}.said[${i}]`));
  if (raw['lost'] === null) return { shown, said };
  return { shown, said, lost: readingAndLimit(check, raw['lost'], `${where}.lost`) };
}

function saidOf(check: Check, value: unknown, where: string): Said {
  const raw = check.record(value, where);
  const figures = check.list(raw['figures'] ?? [], `${where}.figures`).map((item, i) => {
    const at = `${where}.figures[${i}]`;
    const [name, rounding] = check.list(item, at);
    return [
      reading(check, name, at),
      ROUNDINGS.find((known) => known === rounding) ?? check.fail(at, 'a way to round'),
    ] as const;
  });
  const { degrees, above } = raw;
  return {
    texts: check.texts(raw['texts'], `${where}.texts`),
    figures,
    ...(degrees !== undefined && { degrees: degreesOf(check, degrees, `${where}.degrees`) }),
    ...(above !== undefined && { above: readingAndLimit(check, above, `${where}.above`) }),
  };
}

function degreesOf(check: Check, value: unknown, where: string): NonNullable<Said['degrees']> {
  const raw = check.record(value, where);
  const below = check.list(raw['below'], `${where}.below`).map((limit) => check.number(limit, `${where}.below`));
  const words = check.texts(raw['words'], `${where}.words`, below.length + 1);
  return { of: reading(check, raw['of'], `${where}.of`), below, words };
}

function reading(check: Check, value: unknown, where: string): string {
  const name = check.text(value, where);
  return isReading(name) ? name : check.fail(where, 'a reading of a photo');
}

function readingAndLimit(check: Check, value: unknown, where: string): readonly [string, number] {
  const [name, limit] = check.list(value, where);
  return [reading(check, name, where), check.number(limit, where)];
}

/** Words and signs in all texts of a wording. */
export function wordsOf({ sizes, joints, clauses, sentences, problems }: Wording): ReadonlySet<string> {
  const texts = [
    ...[...joints, problems.joint, ...problems.look, ...Object.values(sizes).flat(2)],
    ...clauses.flatMap(({ verbs, objects }) => [...verbs, ...objects]),
    ...[...Object.values(sentences), ...Object.values(problems.sentences)].flatMap((one) => Object.values(one).flat()),
    ...Object.values(problems.soundOfBand).flat(),
    ...problems.faults.flatMap((fault) => fault.said.flatMap(textsOf)),
    ...problems.against.flatMap(({ words = '', said, figure }) => [words, ...textsOf(said), ...textsOf(figure)]),
  ];
  return new Set(texts.flatMap((text) => text.replace(/\{\w+\}/g, '').match(/[A-Za-z]+|[^\sA-Za-z{}~]/g) ?? []));
}

function textsOf(said: Said | undefined): readonly string[] {
  return said ? [...said.texts, ...(said.degrees?.words ?? [])] : [];
}

class Check {
  constructor(private readonly file: string) {}

  fail(where: string, expected: string): never {
    throw new BundleError(
      'BUNDLE_MANIFEST',
      `${this.file}: ${where} is not ${expected}. Nothing was loaded.`,
      'Get the bundle again, or export it anew.',
    );
  }

  record(value: unknown, where: string): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.fail(where, 'an object');
    return value as Readonly<Record<string, unknown>>;
  }

  list(value: unknown, where: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.fail(where, 'a list');
  }

  text(value: unknown, where: string): string {
    return typeof value === 'string' && value !== '' ? value : this.fail(where, 'a text');
  }

  texts(value: unknown, where: string, least = 1): readonly string[] {
    const texts = this.list(value, where).map((text, i) => this.text(text, `${where}[${i}]`));
    return texts.length >= least ? texts : this.fail(where, 'a list with a text in it');
  }

  number(value: unknown, where: string): number {
    return typeof value === 'number' && Number.isFinite(value) ? value : this.fail(where, 'a number');
  }

  pair(value: unknown, where: string): readonly [number, number] {
    const [first, second, ...more] = this.list(value, where);
    if (more.length > 0) this.fail(where, 'a pair of numbers');
    return [this.number(first, `${where}[0]`), this.number(second, `${where}[1]`)];
  }

  byFactor<T>(value: unknown, where: string, read: (part: unknown, at: string) => T): Readonly<Record<Factor, T>> {
    const raw = this.record(value, where);
    const part = (factor: Factor): T => read(raw[factor], `${where}.${factor}`);
    return { light: part('light'), globalColor: part('globalColor'), specificColor: part('specificColor') };
  }
}
