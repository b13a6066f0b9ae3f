import { type Triple } from '../convert';

/** 3x3 matrix, rows first. */
export type Matrix3 = readonly [Readonly<Triple>, Readonly<Triple>, Readonly<Triple>];

/** `m` times the column vector `v`. */
export function transform(m: Matrix3, v: Readonly<Triple>): Triple {
  return [dot(m[0], v), dot(m[1], v), dot(m[2], v)];
}

/** The matrix that does `b` first, then `a`. */
export function product(a: Matrix3, b: Matrix3): Matrix3 {
  const columns = transpose(b);
  return [transform(columns, a[0]), transform(columns, a[1]), transform(columns, a[2])];
}

function transpose(m: Matrix3): Matrix3 {
  return [
    [m[0][0], m[1][0], m[2][0]],
    [m[0][1], m[1][1], m[2][1]],
    [m[0][2], m[1][2], m[2][2]],
  ];
}

/** Each column of `m` times the component of `scale` that belongs to it. */
export function scaleColumns(m: Matrix3, scale: Readonly<Triple>): Matrix3 {
  const row = (r: Readonly<Triple>): Triple => [r[0] * scale[0], r[1] * scale[1], r[2] * scale[2]];
  return [row(m[0]), row(m[1]), row(m[2])];
}

/** Columns that span less than this are shades of two colours, or of one. The primaries of sRGB span 0.2. */
const LEAST_VOLUME = 1e-4;

/** Whether the columns, as primaries, span a space, so that there is an inverse. */
export function spansSpace(m: Matrix3): boolean {
  return Math.abs(determinant(m)) >= LEAST_VOLUME;
}

/** The inverse of a matrix that has one. */
export function inverse(m: Matrix3): Matrix3 {
  const d = 1 / determinant(m);
  const columns: Matrix3 = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
  return scaleColumns(transpose(columns), [d, d, d]);
}

function determinant(m: Matrix3): number {
  return dot(m[0], cross(m[1], m[2]));
}

function dot(a: Readonly<Triple>, b: Readonly<Triple>): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Readonly<Triple>, b: Readonly<Triple>): Triple {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
