import { readDeviceLink } from './deviceLink';
import { type FakeDocument, newId } from './document';
import { type Modal } from './modal';
import { CONSTANTS, insert, makeSamples, type Node, top } from './model';
import { checkOptions, Undocumented } from './strict';

type Descriptor = Record<string, unknown>;

/** Whether this Photoshop takes what nobody documents: to play one that does not. */
export interface LookupQuirks {
  /** `ignored`: the profile is taken and has no effect, as with a text instead of one. `refused`: an error. */
  lookup: 'works' | 'ignored' | 'refused' | 'swapped';
  /** Is layer metadata kept? */
  metadata: boolean;
  /** What is answered for a layer that has none. */
  bare: 'nothing' | 'error';
}

/** `action.batchPlay` for the commands that the plugin uses, word for word; any other one throws. */
export class BatchPlay {
  constructor(
    private readonly modal: Modal,
    private readonly documentOf: (id: unknown) => FakeDocument,
    private readonly activeDocument: () => FakeDocument | undefined,
    private readonly quirks: LookupQuirks,
  ) {}

  async play(commands: unknown, options: unknown): Promise<Descriptor[]> {
    this.check(commands, options);
    const results: Descriptor[] = [];
    for (const command of commands as Descriptor[]) {
      const reading = command._obj === 'get';
      if (!reading) this.modal.enter(`batchPlay ${nameOf(command)}`);
      try {
        results.push(this.run(command));
      } catch (error) {
        if (error instanceof Undocumented) throw error;
        results.push({ _obj: 'error', message: (error as Error).message, result: -25920 });
        break;
      }
    }
    return results;
  }

  private check(commands: unknown, options: unknown): void {
    if (!Array.isArray(commands)) throw new Error('Argument 1 has an invalid type. Expected type: array');
    checkOptions('batchPlay', options, []);
  }

  private run(command: Descriptor): Descriptor {
    const name = nameOf(command);
    switch (name) {
      case 'make adjustmentLayer':
        return this.makeLookup(command);
      case 'make channel':
        return this.makeMask(command);
      case 'set adjustmentLayer':
        return this.setLookup(command);
      case 'set metadata':
        return this.setMetadata(command);
      case 'get metadata': {
        const node = this.layerOf(command);
        if (node.xmp === undefined && this.quirks.bare === 'error')
          throw new Error('The property is not currently available.');
        return node.xmp === undefined ? {} : { metadata: { _obj: 'metadata', layerXMP: node.xmp } };
      }
      case 'get hasUserMask':
        return { hasUserMask: this.layerOf(command).mask !== undefined };
      case 'select layer': {
        checkOptions('select', command, ['_obj', '_target', 'makeVisible']);
        const node = this.layerOf(command);
        this.documentOfTarget(command).state.active = [node.id];
        return {};
      }
      default:
        throw new Undocumented(`batchPlay: "${name}" is not part of this stand-in.`);
    }
  }

  private makeLookup(command: Descriptor): Descriptor {
    expectShape(command, {
      _obj: 'make',
      _target: [{ _ref: 'adjustmentLayer' }],
      using: { _obj: 'adjustmentLayer', type: { _obj: 'colorLookup' } },
    });
    const document = this.front();
    const { state } = document;
    if (state.mode !== 'RGB' || state.bits === 32 || this.quirks.lookup === 'refused')
      throw new Error('The command “Make” is not currently available.');
    const node: Node = {
      ...{ id: newId(), name: 'Color Lookup 1', visible: true, opacity: 100, allLocked: false, background: false },
      kind: CONSTANTS.LayerKind.COLORLOOKUP,
      blendMode: CONSTANTS.BlendMode.NORMAL,
      lookup: {},
    };
    insert(state, node);
    document.maskFromSelection(node);
    document.changed('Color Lookup Layer');
    return { _obj: 'make', layerID: node.id };
  }

