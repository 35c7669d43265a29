// What trajectory_gif.js uses of gifenc, which brings no types.

interface FrameOptions {
  /** The colours, [red, green, blue] each; without them the first frame's serve. */
  palette?: number[][];
  /** Duration in milliseconds. */
  delay?: number;
  /** GIF's disposal method. */
  dispose?: number;
}

interface Encoder {
  writeFrame(pixels: Uint8Array, width: number, height: number, options: FrameOptions): void;
  finish(): void;
  bytes(): Uint8Array;
}

export function GIFEncoder(): Encoder;
export function quantize(
  rgba: Uint8Array,
  maxColours: number,
  options: {format: "rgb565" | "rgb444"}
): number[][];
export function applyPalette(rgba: Uint8Array, palette: number[][]): Uint8Array;
