import { Channel } from '../../bridge';
import { type HostEvent, type Theme } from '../panelHost';
import { HOST_EVENT } from '../remote/contract';
import { serveHost } from '../remote/serve';
import { type PhotoshopHost } from './photoshopHost';
import { type HTMLElementLike, type Uxp, type UxpDocument, type UxpWindow } from './ports';
import { type Strings } from './strings';
import { webviewPort } from './webviewPort';

export interface ShellOptions {
  readonly uxp: Pick<Uxp, 'versions' | 'host'>;
  readonly document: UxpDocument;
  readonly window: UxpWindow;
  readonly host: PhotoshopHost;
  readonly strings: Strings;
  readonly newSession: () => string;
  /** How long the page may take to say that it is there. */
  readonly helloMs?: number;
}

/** Where the package keeps the page. */
export const PAGE = 'plugin:/panel/index.html';
const HELLO_MS = 20_000;
/** A command that found no panel is carried out when one is opened this soon after; later nobody would expect it. */
const COMMAND_MS = 60_000;
const EVENTS_KEPT = 20;
const THEMES: readonly string[] = ['lightest', 'light', 'dark', 'darkest'] satisfies Theme[];

/** The panel's frame: the webview with the page, and, where the page is dead, what can be done about it. */
export class PanelShell {
  private root: HTMLElementLike | undefined;
  private webview: HTMLElementLike | undefined;
  private notice: HTMLElementLike | undefined;
  private channel: Channel | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private waiting: { command: 'auto' | 'repeat'; until: number } | undefined;
  private readonly log: string[] = [];
  private readonly loadedAt = Date.now();

  constructor(private readonly options: ShellOptions) {
    options.host.listen((event) => {
      this.tell(event);
    });
    options.document.theme?.onUpdated?.addListener(() => {
      this.tell(this.theme());
    });
  }

  get connected(): boolean {
    return this.channel?.connected ?? false;
  }

  /** UXP may tell of a panel by `create` or by `show` only, or by both. */
  attach(root: HTMLElementLike): void {
    if (this.root === root && this.webview) return;
    this.detach();
    this.root = root;
    this.load();
  }

  detach(): void {
    this.unload();
    this.root = undefined;
  }

  reload(): void {
    if (!this.root) return;
    this.note('reload');
    this.unload();
    this.load();
  }

  /** Carries a command to the page, now or when it is there. Tells whether there is a panel. */
  command(command: 'auto' | 'repeat'): boolean {
    if (this.connected) this.tell({ kind: 'command', command });
    else this.waiting = { command, until: Date.now() + COMMAND_MS };
    return this.root !== undefined;
  }

  /** Facts about this installation; nothing of documents or of the person. */
  diagnostics(): string {
    const { versions, host } = this.options.uxp;
    return [
      `VeraRetouch ${versions.plugin}, ${host.name} ${host.version}, ${versions.uxp}, ${host.uiLocale}`,
      `page ${this.connected ? 'connected' : 'not connected'}, ${JSON.stringify(this.channel?.counts ?? {})}`,
      ...this.log,
    ].join('\n');
  }

  showDiagnostics(): void {
    this.showNotice(this.options.strings.diagnostics, this.options.strings.diagnosticsHint, this.connected);
  }

  private load(): void {
    const { document, window, host, newSession, helloMs } = this.options;
    // Written in HTML a webview never paints; made by script it does.
    const webview = document.createElement('webview');
    webview.setAttribute('src', PAGE);
    webview.setAttribute('width', '100%');
    webview.setAttribute('height', '100%');
    Object.assign(webview.style, { width: '100%', height: '100%', border: 'none' });
    for (const event of ['loadstart', 'loadstop'])
      webview.addEventListener(event, () => {
        this.note(event);
      });
    webview.addEventListener('loaderror', (event) => {
      const { code, message } = event as { code?: unknown; message?: unknown };
      this.note(`loaderror ${String(code)} ${String(message)}`);
      this.fail();
    });
    this.webview = webview;
    this.root?.appendChild(webview);
    this.channel = new Channel({
      port: webviewPort(webview, window),
      session: newSession(),
      handlers: serveHost(host),
      onPeer: () => {
        this.greet();
      },
    });
    this.watchdog = setTimeout(() => {
      this.note(`no hello from the page after ${helloMs ?? HELLO_MS} ms`);
      this.fail();
    }, helloMs ?? HELLO_MS);
  }

  private unload(): void {
    clearTimeout(this.watchdog);
    this.channel?.close();
    this.channel = undefined;
    this.hideNotice();
    if (this.webview) this.root?.removeChild(this.webview);
    this.webview = undefined;
  }

  /** The page is there, perhaps after it was given up. */
  private greet(): void {
    clearTimeout(this.watchdog);
    this.note('hello');
    this.hideNotice();
    this.tell(this.theme());
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting && Date.now() <= waiting.until) this.tell({ kind: 'command', command: waiting.command });
  }

  private tell(event: HostEvent): void {
    // To a page that is not there yet only what it needs is told, when it comes.
    if (this.connected) this.channel?.event(HOST_EVENT, event);
  }

  private theme(): HostEvent {
    const theme = this.options.document.theme?.getCurrent() ?? 'dark';
    return { kind: 'theme', theme: THEMES.includes(theme) ? (theme as Theme) : 'dark' };
  }

  private fail(): void {
    const { strings } = this.options;
    this.showNotice(strings.noPage, `${strings.noPageHint} ${strings.diagnosticsHint}`, false);
  }

  private showNotice(title: string, text: string, goesBack: boolean): void {
    const { document, strings } = this.options;
    this.hideNotice();
    if (!this.root) return;
    const notice = document.createElement('div');
    Object.assign(notice.style, { padding: '12px', display: 'flex', flexDirection: 'column' });
    const add = (name: string, content: string): HTMLElementLike => {
      const element = document.createElement(name);
      element.textContent = content;
      element.style.marginBottom = '8px';
      notice.appendChild(element);
      return element;
    };
    add('sp-heading', title);
    add('sp-body', text);
    add('sp-button', strings.reload).addEventListener('click', () => {
      this.reload();
    });
    if (goesBack)
      add('sp-button', strings.back).addEventListener('click', () => {
        this.hideNotice();
      });
    const details = add('textarea', '');
    details.value = this.diagnostics();
    details.setAttribute('readonly', 'true');
    details.setAttribute('aria-label', strings.diagnostics);
    Object.assign(details.style, { width: '100%', height: '160px' });
    this.notice = notice;
    // The page would be painted over it.
    if (this.webview) this.webview.style.display = 'none';
    this.root.appendChild(notice);
  }

  private hideNotice(): void {
    if (this.notice) this.root?.removeChild(this.notice);
    this.notice = undefined;
    if (this.webview) this.webview.style.display = 'block';
  }

  private note(what: string): void {
    this.log.push(`${((Date.now() - this.loadedAt) / 1000).toFixed(1)} s: ${what}`);
    if (this.log.length > EVENTS_KEPT) this.log.shift();
  }
}
