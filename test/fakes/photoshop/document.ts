import { type Modal } from './modal';
import { composite, type Picture } from './composite';
import { CONSTANTS, copyState, fingerprint, find, insert, type Node, type State, top } from './model';
import { checkOptions, strict, Undocumented } from './strict';

let nextId = 100;
export const newId = (): number => nextId++;

interface HistoryState {
  readonly id: number;
  readonly name: string;
  readonly state: State;
}

const BITS = { 1: 'ONE', 8: 'EIGHT', 16: 'SIXTEEN', 32: 'THIRTYTWO' } as const;

/** A document with its history; `dom` is what a plugin sees of it. */
export class FakeDocument {
  readonly id = newId();
  closed = false;
  quickMaskMode = false;
  artboards = 0;
  readonly history: HistoryState[];
  at = 0;
  readonly dom: object;
  private suspended: { name: string; before: State; changed: boolean } | undefined;

  constructor(
    public name: string,
    public state: State,
    private readonly modal: Modal,
  ) {
    this.history = [{ id: newId(), name: 'Open', state: copyState(state) }];
    this.dom = this.makeDom();
  }

  get print(): string {
    return fingerprint(this.state);
  }

  /** Something was changed: one more state of history, or a part of the one that is to come. */
  changed(name: string): void {
    if (this.suspended) this.suspended.changed = true;
    else this.push(name);
  }

  /** A change by the person in front of Photoshop. */
  edit(name: string, change: (state: State) => void): void {
    change(this.state);
    this.push(name);
  }

  undo(): void {
    if (this.at === 0) throw new Error('Nothing to undo.');
    this.state = copyState(this.history[--this.at].state);
  }

  redo(): void {
    this.state = copyState(this.history[++this.at].state);
  }

  suspend(name: string): void {
    if (this.suspended) throw new Error('The history of this document is already suspended.');
    this.suspended = { name, before: copyState(this.state), changed: false };
  }

  resume(commit: boolean): void {
    const { suspended } = this;
    if (!suspended) return;
    this.suspended = undefined;
    if (!commit) this.state = suspended.before;
    else if (suspended.changed) this.push(suspended.name);
  }

  /** 8-bit sRGB-like numbers of what is shown, for tests: the document's own values from 0 to 1. */
  shown(): Float64Array {
    return composite(this.state).data;
  }

  node(id: number): Node {
    const found = find(this.state, id);
    if (!found) throw new Error(`There is no layer ${id}.`);
    return found.node;
  }

  private push(name: string): void {
    this.history.splice(this.at + 1);
    this.history.push({ id: newId(), name, state: copyState(this.state) });
    this.at = this.history.length - 1;
  }

  private makeDom(): object {
    const open = <T>(value: () => T): T => {
      if (this.closed) throw new Error('The document is closed.');
      return value();
    };
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- accessors of the object below have a `this` of their own
    const self = this;
    return strict('Document', {
      get id() {
        return self.id;
      },
      get name() {
        return open(() => self.name);
      },
      get width() {
        return open(() => self.state.width);
      },
      get height() {
        return open(() => self.state.height);
      },
      get mode() {
        return open(() => CONSTANTS.DocumentMode[self.state.mode]);
      },
      get bitsPerChannel() {
        return open(() => CONSTANTS.BitsPerChannelType[BITS[self.state.bits]]);
      },
      get colorProfileName() {
        return open(() => (self.state.profile === '' ? 'None' : self.state.profile));
      },
      get colorProfileType() {
        return open(() => CONSTANTS.ColorProfileType[self.state.profile === '' ? 'NONE' : 'CUSTOM']);
      },
      get quickMaskMode() {
        return open(() => self.quickMaskMode);
      },
      get artboards() {
        return open(() => Array.from({ length: self.artboards }, () => ({})));
      },
      get activeHistoryState() {
        return open(() => ({ id: self.history[self.at].id, name: self.history[self.at].name }));
      },
      get layers() {
        return open(() => self.state.layers.map(({ id }) => self.layer(id)));
      },
      get activeLayers() {
        return open(() => self.state.active.map((id) => self.layer(id)));
      },
      get selection() {
        return open(() => strict('Selection', { bounds: self.selectionBounds() }));
      },
      createLayerGroup: (options: unknown) => this.create('createLayerGroup', options, []),
      createPixelLayer: (options: unknown) => this.create('createPixelLayer', options, undefined),
    });
  }

  private async create(call: string, options: unknown, children: Node[] | undefined): Promise<object> {
    this.modal.enter(call);
    checkOptions(call, options, ['name', 'opacity', 'blendMode']);
    const { name = 'Layer', opacity = 100, blendMode } = options as Partial<Node>;
    const usual = children ? CONSTANTS.BlendMode.PASSTHROUGH : CONSTANTS.BlendMode.NORMAL;
    const node: Node = {
      ...{ id: newId(), name, opacity, visible: true, allLocked: false, background: false },
      kind: children ? CONSTANTS.LayerKind.GROUP : CONSTANTS.LayerKind.NORMAL,
      blendMode: blendMode ?? usual,
      ...(children ? { children } : {}),
    };
    insert(this.state, node);
    this.changed(call);
    return this.layer(node.id);
  }

