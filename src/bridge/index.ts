export {
  Channel,
  type ChannelOptions,
  type Handler,
  type Parcel,
  type RequestContext,
  type RequestOptions,
} from './channel';
export { crc32 } from './checksum';
export { BridgeCancelled, BridgeError, type BridgeErrorCode, type WireError } from './errors';
export { type LinkCounts, type Port } from './link';
