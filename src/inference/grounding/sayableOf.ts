import { FACTORS, factorBounds, type Factor } from '../params';
import { BANDS } from './bandChange';
import type { Change } from './change';
import { effectOf, shareOf } from './effect';
import { faultTexts, filled, isLost, isShown } from './faults';
import type { Readings } from './readings';
import { Sayable } from './sayable';
import type { Axis, ClauseWording, Direction, Signed, Size, Wording } from './wording';

/** A claim with the size that it is said in, if it has one, and the forms that are true of a tonal zone. */
interface Claim extends Signed {
  readonly size: Size | undefined;
  readonly forms: readonly ClauseWording['form'][];
}

/** Stands for the axis of a fault that no plan answers. */
const LOST = 'lost';
/** An axis without sizes: colour is there or not. */
const MONOCHROME = 'monochrome';
const ALL_FORMS: readonly ClauseWording['form'][] = ['', 'step', 'hold'];
const NONE: ReadonlySet<string> = new Set();

/** Sentences that speak of no axis. */
function plain(...lists: readonly (readonly string[])[]): Map<string, ReadonlySet<string>> {
  return new Map(lists.flat().map((text) => [text, NONE]));
}

/** What a plan may say of a measured change: the claims that pixels show, and that nothing moved where nothing did. */
export function planOfChange(wording: Wording, change: Change, factor: Factor): Sayable {
  const { moved, still } = movedAxes(wording, change, factor);
  const claims = moved.map((axis): Claim => {
    const value = effectOf(change, axis.name);
    const direction = signOf(value);
    return { axis: axis.name, direction, size: sizeOf(axis, value), forms: formsOf(change, axis.name, direction) };
  });
  return plan(wording, claims, still ? wording.sentences.leave[factor] : [], factor);
}

/**
 * What a plan may say of 38 values in [-1, 1]: the sliders' own claims, less those that the photo refutes where its change is
 * known; that they are followed; or that there are none.
 */
export function planOfSliders(wording: Wording, values: ArrayLike<number>, factor: Factor, change?: Change): Sayable {
  const { sliders, sentences, axes } = wording;
  const [from, to] = factorBounds(FACTORS.indexOf(factor));
  const sums = new Map<string, number>();
  let any = false;
  for (let i = from; i < to; i++) {
    any ||= values[i] !== 0;
    sums.set(sliders.axes[i], (sums.get(sliders.axes[i]) ?? 0) + values[i]);
  }
  if (!any) return plan(wording, [], sentences.unset[factor], factor);
  const claims = [...sums].flatMap(([axis, value]): Claim[] => {
    const [moderate, strong] = sliders.stepsOf[axis] ?? sliders.steps;
    const size = step(Math.abs(value), moderate, strong);
    return Math.abs(value) > sliders.dead ? [{ axis, direction: signOf(value), size, forms: ALL_FORMS }] : [];
  });
  // By name, for the saturation slider alone takes all colour.
  if (factor === 'globalColor' && (sums.get('saturation') ?? 0) <= sliders.monochrome && axes.has(MONOCHROME)) {
    claims.push({ axis: MONOCHROME, direction: 1, size: undefined, forms: ALL_FORMS });
  }
  // The noise below which pixels tell nothing is half of what may be spoken of.
  const refuted = ({ axis, direction }: Claim): boolean =>
    change !== undefined && direction * effectOf(change, axis) < (-wording.clear / 2) * axes.get(axis)!.dead;
  return plan(
    wording,
    claims.filter((claim) => !refuted(claim)),
    sentences.given[factor],
    factor,
  );
}

/**
 * What may be said to be wrong with a photo: faults that it shows and its change mends, with its own degrees and figures, and none where
 * nothing moved, so that a plan never answers a fault that it does not touch.
 */
export function problemsOfChange(
  wording: Wording,
  change: Change,
  photo: Readings,
  factor: Factor,
  mode: 'auto' | 'style',
): Sayable {
  const { most, joint, sentences, faults } = wording.problems;
  const { moved, still } = movedAxes(wording, change, factor);
  const none = mode === 'auto' ? sentences.fine[factor] : sentences.suits[factor];
  const parts = { most: most[factor], joints: [joint] };
  if (moved.length === 0) return new Sayable({ ...parts, clauses: new Map(), sentences: plain(none) });
  const signed = moved.map(({ name }): Signed => ({ axis: name, direction: signOf(effectOf(change, name)) }));
  if (mode === 'style') {
    const against = againstLook(wording, signed, photo, most[factor]);
    if (still) for (const text of none) against.set(text, NONE);
    return new Sayable({ ...parts, clauses: new Map(), sentences: against });
  }
  const clauses = new Map<string, string>();
  for (const one of signed) {
    const fault = faults.find((known) => isOf(known, one));
    if (!fault || !isShown(fault, photo)) continue;
    for (const text of faultTexts(fault, photo)) clauses.set(text, one.axis);
  }
  // Lost detail is a fact, whether or not the plan can bring it back.
  const lost = faults.filter(
    (fault) =>
      wording.axes.get(fault.axis)!.factor === factor && isLost(fault, photo) && effectOf(change, fault.axis) === 0,
  );
  for (const text of lost.flatMap((fault) => faultTexts(fault, photo))) clauses.set(text, LOST);
  const said = plain(sentences.sound[factor], still ? none : []);
  return new Sayable({ ...parts, clauses, sentences: new Map([...said, ...soundBands(wording, moved)]) });
}

