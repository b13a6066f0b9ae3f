import { FACTORS, PARAMETER_NAMES, type Factor, type Field } from '../inference';
import { FULL, type FactorSetting, MODES, type Try, reasoningOf } from './state';

/** What is kept with a layer, so that the retouch can be edited next year: everything but the photo. */
export interface Provenance {
  readonly format: 'veraretouch-panel-1';
  readonly mode: string;
  readonly model: string;
  readonly instruction: string;
  readonly sliders: Readonly<Record<string, number>>;
  readonly latents: readonly number[];
  readonly factors: Readonly<Record<Factor, FactorSetting>>;
  readonly overall: number;
  readonly texts: Try['texts'];
  /** Present where the writing of the texts was stopped before they were complete. */
  readonly cut?: true;
}

export function provenanceOf(made: Try, model: string): Provenance {
  const { mode, instruction, sliders, factors, overall, texts } = made;
  const latents = Array.from(made.latents);
  const cut = made.cut ? { cut: true as const } : {};
  return { format: 'veraretouch-panel-1', mode, model, instruction, sliders, latents, factors, overall, texts, ...cut };
}

/** Name and version of the model that a retouch was made with; empty where that is not said. */
export function modelOf(json: unknown): string {
  return isRecord(json) && typeof json['model'] === 'string' ? json['model'].slice(0, 200) : '';
}

/** Reads it again; undefined for anything else. Documents come from anywhere, so nothing in it is trusted. */
export function parseProvenance(json: unknown, latentSize: number): Omit<Try, 'id' | 'document'> | undefined {
  if (!isRecord(json) || json['format'] !== 'veraretouch-panel-1') return undefined;
  const mode = MODES.find((name) => name === json['mode']);
  const latents = Array.isArray(json['latents']) ? Float32Array.from(json['latents'] as number[]) : undefined;
  if (!mode || latents?.length !== 3 * latentSize || latents.some((value) => !Number.isFinite(value))) return undefined;
  const factors = isRecord(json['factors']) ? json['factors'] : {};
  const sliders = isRecord(json['sliders']) ? json['sliders'] : {};
  const texts = isRecord(json['texts']) ? json['texts'] : {};
  return {
    mode,
    latents,
    instruction: typeof json['instruction'] === 'string' ? json['instruction'].slice(0, 1000) : '',
    sliders: Object.fromEntries(
      PARAMETER_NAMES.flatMap((name) => (name in sliders ? [[name, within(sliders[name], -100, 100, 0)]] : [])),
    ),
    factors: Object.fromEntries(
      FACTORS.map((factor) => {
        const entry = factors[factor];
        if (!isRecord(entry)) return [factor, FULL[factor]];
        return [factor, { strength: within(entry['strength'], 0, 2, 1), on: entry['on'] !== false }];
      }),
    ) as Try['factors'],
    overall: within(json['overall'], 0, 1, 1),
    texts: Object.fromEntries(
      FIELDS.flatMap((field) => {
        const text = texts[field];
        return typeof text === 'string' ? [[field, text.slice(0, 4000)]] : [];
      }),
    ),
    seconds: 0,
    ...(json['cut'] === true ? { cut: true } : {}),
  };
}

const FIELDS: readonly Field[] = [
  'elements',
  ...FACTORS.map((factor) => `problems.${factor}` as const),
  ...FACTORS.map((factor) => `plan.${factor}` as const),
];

/** The reasoning as paragraphs, titled, for the layer's metadata. English, as the model writes. */
export function storyOf({ texts, cut }: Pick<Try, 'texts' | 'cut'>): string[] {
  const { elements, problems, plan } = reasoningOf(texts);
  const titled: [string, string][] = [['In the photo', elements]];
  for (const factor of FACTORS) titled.push([`Problem, ${WORDS[factor]}`, problems[factor]]);
  for (const factor of FACTORS) titled.push([`Plan, ${WORDS[factor]}`, plan[factor]]);
  const told = titled.filter(([, text]) => text !== '').map(([title, text]) => `${title}: ${text}`);
  return cut ? [...told, 'The reasoning was not written to its end.'] : told;
}

const WORDS: Readonly<Record<Factor, string>> = {
  light: 'light',
  globalColor: 'global colour',
  specificColor: 'specific colours',
};

function within(value: unknown, least: number, most: number, otherwise: number): number {
  return typeof value === 'number' && value >= least && value <= most ? value : otherwise;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
