import { BridgeError, type Handler } from '../../bridge';
import { type PanelHost } from '../panelHost';
import { fileKind, fileName, folderId, METHODS, piece, proxyRequest, retouch } from './contract';

/** A host's methods as handlers of a Channel: what a RemoteHost on the other side asks for. */
export function serveHost(host: PanelHost): Readonly<Record<keyof typeof METHODS, Handler>> {
  return {
    [METHODS.greet]: () =>
      Promise.resolve({ value: { kind: host.kind, abilities: host.abilities, locale: host.locale } }),
    [METHODS.describe]: async () => ({ value: (await host.describe()) ?? null }),
    [METHODS.openDocuments]: async () => ({ value: await host.openDocuments() }),
    [METHODS.readProxy]: async ({ value }, { signal }) => {
      const { data, ...rest } = await host.readProxy({ ...proxyRequest(value), signal });
      return { value: rest, bytes: [data] };
    },
    [METHODS.apply]: async ({ value, bytes }, { signal, progress }) => ({
      value: await host.apply(retouch(value, bytes), { signal, onProgress: progress }),
    }),
    [METHODS.readRetouch]: async () => ({ value: (await host.readRetouch()) ?? null }),
    [METHODS.pickFile]: async ({ value }) => {
      const file = await host.pickFile(fileKind(value));
      return file ? { value: { name: file.name }, bytes: [file.bytes] } : { value: null };
    },
    [METHODS.saveFile]: async ({ value, bytes }) => ({
      value: await host.saveFile(fileName(value), bytes?.[0] ?? new Uint8Array(0)),
    }),
    [METHODS.readSettings]: async () => ({ value: (await host.readSettings()) ?? null }),
    [METHODS.writeSettings]: async ({ value }) => {
      await host.writeSettings((value as { settings?: unknown } | null)?.settings);
      return { value: null };
    },
    [METHODS.readAsset]: async ({ value }) => {
      const name = fileName(value);
      if (!host.readAsset) throw new BridgeError('BRIDGE_PROTOCOL', `No file "${name}" is here.`, 'Reload the panel.');
      return { value: null, bytes: [await host.readAsset(name)] };
    },
    [METHODS.chooseFolder]: async () => ({ value: (await host.folders.choose()) ?? null }),
    [METHODS.keptFolder]: async () => ({ value: (await host.folders.kept()) ?? null }),
    [METHODS.permitFolder]: async ({ value }) => ({ value: await host.folders.permit(folderId(value)) }),
    [METHODS.keepFolder]: async ({ value }) => ({ value: await host.folders.keep(folderId(value)) }),
    [METHODS.forgetFolder]: async () => {
      await host.folders.forget();
      return { value: null };
    },
    [METHODS.fileSize]: async ({ value }) => ({
      value: await host.folders.size(folderId(value), fileName(value)),
    }),
    [METHODS.readPiece]: async ({ value }) => {
      const { name, offset, length } = piece(value);
      return { value: null, bytes: [await host.folders.read(folderId(value), name, offset, length)] };
    },
  };
}
