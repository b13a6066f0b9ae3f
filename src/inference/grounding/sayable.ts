/** What may stand behind a whole word. */
const BEHIND_WORDS = [' ', ',', ';', ':'];

/** What one section of an answer may say. The same in Python: `training/veraretouch/reasoning/sayable.py`. */
export interface SayableParts {
  /** Clause -> the axis that it speaks of. All texts are in lower case; a section begins with a capital. */
  readonly clauses: ReadonlyMap<string, string>;
  /** Sentences that stand alone -> the axes that they speak of. */
  readonly sentences: ReadonlyMap<string, ReadonlySet<string>>;
  /** Clauses in a row, at most; each axis once. */
  readonly most: number;
  readonly joints: readonly string[];
  /** Axes of which one comes first; any where empty. */
  readonly first?: ReadonlySet<string> | undefined;
  /** Those of the clauses that may stand behind another, where not all may. */
  readonly following?: ReadonlyMap<string, string> | undefined;
}

const NOTHING: ReadonlySet<string> = new Set();

/** What must follow a text. */
export interface Continuation {
  readonly text: string;
  readonly ends: boolean;
}

const FREE: Continuation = { text: '', ends: false };
const LETTER = /[A-Za-z0-9]/;

/** The ways in which a text may go on, for what they have in common. */
class Rests {
  private first: string | undefined;
  private length = Infinity;
  /** Do all end together, with nothing behind them? */
  private end = true;
  private readonly all: string[] = [];

  /** Have they nothing in common? */
  get free(): boolean {
    return this.first !== undefined && this.length === 0 && !this.end;
  }

  add(rest: string, ends: boolean): void {
    this.end &&= ends && (this.first ?? rest) === rest;
    this.first ??= rest;
    this.length = Math.min(this.length, rest.length);
    for (let i = 0; i < this.length; i++) if (rest[i] !== this.first[i]) this.length = i;
    this.all.push(rest);
  }

  common(): Continuation {
    if (this.first === undefined || this.free) return FREE;
    const text = this.first.slice(0, this.length);
    if (this.end) return { text, ends: true };
    // The last word is whole where no text goes on with a letter.
    if (!this.all.some((rest) => LETTER.test(rest[this.length] ?? ''))) return { text, ends: false };
    return { text: text.replace(/[A-Za-z0-9]*$/, ''), ends: false };
  }
}

/** Tells, while a section is being written, whether its text keeps to what may be said. */
export class Sayable {
  /** Clauses and sentences, sorted: those with a common beginning lie next to each other. */
  private readonly sorted: readonly string[];
  private readonly behind: ReadonlyMap<string, string>;
  private readonly sortedBehind: readonly string[];
  private readonly axesBehind: ReadonlySet<string>;

  constructor(private readonly parts: SayableParts) {
    this.sorted = [...parts.clauses.keys(), ...parts.sentences.keys()].sort();
    this.behind = parts.following ?? parts.clauses;
    this.sortedBehind = [...this.behind.keys()].sort();
    this.axesBehind = new Set(this.behind.values());
  }

  /** The same without the texts that a model cannot write: at the beginning of a section, behind another clause. */
  only(starts: (text: string) => boolean, follows: (text: string) => boolean): Sayable {
    const those = <T>(texts: ReadonlyMap<string, T>, good: (text: string) => boolean) =>
      new Map([...texts].filter(([text]) => good(text)));
    const { clauses, sentences } = this.parts;
    return new Sayable({
      ...this.parts,
      clauses: those(clauses, starts),
      following: those(clauses, follows),
      sentences: those(sentences, starts),
    });
  }

  /** How many texts there are, of each kind. */
  get size(): { readonly clauses: number; readonly sentences: number } {
    return { clauses: this.parts.clauses.size, sentences: this.parts.sentences.size };
  }

  /** The same, begun with one of those of `named` that clauses speak of. */
  startingWith(named: ReadonlySet<string>): Sayable {
    const axes = new Set(this.parts.clauses.values());
    return new Sayable({ ...this.parts, first: new Set([...named].filter((axis) => axes.has(axis))) });
  }

  /** Are `words`, the last of which is whole, such a text, or can they still become one? */
  goesOn(words: string): boolean {
    return this.complete(words) || BEHIND_WORDS.some((sign) => this.fits(words + sign));
  }

  /** Can `text` still become such a text? */
  fits(text: string): boolean {
    const lowered = lower(text);
    if (lowered === undefined) return false;
    return this.begins(lowered, NOTHING, true) || this.walk(lowered, false, NOTHING) !== undefined;
  }

