import { isCancellation } from '../errors';
import { failureIn } from '../errorTexts';
import { type Notice, type PageStore } from '../state';
import { type Language } from '../strings';
import { type Sheet } from './sheets';

/** What a person is told. What is about a document is told while that is in front, and goes with it. */
export class Notices {
  constructor(
    private readonly store: PageStore,
    private readonly language: Language,
  ) {}

  /** About the page without a sheet. The same text is not said twice. */
  notify(notice: Notice, sheet?: Sheet): void {
    if (sheet?.inFront === false) return;
    const { notices } = this.store.get();
    if (notices.some(({ text }) => text === notice.text)) return;
    this.store.set({ notices: [...notices, sheet ? { ...notice, of: sheet.id } : notice] });
  }

  /** What was said of an earlier action goes when another one begins. */
  clear(): void {
    this.store.set({ notices: this.store.get().notices.filter(({ of }) => of === undefined) });
  }

  /** A failure for a document that is not in front any more says which document that is. */
  report(thrown: unknown, sheet: Sheet | undefined, front: Sheet): void {
    if (isCancellation(thrown)) return;
    const { text, hint } = failureIn(this.language, thrown);
    const name = sheet?.get().document?.name ?? '';
    const whole = sheet?.inFront === false && name !== '' ? `“${name}”: ${text}` : text;
    this.notify({ kind: 'error', text: whole, ...(hint ? { hint } : {}) }, sheet && front);
  }
}
