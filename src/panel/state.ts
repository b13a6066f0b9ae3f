import {
  FACTORS,
  type Factor,
  type Field,
  isMonochromeSliders,
  type Reasoning,
  type RgbImage,
  type Strength,
} from '../inference';
import { type DocumentInfo, type DocumentProxy, type Theme } from '../host/panelHost';
import { type Acceptance, type ModelOffer } from './modelOffer';
import { type OpenedModel } from './worker/protocol';

export const MODES = ['auto', 'style', 'adjust', 'match'] as const;
export type PanelMode = (typeof MODES)[number];

/** What the page is busy with. */
export type Work =
  | 'idle'
  | 'reading'
  | 'inspecting'
  | 'loading'
  | 'starting'
  | 'checking'
  | 'thinking'
  | 'writing'
  /** The picture is there, and its words are being written. */
  | 'wording'
  | 'rendering'
  | 'applying';

export interface FactorSetting {
  readonly strength: number;
  readonly on: boolean;
}

/** A retouch that was made, with its settings: what the strip goes back to and what Apply applies. */
export interface Try {
  readonly id: number;
  readonly mode: PanelMode;
  readonly latents: Float32Array;
  readonly texts: Partial<Record<Field, string>>;
  readonly factors: Readonly<Record<Factor, FactorSetting>>;
  readonly overall: number;
  readonly instruction: string;
  readonly sliders: Readonly<Record<string, number>>;
  /** `state` of the proxy that it was made from. */
  readonly document: string;
  /** Until it could be seen. */
  readonly seconds: number;
  /** Was the writing of its words stopped before they were complete? */
  readonly cut?: boolean | undefined;
  /** The layer that it was applied as, or came from. */
  readonly layer?: string | undefined;
}

export type MatchSource = 'pair' | 'target' | 'document';

export interface Picture extends RgbImage {
  readonly name: string;
}

export interface Notice {
  readonly kind: 'info' | 'warning' | 'error';
  readonly text: string;
  readonly hint?: string;
  /** What its button does: takes the model of last time up again. */
  readonly action?: 'again';
}

export interface PanelState {
  readonly mode: PanelMode;
  readonly theme: Theme;
  readonly document: DocumentInfo | undefined;
  readonly others: readonly DocumentInfo[];
  readonly proxy: DocumentProxy | undefined;
  readonly work: Work;
  /** From 0 to 1; undefined where nobody knows. */
  readonly progress: number | undefined;
  /** The answer that is being written. */
  readonly texts: Partial<Record<Field, string>>;
  readonly tries: readonly Try[];
  readonly current: number | undefined;
  /** The try whose words are being written. */
  readonly wording: number | undefined;
  readonly instruction: string;
  readonly history: readonly string[];
  readonly sliders: Readonly<Record<string, number>>;
  readonly hue: number;
  readonly closed: readonly string[];
  readonly match: MatchSource;
  readonly pairBefore: Picture | undefined;
  readonly pairAfter: Picture | undefined;
  readonly target: Picture | undefined;
  readonly otherDocument: string | undefined;
  /** Where the before picture ends, 0 to 1; `holding`: it is all that is shown. */
  readonly split: number;
  readonly holding: boolean;
  /** 0: the whole picture; else screen pixels of one pixel. */
  readonly zoom: number;
  readonly model: OpenedModel | undefined;
  readonly asleep: boolean;
  /** Name and version of the model in a chosen folder that is in use; undefined: the built-in one is. */
  readonly chosen: string | undefined;
  /** Is a folder kept that is not in use? */
  readonly lastTime: boolean;
  /** The name of the model that is being loaded and checked; empty when none is. */
  readonly loading: string;
  /** A model that a person is being asked about. */
  readonly offer: ModelOffer | undefined;
  readonly accepted: readonly Acceptance[];
  readonly modelMenu: boolean;
  readonly seconds: number | undefined;
  /** Milliseconds from a slider's move to the repaint. */
  readonly live: number | undefined;
  readonly notices: readonly Notice[];
  /** What came of the last work, for the status line and for those who listen to it. */
  readonly said: string;
  readonly help: boolean;
  readonly menu: boolean;
}

export const START: PanelState = {
  mode: 'auto',
  theme: 'darkest',
  document: undefined,
  others: [],
  proxy: undefined,
  work: 'idle',
  progress: undefined,
  texts: {},
  tries: [],
  current: undefined,
  wording: undefined,
  instruction: '',
  history: [],
  sliders: {},
  hue: 0,
  closed: ['curve'],
  match: 'pair',
  pairBefore: undefined,
  pairAfter: undefined,
  target: undefined,
  otherDocument: undefined,
  split: 0.5,
  holding: false,
  zoom: 0,
  model: undefined,
  asleep: false,
  chosen: undefined,
  lastTime: false,
  loading: '',
  offer: undefined,
  accepted: [],
  modelMenu: false,
  seconds: undefined,
  live: undefined,
  notices: [],
  said: '',
  help: false,
  menu: false,
};

export const FULL: Readonly<Record<Factor, FactorSetting>> = {
  light: { strength: 1, on: true },
  globalColor: { strength: 1, on: true },
  specificColor: { strength: 1, on: true },
};

export function currentTry({ tries, current }: PanelState): Try | undefined {
  return tries.find(({ id }) => id === current);
}

/** A factor that is off has a strength of 0. `overall` is blended by whoever renders. */
export function strengthOf({ factors }: Pick<Try, 'factors'>): Strength {
  return Object.fromEntries(FACTORS.map((factor) => [factor, factors[factor].on ? factors[factor].strength : 0]));
}

/** Do the sliders of this try ask for black and white? Tries of other modes keep sliders that are not theirs. */
export function isMonochromeTry({ mode, sliders }: Pick<Try, 'mode' | 'sliders'>): boolean {
  return mode === 'adjust' && isMonochromeSliders(sliders);
}

export function reasoningOf(texts: Try['texts']): Reasoning {
  const of = (kind: 'problems' | 'plan') => ({
    light: texts[`${kind}.light`] ?? '',
    globalColor: texts[`${kind}.globalColor`] ?? '',
    specificColor: texts[`${kind}.specificColor`] ?? '',
  });
  return { elements: texts.elements ?? '', problems: of('problems'), plan: of('plan') };
}

/** Can the current try be applied? Also while its words are being written. */
export function canApply(state: PanelState): boolean {
  return currentTry(state) !== undefined && (state.work === 'idle' || state.work === 'wording');
}

export function isBusy({ work }: PanelState): boolean {
  return work !== 'idle';
}
