import { type Engine, type EngineLoader, type OpenedModel } from '../../../src/cli/engine';
import { Lut3D } from '../../../src/color';
import { type Mode, type ParamOptions, type RetouchResult } from '../../../src/inference';

export interface Call {
  readonly mode: Mode;
  readonly argument?: unknown;
  readonly wordless?: boolean | undefined;
  /** The photo that parameters are meant for. */
  readonly photo?: unknown;
}

/** Stands in for the model where the command line alone is tested: says fixed sentences, bakes the identity. */
export function fakeEngine(calls: Call[], onCall: (call: Call) => void = () => undefined): Engine {
  const answer = (mode: Mode, options: ParamOptions | undefined, argument?: unknown): Promise<RetouchResult> => {
    const call = { mode, argument, wordless: options?.wordless, photo: options?.photo };
    calls.push(call);
    onCall(call);
    options?.onText?.({ field: 'elements', text: 'a', done: false });
    options?.onText?.({ field: 'elements', text: ' hill', done: true });
    options?.onText?.({ field: 'plan.light', text: 'Brighter.', done: true });
    const texts = { light: '', globalColor: '', specificColor: '' };
    return Promise.resolve({
      mode,
      latents: new Float32Array(3),
      reasoning: { elements: 'a hill', problems: texts, plan: { ...texts, light: 'Brighter.' } },
      tokens: 5,
      tokenIds: [1, 2, 3, 4, 5],
      timingsMs: { load: 1, vision: 2, prefill: 3, decode: 4, picture: 9 },
    });
  };
  return {
    manifest: { name: 'fake', version: '1.2.3' } as Engine['manifest'],
    loadMs: 0,
    auto: (image, options) => answer('auto', options, image),
    style: (_image, text, options) => answer('style', options, text),
    param: (parameters, options) => answer('param', options, parameters),
    reference: (before, after, options) => answer('reference', options, [before, after]),
    bakeMeasuredLut: (_latents, options) => {
      calls.push({ mode: 'auto', argument: options?.strength });
      return Promise.resolve({ lut: Lut3D.identity(2), error: { mean: 0, p99: 0, max: 0 } });
    },
    dispose: () => Promise.resolve(),
  };
}

/** An opened model that is made by `load` when it is first needed. */
export function fakeModel(load: EngineLoader): OpenedModel {
  return { manifest: { name: 'fake', version: '1.2.3', latentsFirst: true }, terms: undefined, load };
}