  complete(text: string): boolean {
    const lowered = lower(text);
    if (!lowered) return false;
    return this.parts.sentences.has(lowered) || this.walk(lowered, true, NOTHING) !== undefined;
  }

  /** The axes that a complete text speaks of. */
  axesIn(text: string): ReadonlySet<string> {
    const lowered = lower(text) ?? '';
    return this.parts.sentences.get(lowered) ?? this.walk(lowered, true, NOTHING) ?? NOTHING;
  }

  /**
   * How every such text that begins with `text` goes on, as far as they agree, in whole words; `ends`: is it then complete, with
   * nothing that may stand behind it?
   */
  forced(text: string): Continuation {
    const lowered = lower(text);
    if (lowered === undefined) return FREE;
    const rests = new Rests();
    this.collect(lowered, NOTHING, rests);
    return rests.common();
  }

  /** Gathers how `text` may go on behind clauses of axes that were used; `before` stands before all of it. */
  private collect(text: string, used: ReadonlySet<string>, rests: Rests, before = ''): void {
    const first = used.size === 0;
    const [texts, clauses] = first ? [this.sorted, this.parts.clauses] : [this.sortedBehind, this.behind];
    for (let at = firstAtLeast(texts, text); texts[at]?.startsWith(text) && !rests.free; at++) {
      const said = texts[at];
      const axis = clauses.get(said);
      if (axis !== undefined && this.may(axis, used)) {
        rests.add(before + said.slice(text.length), !this.goesOnBehind(new Set([...used, axis])));
      }
      if (first && this.parts.sentences.has(said)) rests.add(before + said.slice(text.length), true);
    }
    for (const [clause, axis] of clauses) {
      if (rests.free) return;
      if (clause.length >= text.length || !text.startsWith(clause) || !this.may(axis, used)) continue;
      const now = new Set([...used, axis]);
      if (!this.goesOnBehind(now)) continue;
      const behind = text.slice(clause.length);
      for (const joint of this.parts.joints) {
        if (joint.startsWith(behind)) this.collect('', now, rests, joint.slice(behind.length));
        else if (behind.startsWith(joint)) this.collect(behind.slice(joint.length), now, rests);
      }
    }
  }

  /** May another clause stand behind those of the axes used? */
  private goesOnBehind(used: ReadonlySet<string>): boolean {
    return used.size < this.parts.most && [...this.axesBehind].some((other) => !used.has(other));
  }

  /** Does some clause of an axis that was not used, or at the beginning a sentence, begin with `text`? */
  private begins(text: string, used: ReadonlySet<string>, first: boolean): boolean {
    const { sentences } = this.parts;
    const [texts, clauses] = first ? [this.sorted, this.parts.clauses] : [this.sortedBehind, this.behind];
    for (let at = firstAtLeast(texts, text); texts[at]?.startsWith(text); at++) {
      const said = texts[at];
      const axis = clauses.get(said);
      if ((axis !== undefined && this.may(axis, used)) || (first && sentences.has(said))) return true;
    }
    return false;
  }

  private may(axis: string, used: ReadonlySet<string>): boolean {
    const { first } = this.parts;
    return !used.has(axis) && (used.size > 0 || !first || first.size === 0 || first.has(axis));
  }

  /**
   * The axes of `text` if it is clauses in a row, else undefined; unless `whole`, the last clause may be unfinished, or a
   * joint behind one.
   */
  private walk(text: string, whole: boolean, used: ReadonlySet<string>): ReadonlySet<string> | undefined {
    const { clauses, joints } = this.parts;
    for (const [clause, axis] of used.size > 0 ? this.behind : clauses) {
      if (!text.startsWith(clause) || !this.may(axis, used)) continue;
      const rest = text.slice(clause.length);
      const now = new Set([...used, axis]);
      if (rest === '') return now;
      if (!this.goesOnBehind(now)) continue;
      for (const joint of joints) {
        if (!whole && joint.startsWith(rest)) return now;
        if (!rest.startsWith(joint)) continue;
        const behind = rest.slice(joint.length);
        if (!whole && this.begins(behind, now, false)) return now;
        const found = this.walk(behind, whole, now);
        if (found) return found;
      }
    }
    return undefined;
  }
}

/** A text without its capital; undefined where it begins with none. */
function lower(text: string): string | undefined {
  const first = text.slice(0, 1);
  if (first === '') return '';
  if (first === first.toLowerCase()) return undefined;
  return first.toLowerCase() + text.slice(1);
}

/** Index of the first of sorted texts that is not before `text`. */
function firstAtLeast(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
