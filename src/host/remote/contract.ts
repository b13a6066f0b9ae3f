import { BridgeError } from '../../bridge';
import { type KeptFolder, type ModelFolder, MOST_PIECE } from '../folders';
import {
  type DocumentInfo,
  type DocumentProxy,
  type HostEvent,
  type Output,
  type PanelApplied,
  type PanelHost,
  type PanelRetouch,
  type StoredRetouch,
  type Theme,
} from '../panelHost';

/*
 * What page and host say to each other over the bridge: the methods of PanelHost by their names, their values as JSON,
 * pixels and LUTs as bytes beside it. What arrives is checked here before it is used, on both sides.
 */

export const METHODS = {
  greet: 'greet',
  describe: 'describe',
  openDocuments: 'openDocuments',
  readProxy: 'readProxy',
  apply: 'apply',
  readRetouch: 'readRetouch',
  pickFile: 'pickFile',
  saveFile: 'saveFile',
  readSettings: 'readSettings',
  writeSettings: 'writeSettings',
  readAsset: 'readAsset',
  chooseFolder: 'chooseFolder',
  keptFolder: 'keptFolder',
  permitFolder: 'permitFolder',
  keepFolder: 'keepFolder',
  forgetFolder: 'forgetFolder',
  fileSize: 'fileSize',
  readPiece: 'readPiece',
} as const;

/** The name of the bridge's event that carries a HostEvent. */
export const HOST_EVENT = 'host';

const OUTPUTS: readonly unknown[] = ['lookup', 'pixels', 'cube', 'png', 'psd'] satisfies Output[];
const THEMES: readonly unknown[] = ['lightest', 'light', 'dark', 'darkest'] satisfies Theme[];
/** Side of the largest picture that a page may ask for, and the largest grid of a LUT. */
const LONGEST_EDGE = 8192;
const LARGEST_LUT = 129;

type Fields = Readonly<Record<string, unknown>>;

export type Greeting = Pick<PanelHost, 'kind' | 'abilities' | 'locale'>;

export function greeting(value: unknown): Greeting {
  const { kind, abilities, locale } = fields('greeting', value);
  need('greeting', (kind === 'photoshop' || kind === 'browser') && isOptionalText(locale));
  const { outputs, otherDocuments } = fields('abilities', abilities);
  need('abilities', isList(outputs) && outputs.every((one) => OUTPUTS.includes(one)));
  need('abilities', typeof otherDocuments === 'boolean');
  return value as Greeting;
}

export function documentInfo(value: unknown): DocumentInfo {
  const { id, name, width, height, description, refusal } = fields('document', value);
  need('document', isText(id) && isText(name) && isText(description) && isOptionalText(refusal));
  need('document', isSize(width) && isSize(height));
  return value as DocumentInfo;
}

export function documentInfos(value: unknown): DocumentInfo[] {
  need('documents', isList(value));
  return (value as unknown[]).map(documentInfo);
}

export function proxyRequest(value: unknown): { longEdge: number; id?: string } {
  const { longEdge, id } = fields('reading', value);
  need('reading', isSize(longEdge) && (longEdge as number) <= LONGEST_EDGE && isOptionalText(id));
  return value as { longEdge: number; id?: string };
}

export function documentProxy(value: unknown, bytes: readonly Uint8Array[] | undefined): DocumentProxy {
  const { width, height, document, state, notes } = fields('picture', value);
  need('picture', isSize(width) && isSize(height) && isText(state) && isTexts(notes));
  documentInfo(document);
  const data = bytes?.[0];
  if (data?.length !== (width as number) * (height as number) * 3) throw wrong('picture');
  return { ...(value as Omit<DocumentProxy, 'data'>), data };
}

