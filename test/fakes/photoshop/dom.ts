import { Undocumented } from './strict';

/** Elements of UXP that the plugin's side may use; a page's elements are another world. */
const KNOWN = ['div', 'textarea', 'webview', 'sp-heading', 'sp-body', 'sp-button'];
const DISPLAYS = ['none', 'inline', 'block', 'inline-block', 'flex', 'inline-flex'];

type Listener = (event: Record<string, unknown>) => void;

/** A UXP element: parents and children, events, attributes. */
export class FakeElement {
  readonly children: FakeElement[] = [];
  readonly attributes = new Map<string, string>();
  readonly style: Record<string, unknown> = {};
  textContent: string | null = '';
  value: string | undefined;
  parent: FakeElement | undefined;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(readonly name: string) {
    if (!KNOWN.includes(name)) throw new Undocumented(`UXP: <${name}> is not an element of this stand-in.`);
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  appendChild(child: FakeElement): void {
    child.parent = this;
    this.children.push(child);
  }

  removeChild(child: FakeElement): void {
    const at = this.children.indexOf(child);
    if (at < 0) throw new Error('NotFoundError: the element is no child of this one.');
    this.children.splice(at, 1);
    child.parent = undefined;
  }

  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  fire(name: string, event: Record<string, unknown> = {}): void {
    for (const listener of this.listeners.get(name) ?? []) listener({ type: name, ...event });
  }

  find(name: string): FakeElement | undefined {
    return this.children.find((child) => child.name === name) ?? this.children.map((c) => c.find(name)).find(Boolean);
  }

  get text(): string {
    return [this.textContent ?? '', ...this.children.map(({ text }) => text)].join('\n');
  }

  get shown(): boolean {
    const display = (this.style.display ?? 'block') as string;
    if (!DISPLAYS.includes(display)) throw new Undocumented(`UXP does not know display: ${display}.`);
    return display !== 'none' && (!this.parent || this.parent.shown);
  }
}

/** A webview: what is posted travels as JSON, and only to a page that is there. */
export class FakeWebview extends FakeElement {
  private readonly pageListeners = new Set<(event: { readonly data: unknown }) => void>();
  alive = false;

  constructor(private readonly window: FakeWindow) {
    super('webview');
  }

  postMessage(message: unknown): void {
    if (!this.parent) throw new Error('The webview is not in the document.');
    if (!this.alive) return;
    const data: unknown = JSON.parse(JSON.stringify(message));
    setTimeout(() => {
      if (this.alive) for (const listener of this.pageListeners) listener({ data });
    }, 0);
  }

  /** Loads a page; returns the scope that its script finds. */
  load() {
    this.pageListeners.clear();
    this.alive = true;
    this.fire('loadstop', { url: this.attributes.get('src') });
    const post = (message: unknown): void => {
      const data: unknown = JSON.parse(JSON.stringify(message));
      setTimeout(() => {
        if (this.parent) this.window.deliver({ data, origin: 'file:///plugin/panel/index.html', source: this });
      }, 0);
    };
    return {
      uxpHost: { postMessage: post },
      addEventListener: (_: 'message', listener: (event: { readonly data: unknown }) => void) => {
        this.pageListeners.add(listener);
      },
      removeEventListener: (_: 'message', listener: (event: { readonly data: unknown }) => void) => {
        this.pageListeners.delete(listener);
      },
    };
  }

  kill(): void {
    this.alive = false;
    this.pageListeners.clear();
  }
}

export class FakeWindow {
  private readonly listeners = new Set<(event: never) => void>();

  addEventListener(name: string, listener: (event: never) => void): void {
    if (name !== 'message') throw new Undocumented(`window: ${name}`);
    this.listeners.add(listener);
  }

  removeEventListener(_name: string, listener: (event: never) => void): void {
    this.listeners.delete(listener);
  }

  deliver(event: { data: unknown; origin?: string; source?: unknown }): void {
    for (const listener of this.listeners) listener(event as never);
  }
}

/** UXP's `document` with Photoshop's theme. */
export class FakeUxpDocument {
  readonly made: FakeElement[] = [];
  current = 'dark';
  private readonly themed = new Set<(theme: string) => void>();

  constructor(private readonly window: FakeWindow) {}

  createElement(name: string): FakeElement {
    const element = name === 'webview' ? new FakeWebview(this.window) : new FakeElement(name);
    this.made.push(element);
    return element;
  }

  readonly theme = {
    getCurrent: (): string => this.current,
    onUpdated: { addListener: (listener: (theme: string) => void) => this.themed.add(listener) },
  };

  setTheme(theme: string): void {
    this.current = theme;
    for (const listener of this.themed) listener(theme);
  }
}
