import { isMonochromeSliders } from '../../inference';
import { type Wanted } from '../live';
import {
  type DocumentWork,
  FULL,
  type PanelMode,
  type Try,
  currentTry,
  isMonochromeTry,
  sameSliders,
  strengthOf,
} from '../state';
import { type Sliders } from '../worker/protocol';

/* The tries of one document. A state in, what changes of it out. */

/** Enough to go back to; the strip is no archive. */
const MOST = 12;

export type NewTry = Omit<Try, 'id' | 'factors' | 'overall'> & Partial<Try>;

let last = 0;

export function newTry(made: NewTry): Try {
  return { factors: FULL, overall: 1, ...made, id: ++last };
}

export function withTry({ tries }: DocumentWork, entry: Try): Partial<DocumentWork> {
  return { tries: [...tries, entry].slice(-MOST) };
}

export function withChange({ tries }: DocumentWork, id: number, patch: Partial<Try>): Partial<DocumentWork> {
  return { tries: tries.map((item) => (item.id === id ? { ...item, ...patch } : item)) };
}

/** A try is shown: the sliders are those that its picture shows. */
export function showing({ shown }: DocumentWork, made: Try): Partial<DocumentWork> {
  const { id, mode, seconds, sliders } = made;
  return {
    current: id,
    shown: { ...shown, [mode]: id },
    seconds: seconds || undefined,
    ...(mode === 'adjust' ? { sliders } : {}),
  };
}

/** The field for words shows those of a try; words that are being typed, and that no try has, are not lost for it. */
export function wordsOf(
  { tries }: DocumentWork,
  { mode, instruction }: Try,
  typed: string,
): { readonly instruction?: string } {
  const draft = typed.trim() !== '' && !tries.some((item) => item.instruction === typed);
  return mode === 'style' && !draft ? { instruction } : {};
}

/** Of a mode that try is shown which was shown in it last; without one, the photo as it was. */
export function inMode({ shown, tries }: DocumentWork, mode: PanelMode): Partial<DocumentWork> {
  const made = tries.find(({ id }) => id === shown[mode]);
  return { current: made?.id, seconds: made?.seconds || undefined };
}

/** Sliders that move are one try, until the model has written a plan for them or another try is chosen. */
export function withSliders(
  work: DocumentWork,
  latents: Float32Array,
  sliders: Sliders,
): Partial<DocumentWork> | undefined {
  const made = currentTry(work);
  const unsaid = made?.mode === 'adjust' && Object.keys(made.texts).length === 0 && made.id !== work.wording;
  if (unsaid) return withChange(work, made.id, { latents, sliders });
  if (!work.proxy) return undefined;
  const { state: document } = work.proxy;
  const entry = newTry({ mode: 'adjust', latents, sliders, texts: {}, instruction: '', document, seconds: 0 });
  return { ...withTry(work, entry), current: entry.id, shown: { ...work.shown, adjust: entry.id } };
}

/** Are the sliders where the picture that is shown in Adjust has them? */
export function slidersAreShown(work: DocumentWork): boolean {
  return sameSliders(work.sliders, currentTry(work)?.sliders ?? {});
}

/** What is to be rendered: sliders that moved, or the try that is shown; undefined for the photo as it was. */
export function lookOf(work: DocumentWork, mode: PanelMode): Omit<Wanted, 'of'> | undefined {
  const made = currentTry(work);
  const strength = made ? strengthOf(made) : {};
  if (mode === 'adjust' && !slidersAreShown(work)) {
    const { sliders } = work;
    return { sliders, strength, monochrome: isMonochromeSliders(sliders) };
  }
  return made && { latents: made.latents, strength, monochrome: isMonochromeTry(made) };
}
