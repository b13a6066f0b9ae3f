import * as ort from 'onnxruntime-web/webgpu';
import { createOrtBackend, parametersFromValues, Retoucher } from '../../src/inference';

/** What runs in the browser for answerPrompts.mjs: a bundle that the page fetches, answering prompts. */

interface Prompt {
  readonly mode: 'auto' | 'style' | 'param';
  readonly image?: { readonly width: number; readonly height: number; readonly rgbBase64: string };
  readonly instruction?: string;
  readonly params?: number[];
}

async function bytesOf(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} was not served (${response.status})`);
  return response.arrayBuffer();
}

async function answer(device: 'wasm' | 'webgpu') {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await bytesOf('/runtime.wasm');
  const source = { read: async (name: string) => new Uint8Array(await bytesOf(`/bundle/${name}`)) };
  const retoucher = await Retoucher.load(source, createOrtBackend(ort, { device }), { verify: 'used' });
  const { cases } = JSON.parse(new TextDecoder().decode(await bytesOf('/prompts.json'))) as { cases: Prompt[] };
  const answers = [];
  for (const { mode, image, instruction, params } of cases) {
    const data = image ? Uint8Array.from(atob(image.rgbBase64), (letter) => letter.charCodeAt(0)) : new Uint8Array();
    const photo = { width: image?.width ?? 0, height: image?.height ?? 0, data };
    const { tokens, reasoning, latents, timingsMs } = await (mode === 'param'
      ? retoucher.param(parametersFromValues(params!))
      : mode === 'style'
        ? retoucher.style(photo, instruction!)
        : retoucher.auto(photo));
    answers.push({ tokens, reasoning, latents: Array.from(latents), timingsMs });
  }
  return { loadMs: retoucher.loadMs, answers };
}

Object.assign(globalThis, { answerPrompts: answer });
