import { type ColorMap } from './deviceLink';

export type Mode = 'RGB' | 'GRAYSCALE' | 'LAB' | 'CMYK' | 'INDEXEDCOLOR' | 'BITMAP' | 'MULTICHANNEL' | 'DUOTONE';
export type Bits = 1 | 8 | 16 | 32;
export type Samples = Uint8Array | Uint16Array | Float32Array;

export const CHANNELS: Readonly<Record<Mode, number>> = {
  RGB: 3,
  GRAYSCALE: 1,
  LAB: 3,
  CMYK: 4,
  INDEXEDCOLOR: 1,
  BITMAP: 1,
  MULTICHANNEL: 2,
  DUOTONE: 1,
};

/** The values are Photoshop's own; a plugin takes them from here. */
const names = <K extends string>(values: Record<K, string>): Readonly<Record<K, string>> => values;
export const CONSTANTS = {
  DocumentMode: names<Mode>({
    RGB: 'RGBColorMode',
    GRAYSCALE: 'grayscaleMode',
    LAB: 'labColorMode',
    CMYK: 'CMYKColorMode',
    INDEXEDCOLOR: 'indexedColorMode',
    BITMAP: 'bitmapMode',
    MULTICHANNEL: 'multichannelMode',
    DUOTONE: 'duotoneMode',
  }),
  BitsPerChannelType: names({
    ONE: 'bitDepth1',
    EIGHT: 'bitDepth8',
    SIXTEEN: 'bitDepth16',
    THIRTYTWO: 'bitDepth32',
  }),
  ColorProfileType: names({ NONE: 'none', CUSTOM: 'custom', WORKING: 'working' }),
  ElementPlacement: names({ PLACEINSIDE: 'placeInside', PLACEBEFORE: 'placeBefore', PLACEAFTER: 'placeAfter' }),
  BlendMode: names({ PASSTHROUGH: 'passThrough', NORMAL: 'normal', MULTIPLY: 'multiply' }),
  LayerKind: names({ NORMAL: 'pixel', GROUP: 'group', COLORLOOKUP: 'colorLookup', SMARTOBJECT: 'smartObject' }),
};

/** A layer. Sample arrays are never changed in place: snapshots share them. */
export interface Node {
  id: number;
  name: string;
  kind: string;
  visible: boolean;
  opacity: number;
  blendMode: string;
  allLocked: boolean;
  background: boolean;
  /** Channels of the document's mode, then alpha, over the whole canvas. */
  pixels?: Samples;
  /** Over the whole canvas; from 0 to the top of the document's depth. */
  mask?: Samples | undefined;
  lookup?: { profile?: Uint8Array; map?: ColorMap | undefined } | undefined;
  xmp?: string | undefined;
  /** Of a group, topmost first. */
  children?: Node[];
}

/** All that undo restores. */
export interface State {
  width: number;
  height: number;
  mode: Mode;
  bits: Bits;
  /** Empty where the document has no profile. */
  profile: string;
  layers: Node[];
  active: number[];
  /** 0..255 over the whole canvas. */
  selection: Uint8Array | undefined;
}

export function copyState(state: State): State {
  const copy = (nodes: Node[]): Node[] =>
    nodes.map((node) => ({ ...node, ...(node.children ? { children: copy(node.children) } : {}) }));
  return { ...state, layers: copy(state.layers), active: [...state.active] };
}

export function top(bits: Bits): number {
  return bits === 16 ? 32768 : bits === 8 ? 255 : 1;
}

export function makeSamples(bits: Bits, length: number): Samples {
  if (bits === 16) return new Uint16Array(length);
  return bits === 32 ? new Float32Array(length) : new Uint8Array(length);
}

export interface Found {
  readonly node: Node;
  /** Where it is listed. */
  readonly list: Node[];
  readonly parent: Node | undefined;
}

export function find(state: State, id: number): Found | undefined {
  const search = (list: Node[], parent: Node | undefined): Found | undefined => {
    for (const node of list) {
      if (node.id === id) return { node, list, parent };
      const inside = node.children && search(node.children, node);
      if (inside) return inside;
    }
    return undefined;
  };
  return search(state.layers, undefined);
}

/** Where Photoshop puts something new: above the active layer, inside of an active group, else on top. */
export function insert(state: State, node: Node): void {
  const at = state.active.length > 0 ? find(state, state.active[0]) : undefined;
  if (at?.node.children && !at.node.allLocked) at.node.children.unshift(node);
  else if (at) at.list.splice(at.list.indexOf(at.node), 0, node);
  else state.layers.unshift(node);
  state.active = [node.id];
}

/** All that a person could tell: to compare documents bit by bit. */
export function fingerprint(state: State): string {
  const show = (node: Node): unknown => ({
    ...node,
    pixels: node.pixels && Buffer.from(node.pixels.buffer).toString('base64'),
    mask: node.mask && Buffer.from(node.mask.buffer).toString('base64'),
    lookup: node.lookup && Buffer.from(node.lookup.profile ?? []).toString('base64'),
    children: node.children?.map(show),
  });
  return JSON.stringify({
    ...state,
    layers: state.layers.map(show),
    selection: state.selection && Buffer.from(state.selection).toString('base64'),
  });
}