/** That a hue band is sound, yet can gain: it is one that moved, and the plan is about it. */
function soundBands({ problems }: Wording, moved: readonly Axis[]): [string, ReadonlySet<string>][] {
  return BANDS.flatMap((band) => {
    const axes = new Set(moved.map(({ name }) => name).filter((name) => name.endsWith(`.${band}`)));
    return axes.size > 0 ? problems.soundOfBand[band].map((text): [string, ReadonlySet<string>] => [text, axes]) : [];
  });
}

function isOf(known: Signed, { axis, direction }: Signed): boolean {
  return known.axis === axis && known.direction === direction;
}

/** What a photo is against a look: of each pair of axes, the largest first or not. */
function againstLook(
  { problems: { look, against } }: Wording,
  signed: readonly Signed[],
  photo: Readings,
  most: number,
): Map<string, ReadonlySet<string>> {
  const of = (one: Signed) => against.find((entry) => isOf(entry, one));
  const found = new Map<string, ReadonlySet<string>>();
  const others = most > 1 ? signed : [undefined];
  for (const first of signed) {
    const { said: whole, figure } = of(first) ?? {};
    for (const text of whole ? filled(whole, photo) : []) found.set(text, new Set([first.axis]));
    const behind = figure ? `, ${filled(figure, photo)[0]}` : '';
    for (const second of others) {
      const said = second === undefined || second === first ? [first] : [first, second];
      const words = said.map((one) => of(one)?.words);
      if (words.includes(undefined)) continue;
      for (const sentence of look) {
        const text = sentence.replace('{}', words.join(' and ')) + behind;
        found.set(text, new Set(said.map(({ axis }) => axis)));
      }
    }
  }
  return found;
}

/**
 * Axes of a factor whose change may be spoken of, and whether it may be said that nothing moved: one or the other always holds,
 * for changes of middling size both.
 */
function movedAxes(
  { axes, clear, still: limit, leastShare }: Wording,
  change: Change,
  factor: Factor,
): { readonly moved: readonly Axis[]; readonly still: boolean } {
  const own = [...axes.values()].filter((axis) => axis.factor === factor && axis.measured);
  const over = (axis: Axis, limitInDeadZones: number): boolean =>
    Math.abs(effectOf(change, axis.name)) > limitInDeadZones * axis.dead;
  const moved = own.filter((axis) => over(axis, clear));
  const still = !moved.some((axis) => over(axis, limit));
  const large = moved.filter((axis) => shareOf(change, axis.name) >= leastShare[1]);
  // Where only small bands moved, and too far to be called still, they are spoken of.
  return { moved: large.length > 0 ? large : still ? [] : moved, still };
}

function plan(wording: Wording, claims: readonly Claim[], sentences: readonly string[], factor: Factor): Sayable {
  const clauses = new Map<string, string>();
  for (const claim of claims) {
    for (const text of clauseTexts(wording, claim)) clauses.set(text, claim.axis);
  }
  const { mostClaims, joints } = wording;
  return new Sayable({ clauses, sentences: plain(sentences), most: mostClaims[factor], joints });
}

/** Every wording of one claim. */
function clauseTexts({ clauses, sizes }: Wording, { axis, direction, size, forms }: Claim): string[] {
  return clauses
    .filter((one) => one.axis === axis && one.direction === direction && forms.includes(one.form))
    .flatMap(({ verbs, objects }) => verbs.flatMap((verb) => objects.map((thing) => verb.replace('{}', thing))))
    .flatMap((text) => {
      if (!size) return [text];
      const [before, behind, comparative] = sizes[size];
      if (text.includes('~')) return comparative.map((word) => text.replace('~', `${word} `));
      return [...before.map((word) => `${word} ${text}`), ...behind.map((word) => `${text} ${word}`)];
    });
}

/** Of highlights and shadows it is known whether they move or are only held; of the other zones both may be said. */
function formsOf(change: Change, axis: string, direction: Direction): readonly ClauseWording['form'][] {
  if (axis !== 'highlights' && axis !== 'shadows') return ALL_FORMS;
  const moves = axis === 'highlights' ? change.highlightsStep : change.shadowsStep;
  return [moves * direction > 0 ? 'step' : 'hold'];
}

function signOf(value: number): Direction {
  return value > 0 ? 1 : -1;
}

function sizeOf({ name, moderate, strong }: Axis, value: number): Size | undefined {
  return name === MONOCHROME ? undefined : step(Math.abs(value), moderate, strong);
}

function step(size: number, moderate: number, strong: number): Size {
  return size >= strong ? 'strong' : size >= moderate ? 'moderate' : 'slight';
}
