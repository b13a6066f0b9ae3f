import { type Lut3D } from '../../color/lut3d';
import { type DocumentInfo } from '../../host/panelHost';
import { type DocumentWork, FRESH, type PanelState } from '../state';
import { type Store } from '../store';

/** Looks in a row that a document may be missing from before it counts as closed: lists are read while it is switched. */
const MISSING = 2;
const KEYS = Object.keys(FRESH) as (keyof DocumentWork)[];

/**
 * One document's work. Whoever does something for a document gets its sheet before the first `await`, and reads and writes
 * there: in the page while the document is in front, beside it when another one is, nowhere when it was closed.
 */
export class Sheet {
  /** The LUT of what is shown, while the document is in front. */
  lut: Lut3D | undefined;
  private kept: DocumentWork;
  private leaving = new AbortController();
  /** Looks that it was missing from. */
  missing = 0;

  constructor(
    /** Of the document; empty for the sheet on which there is none. */
    readonly id: string,
    private readonly store: Store<PanelState>,
    private readonly isInFront: (sheet: Sheet) => boolean,
    document: DocumentInfo | undefined,
  ) {
    this.kept = { ...FRESH, document };
  }

  get inFront(): boolean {
    return this.isInFront(this);
  }

  /** Fires when another document comes to the front. Another one each time that it is in front again. */
  get left(): AbortSignal {
    return this.leaving.signal;
  }

  get(): DocumentWork {
    return this.inFront ? workIn(this.store.get()) : this.kept;
  }

  set(patch: Partial<DocumentWork>): void {
    if (this.inFront) this.store.set(patch);
    else this.kept = { ...this.kept, ...patch };
  }

  /** What is shown when it comes to the front: of what was under way or said nothing is left, and the photo is read anew. */
  begin(): DocumentWork {
    this.leaving = new AbortController();
    this.missing = 0;
    return { ...this.kept, proxy: undefined, texts: {}, wording: undefined, said: '' };
  }

  keep(work: DocumentWork): void {
    this.kept = { ...work, proxy: undefined };
    this.lut = undefined;
  }

  leave(): void {
    this.leaving.abort();
  }
}

/** The sheets of the open documents, of which one is in front. */
export class Sheets {
  private readonly known = new Map<string, Sheet>();
  private inFront: Sheet;

  constructor(private readonly store: Store<PanelState>) {
    this.inFront = this.make(undefined);
  }

  get front(): Sheet {
    return this.inFront;
  }

  /** All of them, the one in front too. */
  get all(): readonly Sheet[] {
    return [...new Set([this.inFront, ...this.known.values()])];
  }

  /** Puts a document in front, with all that is its own and nothing of the one before. Tells whether it was another one. */
  enter(document: DocumentInfo | undefined): boolean {
    const before = this.inFront;
    if (before.id === (document?.id ?? '')) {
      before.missing = 0;
      if (!sameInfo(before.get().document, document)) before.set({ document });
      return false;
    }
    before.keep(workIn(this.store.get()));
    const sheet = (document && this.known.get(document.id)) ?? this.make(document);
    this.inFront = sheet;
    const begun = sheet.begin();
    // Sliders that were set where no photo was open are meant for the one that is opened.
    const { sliders } = before.id === '' && begun.tries.length === 0 ? before.get() : begun;
    const notices = this.store.get().notices.filter(({ of }) => of === undefined);
    this.store.set({ ...begun, document, sliders, notices });
    before.leave();
    return true;
  }

  /** Forgets the documents that are open no more. */
  keepOnly(open: readonly string[]): void {
    for (const [id, sheet] of this.known) {
      sheet.missing = sheet.inFront || open.includes(id) ? 0 : sheet.missing + 1;
      if (sheet.missing >= MISSING) this.known.delete(id);
    }
  }

  private make(document: DocumentInfo | undefined): Sheet {
    const sheet = new Sheet(document?.id ?? '', this.store, (one) => one === this.inFront, document);
    if (document) this.known.set(document.id, sheet);
    return sheet;
  }
}

function workIn(state: PanelState): DocumentWork {
  return Object.fromEntries(KEYS.map((key) => [key, state[key]])) as unknown as DocumentWork;
}

/** The host tells of a document anew each time. */
function sameInfo(one: DocumentInfo | undefined, other: DocumentInfo | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
