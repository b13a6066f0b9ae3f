export { IccError, type IccErrorCode } from './errors';
export { type Curve, type Transfer, makeTransfer } from './curve';
export {
  SRGB,
  SRGB_CURVE,
  SRGB_PRIMARIES,
  D65,
  DISPLAY_P3,
  ADOBE_RGB,
  PROPHOTO_RGB,
  KNOWN_SPACES,
  type KnownSpace,
  type RgbSpace,
  type GreySpace,
  type ColorSpace,
  type Chromaticity,
  type Primaries,
  spaceOfPrimaries,
} from './spaces';
export { parseProfile, type Profile } from './parse';
export { recogniseSpace } from './recognise';
export { writeMatrixProfile, type MatrixProfileOptions } from './write';
export { bakeInSpace, retouchInSpace, bakeGrey } from './bake';
export { toSrgb, greyToSrgb, neutralIn } from './toSrgb';
export { deviceLinkProfile, type DeviceLinkOptions } from './deviceLink';
