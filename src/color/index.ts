export { VeraRetouchError, ColorError, type ErrorDetails, type ColorErrorCode } from './errors';
export { Lut3D, gridPoints, MIN_LUT_SIZE, MAX_LUT_SIZE, type ColorFunction } from './lut3d';
export { type PixelArray, type ApplyOptions } from './tetrahedral';
export { formatCube, formatCubeBytes, type CubeOptions } from './cube-write';
export { parseCube, type CubeFile } from './cube-read';
export { srgbToLinear, linearToSrgb, srgbToLab, linearToLab, labToSrgb, type Triple } from './convert';
export { deltaE2000, imageDifference, type ImageDifference } from './difference';
export { imageStatistics, type ImageStatistics, type Distribution } from './statistics';
export * from './icc';
