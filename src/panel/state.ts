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
import { type Store } from './store';
import { type OpenedModel, type Sliders } from './worker/protocol';

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
  readonly sliders: Sliders;
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
  /** The document with which it goes; absent where it is about none. */
  readonly of?: string;
}

/**
 * All that belongs to one document, and to no other: it comes, goes and comes back as a whole. What is new and about a photo
 * belongs in here; only its `Sheet` can write it, so nothing has to remember to take it away.
 */
export interface DocumentWork {
  readonly document: DocumentInfo | undefined;
  readonly proxy: DocumentProxy | undefined;
  /** The answer that is being written. */
  readonly texts: Partial<Record<Field, string>>;
  readonly tries: readonly Try[];
  /** The try that is shown; undefined: the photo as it was. */
  readonly current: number | undefined;
  /** The try that was shown last in each mode. */
  readonly shown: Readonly<Partial<Record<PanelMode, number>>>;
  /** The try whose words are being written. */
  readonly wording: number | undefined;
  readonly sliders: Sliders;
  /** 0: the whole picture; else screen pixels of one pixel. */
  readonly zoom: number;
  readonly seconds: number | undefined;
  /** Milliseconds from a slider's move to the repaint. */
  readonly live: number | undefined;
  /** What came of the last work, for the status line and for those who listen to it. */
  readonly said: string;
}

/** What is under way: only its `Job` can write it. */
export interface JobState {
  readonly work: Work;
  /** From 0 to 1; undefined where nobody knows. */
  readonly progress: number | undefined;
  /** The name of the model that is being loaded and checked; empty when none is. */
  readonly loading: string;
  readonly asked: Asked | undefined;
}

/** What a work was asked for. */
export interface Asked {
  /** The document's id and name, where it is for one. */
  readonly document: string | undefined;
  readonly name: string;
  readonly mode: PanelMode;
}

/** What belongs to the page, whichever document is in front. */
export interface PageState {
  readonly mode: PanelMode;
  readonly theme: Theme;
  readonly others: readonly DocumentInfo[];
  readonly instruction: string;
  readonly history: readonly string[];
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
  readonly model: OpenedModel | undefined;
  readonly asleep: boolean;
  /** Name and version of the model in a chosen folder that is in use; undefined: the built-in one is. */
  readonly chosen: string | undefined;
  /** Is a folder kept that is not in use? */
  readonly lastTime: boolean;
  /** A model that a person is being asked about. */
  readonly offer: ModelOffer | undefined;
  readonly accepted: readonly Acceptance[];
  readonly modelMenu: boolean;
  /** Those of a document go with it. */
  readonly notices: readonly Notice[];
  readonly help: boolean;
  readonly menu: boolean;
}

export interface PanelState extends PageState, JobState, DocumentWork {}

/** The page's state as its parts see it: what belongs to a document or to a work is not theirs to write. */
export type PageStore = Pick<Store<PanelState>, 'get' | 'listen'> & { set(patch: Partial<PageState>): void };

/** A document of which nothing is known yet. */
export const FRESH: DocumentWork = {
  document: undefined,
  proxy: undefined,
  texts: {},
  tries: [],
  current: undefined,
  shown: {},
  wording: undefined,
  sliders: {},
  zoom: 0,
  seconds: undefined,
  live: undefined,
  said: '',
};

export const IDLE: JobState = { work: 'idle', progress: undefined, loading: '', asked: undefined };

export const START: PanelState = {
  ...FRESH,
  ...IDLE,
  mode: 'auto',
  theme: 'darkest',
  others: [],
  instruction: '',
  history: [],
  hue: 0,
  closed: ['curve'],
  match: 'pair',
  pairBefore: undefined,
  pairAfter: undefined,
  target: undefined,
  otherDocument: undefined,
  split: 0.5,
  holding: false,
  model: undefined,
  asleep: false,
  chosen: undefined,
  lastTime: false,
  offer: undefined,
  accepted: [],
  modelMenu: false,
  notices: [],
  help: false,
  menu: false,
};

export const FULL: Readonly<Record<Factor, FactorSetting>> = {
  light: { strength: 1, on: true },
  globalColor: { strength: 1, on: true },
  specificColor: { strength: 1, on: true },
};

export function currentTry({ tries, current }: Pick<DocumentWork, 'tries' | 'current'>): Try | undefined {
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
  const { proxy, work } = state;
  return proxy !== undefined && currentTry(state) !== undefined && (work === 'idle' || work === 'wording');
}

export function isBusy({ work }: JobState): boolean {
  return work !== 'idle';
}

/** Is an answer being written that belongs under the mode that is shown? */
export function isWriting({ work, asked, mode, document }: PanelState): boolean {
  if (work !== 'thinking' && work !== 'writing' && work !== 'rendering') return false;
  return asked?.mode === mode && asked.document === (document?.id ?? '');
}

/** Do both set the same sliders to the same values? One that is absent rests at 0. */
export function sameSliders(one: Sliders, other: Sliders): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => (one[name] ?? 0) === (other[name] ?? 0));
}
