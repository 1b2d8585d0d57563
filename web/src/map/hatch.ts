import { noData, noDataLine } from "./palette.ts";

/** The pattern of regions without data: grey with diagonals, so that it is not read as a class. */
export function hatchImage(): { width: number; height: number; data: Uint8ClampedArray } {
  const size = 16;
  const data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const color = (x + y) % 8 < 2 ? noDataLine : noData;
      for (let c = 0; c < 3; c++) {
        data[(y * size + x) * 4 + c] = parseInt(color.slice(1 + 2 * c, 3 + 2 * c), 16);
      }
      data[(y * size + x) * 4 + 3] = 255;
    }
  }
  return { width: size, height: size, data };
}
