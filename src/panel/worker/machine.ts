import { type AvailableMemory, type Device, type DeviceKey } from '../../inference';

/** What a page and its worker can ask of the machine. */
export interface MachineScope {
  readonly navigator: {
    readonly gpu?: { requestAdapter(options?: object): Promise<Adapter | null> } | undefined;
    /** GiB, rounded and at most 8 or so; not every browser tells. */
    readonly deviceMemory?: number | undefined;
  };
}

export interface Adapter {
  readonly features: ReadonlySet<string>;
  readonly limits?: { readonly maxBufferSize: number; readonly maxStorageBufferBindingSize: number } | undefined;
  readonly info?:
    | {
        readonly vendor: string;
        readonly architecture: string;
        readonly description: string;
        readonly isFallbackAdapter?: boolean;
      }
    | undefined;
}

export interface MachineDevice {
  readonly device: Device;
  /** The key of bundle.json that fits it. */
  readonly key: Exclude<DeviceKey, 'default'>;
  readonly available: AvailableMemory;
  /** Is it a program that stands in for a graphics card? */
  readonly software: boolean;
}

/** All that wasm can address. The runtime's own memory is there for the GPU too: weights pass through it. */
const WASM_BYTES = 2 ** 32;

export function adapterOf(scope: MachineScope): Promise<Adapter | null> {
  return scope.navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }) ?? Promise.resolve(null);
}

export function wasmDevice({ navigator }: MachineScope): MachineDevice {
  return { device: 'wasm', key: 'wasm', available: { page: pageBytes(navigator.deviceMemory) }, software: false };
}

export function gpuDevice({ navigator }: MachineScope, adapter: Adapter): MachineDevice {
  const { limits, features, info } = adapter;
  const { architecture = '', description = '', isFallbackAdapter = false } = info ?? {};
  return {
    device: 'webgpu',
    key: features.has('shader-f16') ? 'webgpu-f16' : 'webgpu',
    available: {
      page: pageBytes(navigator.deviceMemory),
      // No page is told how much memory a graphics card has; what one buffer may hold is.
      ...(limits ? { largestBuffer: Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) } : {}),
    },
    software: isFallbackAdapter || /swiftshader|llvmpipe|basic render/i.test(`${architecture} ${description}`),
  };
}

/** The devices that are there, of those that are to be tried. */
export async function devicesOf(
  scope: MachineScope,
  devices: readonly Device[],
  software: boolean,
): Promise<readonly MachineDevice[]> {
  const adapter = devices.includes('webgpu') ? await adapterOf(scope).catch(() => null) : null;
  return devices.flatMap((device) => {
    if (device === 'wasm') return [wasmDevice(scope)];
    if (device !== 'webgpu' || !adapter) return [];
    const gpu = gpuDevice(scope, adapter);
    return gpu.software && !software ? [] : [gpu];
  });
}

function pageBytes(gibibytes: number | undefined): number {
  return gibibytes === undefined ? WASM_BYTES : Math.min(WASM_BYTES, gibibytes * 2 ** 30);
}
