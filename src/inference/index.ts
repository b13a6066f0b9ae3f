export { LUT_LIMITS, type BakedLut, type LutError } from './bake';
export { createOrtBackend, type Backend, type Device, type OrtBackendOptions, type OrtModule } from './backend';
export { Bundle, type BundleSource, type VerifyProgress } from './bundle';
export { type TextEvent } from './decoder';
export { BundleError, CancelledError, InferenceError, InputError } from './errors';
export { type DeviceKey, type Field, type Manifest, type Mode } from './manifest';
export { type MemoryNeeds, type Terms } from './manifest2';
export { checkMemory, type AvailableMemory } from './memory';
export { isMonochrome, isMonochromeSliders } from './monochrome';
export {
  FACTORS,
  PARAMETER_NAMES,
  parametersFromSliders,
  parametersFromValues,
  parseParameters,
  type Factor,
  type Parameters,
} from './params';
export { type RgbImage } from './preprocess';
export * from './presets';
export { MAX_STRENGTH, type Strength } from './render';
export {
  type BakeOptions,
  type CallOptions,
  type Capabilities,
  type FactorTexts,
  type LoadOptions,
  type LoadProgress,
  type ParamOptions,
  type Reasoning,
  type RetouchResult,
} from './result';
export { Retoucher } from './retoucher';
export { plainText, readTerms, type ReadTerms } from './terms';
