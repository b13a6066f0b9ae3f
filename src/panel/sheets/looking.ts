import { type DocumentInfo, type PanelHost } from '../../host/panelHost';
import { type PanelState } from '../state';
import { type Store } from '../store';
import { type Sheet, type Sheets } from './sheets';

export interface LookingPage {
  readonly host: PanelHost;
  readonly sheets: Sheets;
  /** Another document is in front, or its picture is still to be read. */
  arrived(sheet: Sheet): Promise<void>;
  report(thrown: unknown, sheet?: Sheet): void;
}

/** Keeps the page at the document that is in front. Looks come one after the other, so that the newest one counts. */
export class Looking {
  private again = false;
  private looking: Promise<void> | undefined;
  /** The reading of the picture of the sheet in front. */
  private reading: { sheet: Sheet; until: Promise<void> } | undefined;

  constructor(
    private readonly page: LookingPage,
    private readonly store: Store<PanelState>,
  ) {}

  /** Resolves when the document in front is shown. */
  async refresh(): Promise<void> {
    await this.look();
    await this.reading?.until;
  }

  /** Resolves when it is known which document is in front. */
  look(): Promise<void> {
    this.again = true;
    this.looking ??= this.lookAgain().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async lookAgain(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        await this.once();
      } catch (thrown) {
        this.page.report(thrown, this.page.sheets.front);
      }
    }
  }

  private async once(): Promise<void> {
    const { host, sheets } = this.page;
    const document = await host.describe();
    sheets.enter(document);
    this.read(sheets.front);
    if (!host.abilities.otherDocuments) return;
    const others = await host.openDocuments();
    const { otherDocument } = this.store.get();
    const there = others.some(({ id }) => id === otherDocument);
    if (!sameDocuments(others, this.store.get().others)) this.store.set({ others });
    // A look cannot be borrowed from a document that is closed, or is the one in front.
    if (!there) this.store.set({ otherDocument: undefined });
    sheets.keepOnly(others.map(({ id }) => id));
  }

  private read(sheet: Sheet): void {
    const { document, proxy } = sheet.get();
    if (proxy || !document || document.refusal !== undefined || this.reading?.sheet === sheet) return;
    const { left } = sheet;
    const gone = new Promise<void>((resolve) => {
      left.addEventListener('abort', () => {
        resolve();
      });
    });
    const reading = { sheet, until: Promise.race([this.page.arrived(sheet), gone]) };
    this.reading = reading;
    const done = (): void => {
      if (this.reading === reading) this.reading = undefined;
    };
    void reading.until.then(done, done);
  }
}

function sameDocuments(one: readonly DocumentInfo[], other: readonly DocumentInfo[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
