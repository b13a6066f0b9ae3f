import path from 'node:path';
import { type TextEvent } from '../../inference';
import { type Narrator, printable } from '../console';
import { type Progress } from './progress';

/** What a person is told while a photo is at work. */
export interface Teller {
  /** The photo's turn has come. */
  begin(): void;
  stage(text: string): void;
  /** How far the model's files are read, from 0 to 1. */
  loading(share: number): void;
  text(event: TextEvent): void;
  note(text: string): void;
  /** What is of interest where one photo is at work at a time. */
  detail(text: string): void;
  failed(thrown: unknown): void;
  /** The photo has ended, well or not, `ms` milliseconds after it began. */
  end(ms: number): void;
}

/** One photo at a time: all of it, with the reasoning as it is written. */
export function closely(narrator: Narrator, photo: string): Teller {
  const note = (text: string): void => {
    narrator.note(text);
  };
  return {
    begin: () => {
      narrator.photo(photo);
    },
    stage: (text) => {
      narrator.stage(text);
    },
    loading: (share) => {
      narrator.progress(share);
    },
    text: (event) => {
      narrator.text(event);
    },
    note,
    detail: note,
    failed: (thrown) => {
      narrator.error(thrown, photo);
    },
    end: () => undefined,
  };
}

/** Several photos at once: what to know of each, and a line when it has ended. */
export function fromAfar(narrator: Narrator, photo: string, progress: Progress): Teller {
  const name = path.basename(photo);
  const nothing = (): void => undefined;
  return {
    ...{ begin: nothing, stage: nothing, loading: nothing, text: nothing, detail: nothing },
    note: (text) => {
      narrator.note(`${printable(name)}: ${text}`);
    },
    failed: (thrown) => {
      narrator.error(thrown, name);
    },
    end: (ms) => {
      narrator.note(progress.line(name, ms));
    },
  };
}