  layer(id: number): object {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- accessors of the object below have a `this` of their own
    const self = this;
    const node = (): Node => {
      if (this.closed) throw new Error('The document is closed.');
      return this.node(id);
    };
    const write = (property: string, change: (node: Node) => void): void => {
      this.modal.enter(`layer.${property}`);
      change(node());
      // Photoshop keeps no state of history for what is shown and hidden.
      if (property !== 'visible') this.changed(property);
      else if (this.suspended) this.suspended.changed = true;
    };
    return strict('Layer', {
      get id() {
        return id;
      },
      get name() {
        return node().name;
      },
      set name(value: string) {
        write('name', (layer) => (layer.name = value));
      },
      get kind() {
        return node().kind;
      },
      get visible() {
        return node().visible;
      },
      set visible(value: boolean) {
        write('visible', (layer) => (layer.visible = value));
      },
      get opacity() {
        return node().opacity;
      },
      set opacity(value: number) {
        write('opacity', (layer) => (layer.opacity = value));
      },
      get blendMode() {
        return node().blendMode;
      },
      set blendMode(value: string) {
        write('blendMode', (layer) => (layer.blendMode = value));
      },
      get allLocked() {
        return node().allLocked;
      },
      get bounds() {
        return opaqueBounds(composite(self.state, { ...node(), visible: true }));
      },
      get parent() {
        const { parent } = find(self.state, id)!;
        return parent ? self.layer(parent.id) : null;
      },
      get layers() {
        return node().children?.map((child) => self.layer(child.id));
      },
      move: (relative: { id: number }, placement: string) => {
        this.modal.enter('layer.move');
        this.move(id, relative.id, placement);
        this.changed('Move');
      },
      delete: () => {
        this.modal.enter('layer.delete');
        this.remove(id);
        this.changed('Delete');
      },
    });
  }

  private remove(id: number): void {
    const { node, list } = find(this.state, id)!;
    if (node.allLocked) throw new Error('Could not complete the command because the layer is locked.');
    const place = list.indexOf(node);
    list.splice(place, 1);
    const next = list.at(Math.min(place, list.length - 1));
    this.state.active = next ? [next.id] : [];
  }

  private move(id: number, relative: number, placement: string): void {
    const { node, list } = find(this.state, id)!;
    const target = find(this.state, relative);
    if (!target || target.node === node) throw new Error('move: the layer to move to is not there.');
    if (node.background || node.allLocked) throw new Error('Could not move: the layer is locked.');
    const { PLACEBEFORE, PLACEAFTER, PLACEINSIDE } = CONSTANTS.ElementPlacement;
    if (placement === PLACEINSIDE && (!target.node.children || target.node.allLocked))
      throw new Error('move: only an unlocked group takes layers inside.');
    if (![PLACEBEFORE, PLACEAFTER, PLACEINSIDE].includes(placement))
      throw new Undocumented(`move: the placement "${placement}" is not documented.`);
    list.splice(list.indexOf(node), 1);
    // Nothing documented says where inside a group a layer comes to lie: here it is the bottom, as some report.
    if (placement === PLACEINSIDE) target.node.children!.push(node);
    else target.list.splice(target.list.indexOf(target.node) + (placement === PLACEAFTER ? 1 : 0), 0, node);
  }

  private selectionBounds(): Box | null {
    const { selection, width } = this.state;
    return selection ? boundsOf(width, selection.length, (i) => selection[i] > 0) : null;
  }

  /** The selection becomes the mask of a layer, and is gone. */
  maskFromSelection(node: Node): void {
    const { selection, bits } = this.state;
    if (!selection) return;
    const scale = top(bits) / 255;
    node.mask = bits === 16 ? Uint16Array.from(selection, (v) => Math.round(v * scale)) : selection.slice();
    this.state.selection = undefined;
  }
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function opaqueBounds({ width, height, channels, data }: Picture): Box {
  return boundsOf(width, width * height, (i) => data[i * (channels + 1) + channels] > 0);
}

function boundsOf(width: number, pixels: number, has: (pixel: number) => boolean): Box {
  const box = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
  for (let i = 0; i < pixels; i++) {
    if (!has(i)) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    box.left = Math.min(box.left, x);
    box.top = Math.min(box.top, y);
    box.right = Math.max(box.right, x + 1);
    box.bottom = Math.max(box.bottom, y + 1);
  }
  return box.right === 0 ? { left: 0, top: 0, right: 0, bottom: 0 } : box;
}
