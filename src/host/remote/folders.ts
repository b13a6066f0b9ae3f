import { type Parcel, type RequestOptions } from '../../bridge';
import { type Folders, type KeptFolder, type ModelFolder } from '../folders';
import { byteCount, keptFolder, type METHODS, modelFolder, pieceBytes, yesOrNo } from './contract';
import { NO_LIMIT_MS, READ_MS } from './limits';

export type Ask = (method: keyof typeof METHODS, parcel: Parcel, options?: RequestOptions) => Promise<Parcel>;

/** The folders of the host on the other side of a bridge. */
export class RemoteFolders implements Folders {
  constructor(private readonly ask: Ask) {}

  async choose(): Promise<ModelFolder | undefined> {
    const { value } = await this.ask('chooseFolder', { value: null }, { timeoutMs: NO_LIMIT_MS });
    return value === null ? undefined : modelFolder(value);
  }

  async kept(): Promise<KeptFolder | undefined> {
    const { value } = await this.ask('keptFolder', { value: null });
    return value === null ? undefined : keptFolder(value);
  }

  async permit(id: string): Promise<boolean> {
    return yesOrNo((await this.ask('permitFolder', { value: { id } }, { timeoutMs: NO_LIMIT_MS })).value);
  }

  async keep(id: string): Promise<boolean> {
    return yesOrNo((await this.ask('keepFolder', { value: { id } })).value);
  }

  async forget(): Promise<void> {
    await this.ask('forgetFolder', { value: null });
  }

  async size(id: string, name: string): Promise<number> {
    return byteCount((await this.ask('fileSize', { value: { id, name } }, { timeoutMs: READ_MS })).value);
  }

  async read(id: string, name: string, offset: number, length: number): Promise<Uint8Array> {
    const { bytes } = await this.ask('readPiece', { value: { id, name, offset, length } }, { timeoutMs: READ_MS });
    return pieceBytes(bytes, length);
  }
}