export function retouch(value: unknown, bytes: readonly Uint8Array[] | undefined): PanelRetouch {
  const { size, state, output, name, story, replaces, provenance } = fields('retouch', value);
  need('retouch', isSize(size) && (size as number) >= 2 && (size as number) <= LARGEST_LUT);
  need('retouch', isText(state) && isText(name) && isTexts(story) && isOptionalText(replaces));
  need('retouch', OUTPUTS.includes(output) && provenance !== undefined);
  if (bytes?.[0]?.length !== (size as number) ** 3 * 12) throw wrong('retouch');
  const rest = value as Omit<PanelRetouch, 'lut'>;
  return { ...rest, lut: { size: size as number, data: toFloats(bytes[0]) } };
}

export function applied(value: unknown): PanelApplied {
  const { output, layer, notes } = fields('result', value);
  need('result', OUTPUTS.includes(output) && isOptionalText(layer) && isTexts(notes));
  return value as PanelApplied;
}

export function storedRetouch(value: unknown): StoredRetouch {
  const { layer, document } = fields('retouch', value);
  need('retouch', isText(layer) && isOptionalText(document) && 'provenance' in (value as object));
  return value as StoredRetouch;
}

export function fileKind(value: unknown): 'photo' | 'preset' | 'bundle' {
  const { kind } = fields('choice of a file', value);
  need('choice of a file', kind === 'photo' || kind === 'preset' || kind === 'bundle');
  return kind as 'photo';
}

export function fileName(value: unknown): string {
  const { name } = fields('file', value);
  need('file', isText(name) && name !== '');
  return name as string;
}

export function modelFolder(value: unknown): ModelFolder {
  const { id, name } = fields('folder', value);
  need('folder', isText(id) && isText(name));
  return value as ModelFolder;
}

export function keptFolder(value: unknown): KeptFolder {
  modelFolder(value);
  need('folder', typeof (value as KeptFolder).asks === 'boolean');
  return value as KeptFolder;
}

export function folderId(value: unknown): string {
  const { id } = fields('folder', value);
  need('folder', isText(id));
  return id as string;
}

export function piece(value: unknown): { name: string; offset: number; length: number } {
  const { offset, length } = fields('piece of a file', value);
  need('piece of a file', isCount(offset) && isSize(length) && (length as number) <= MOST_PIECE);
  return { name: fileName(value), offset: offset as number, length: length as number };
}

export function pieceBytes(bytes: readonly Uint8Array[] | undefined, length: number): Uint8Array {
  const data = bytes?.[0];
  if (data?.length !== length) throw wrong('piece of a file');
  return data;
}

export function byteCount(value: unknown): number {
  need('size of a file', isCount(value));
  return value as number;
}

export function yesOrNo(value: unknown): boolean {
  need('answer', typeof value === 'boolean');
  return value as boolean;
}

/** Undefined for an event that this side does not know: a newer one may. */
export function hostEvent(value: unknown): HostEvent | undefined {
  const { kind, theme, command } = (value ?? {}) as Fields;
  const known =
    kind === 'document' ||
    (kind === 'theme' && THEMES.includes(theme)) ||
    (kind === 'command' && (command === 'auto' || command === 'repeat'));
  return known ? (value as HostEvent) : undefined;
}

/** Floats as bytes, least significant first, whatever the machine does. */
export function toBytes(floats: Float32Array): Uint8Array {
  const bytes = new Uint8Array(floats.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < floats.length; i++) view.setFloat32(4 * i, floats[i], true);
  return bytes;
}

function toFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function fields(what: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw wrong(what);
  return value as Fields;
}

function need(what: string, holds: boolean): void {
  if (!holds) throw wrong(what);
}

function wrong(what: string): BridgeError {
  return new BridgeError(
    'BRIDGE_PROTOCOL',
    `The message with the ${what} is not as it should be, and was not used. Nothing was changed.`,
    'Reload the panel; if it stays, install the plugin again.',
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isOptionalText = (value: unknown): boolean => value === undefined || isText(value);
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isTexts = (value: unknown): boolean => isList(value) && value.every(isText);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