  private setLookup(command: Descriptor): Descriptor {
    checkOptions('set', command, ['_obj', '_target', 'to'], ['to']);
    const [reference] = command._target as Descriptor[];
    if (reference._enum !== 'ordinal' || reference._value !== 'targetEnum')
      throw new Undocumented('A Color Lookup layer is set as the target layer.');
    const document = this.front();
    const node = document.node(document.state.active[0]);
    if (!node.lookup) throw new Error('The object “adjustment layer” is not currently available.');
    const { to } = command as { to: Descriptor };
    const known = ['_obj', 'lookupType', 'name', 'dither', 'profile', 'LUTFormat', 'LUT3DFileData', 'LUT3DFileName'];
    checkOptions('colorLookup', to, known, ['lookupType']);
    expectShape(to.lookupType, { _enum: 'colorLookupType', _value: '3DLUT' });
    if (to.LUTFormat) expectShape(to.LUTFormat, { _enum: 'LUTFormatType', _value: 'LUTFormatCUBE' });
    const profile = raw(to.profile);
    const taken = this.quirks.lookup === 'ignored' ? undefined : profile;
    const map = taken && readDeviceLink(taken);
    const swapped = map && ((r: number, g: number, b: number) => map(b, g, r));
    node.lookup = { ...(taken ? { profile: taken } : {}), map: this.quirks.lookup === 'swapped' ? swapped : map };
    document.changed('Modify Color Lookup Layer');
    return {};
  }

  private makeMask(command: Descriptor): Descriptor {
    const { using } = command as { using: Descriptor };
    const wanted = using._value as string;
    expectShape(command, {
      _obj: 'make',
      new: { _class: 'channel' },
      at: { _ref: 'channel', _enum: 'channel', _value: 'mask' },
      using: { _enum: 'userMaskEnabled', _value: wanted },
    });
    if (!['revealSelection', 'revealAll'].includes(wanted)) throw new Undocumented(`mask: ${wanted}`);
    const document = this.front();
    const { state } = document;
    const node = document.node(state.active[0]);
    if (node.mask) throw new Error('The layer has a mask already.');
    // Layer > Layer Mask > Reveal Selection is there only while something is selected.
    if (wanted === 'revealSelection' && !state.selection) throw new Error('The command "Make" is not available.');
    if (wanted === 'revealSelection') document.maskFromSelection(node);
    else node.mask = makeSamples(state.bits, state.width * state.height).fill(top(state.bits));
    document.changed('Add Layer Mask');
    return {};
  }

  private setMetadata(command: Descriptor): Descriptor {
    checkOptions('set', command, ['_obj', '_target', 'to'], ['to']);
    const { to } = command as { to: Descriptor };
    checkOptions('metadata', to, ['_obj', 'layerXMP'], ['layerXMP']);
    if (!this.quirks.metadata && this.quirks.bare === 'error')
      throw new Error('The command is not currently available.');
    const xmp = to.layerXMP as string;
    if (!xmp.startsWith('<?xpacket')) throw new Error('The metadata are not XMP.');
    if (this.quirks.metadata) this.layerOf(command).xmp = rewritten(xmp);
    this.documentOfTarget(command).changed('Metadata');
    return {};
  }

  private front(): FakeDocument {
    const document = this.activeDocument();
    if (!document) throw new Error('The object “current document” is not currently available.');
    return document;
  }

  private documentOfTarget(command: Descriptor): FakeDocument {
    const target = (command._target as Descriptor[]).find(({ _ref }) => _ref === 'document');
    if (!target) throw new Undocumented('Without its document the target would be in whichever one is in front.');
    return this.documentOf(target._id);
  }

  private layerOf(command: Descriptor): Node {
    const target = (command._target as Descriptor[]).find(({ _ref }) => _ref === 'layer');
    if (typeof target?._id !== 'number') throw new Undocumented('The target layer is named by its id.');
    return this.documentOfTarget(command).node(target._id);
  }
}

function nameOf(command: Descriptor): string {
  const made = (command.new as Descriptor | undefined)?._class;
  const [first] = (command._target ?? [{}]) as Descriptor[];
  return `${String(command._obj)} ${String(made ?? first._property ?? first._ref)}`;
}

function expectShape(value: unknown, shape: unknown): void {
  if (JSON.stringify(value) !== JSON.stringify(shape))
    throw new Undocumented(`batchPlay: ${JSON.stringify(value)} instead of ${JSON.stringify(shape)}`);
}

/** Bytes in a descriptor. Anything else (a path, a text, an array) is taken by Photoshop in silence, without effect. */
function raw(value: unknown): Uint8Array | undefined {
  const { _rawData, _data } = (value ?? {}) as Descriptor;
  if (_rawData !== 'base64' || typeof _data !== 'string') return undefined;
  return Uint8Array.from(Buffer.from(_data, 'base64'));
}

/** Photoshop writes XMP in its own way: simple properties become attributes of their description. */
function rewritten(xmp: string): string {
  const simple = /\s*<(veraretouch:\w+)>([^<]*)<\/\1>/g;
  const attributes = [...xmp.matchAll(simple)].map(([, name, text]) => ` ${name}="${text}"`).join('');
  return xmp.replace(simple, '').replace(/ rdf:about=""/, ` rdf:about=""${attributes}`);
}
