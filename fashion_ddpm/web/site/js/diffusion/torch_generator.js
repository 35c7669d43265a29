// torch's random numbers on a CPU: the Mersenne twister and its ways to normal numbers, so that a
// seed draws the same noise here as in Python.

const STATE_SIZE = 624;
const SHIFT = 397;
const BLOCK = 16; // torch turns uniform numbers into normal ones in blocks of 16
const TWO_PI = Math.fround(2 * Math.PI);

/** torch.Generator("cpu").manual_seed(seed); consecutive calls continue. */
export class TorchGenerator {
  /** @param {number} seed 0 … 2³² − 1 */
  constructor(seed) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new RangeError(`A seed is ${seed}; it must be a whole number from 0 to 4294967295.`);
    }
    this.state = new Uint32Array(STATE_SIZE);
    this.state[0] = seed;
    for (let index = 1; index < STATE_SIZE; index++) {
      const previous = this.state[index - 1];
      this.state[index] = Math.imul(1812433253, previous ^ (previous >>> 30)) + index;
    }
    this.next = STATE_SIZE; // index of the next number in the state
    /** @type {number | null} */
    this.spare = null; // the second of a pair of normal numbers, for the next short call
  }

  /**
   * Return torch.randn(count, generator=…), standard normal numbers.
   * @param {number} count
   * @returns {Float32Array}
   */
  randn(count) {
    return count < BLOCK
      ? Float32Array.from({length: count}, () => this.nextNormal())
      : this.fillNormal(count);
  }

  /**
   * Return normal numbers from float32 uniform ones; a last block that is not whole is drawn anew,
   * over the last 16 numbers.
   * @param {number} count at least BLOCK
   */
  fillNormal(count) {
    const values = Float32Array.from({length: count}, () => this.nextFloat());
    for (let start = 0; start + BLOCK <= count; start += BLOCK) transformBlock(values, start);
    if (count % BLOCK) {
      const start = count - BLOCK;
      for (let index = start; index < count; index++) values[index] = this.nextFloat();
      transformBlock(values, start);
    }
    return values;
  }

  /** Return one normal number; two are made at a time, in double precision. */
  nextNormal() {
    if (this.spare !== null) {
      const spare = this.spare;
      this.spare = null;
      return spare;
    }
    const angle = 2 * Math.PI * this.nextDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-this.nextDouble()));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Return a uniform number in [0, 1) of 24 bits. */
  nextFloat() {
    return (this.nextInteger() & 0xffffff) / 2 ** 24;
  }

  /** Return a uniform number in [0, 1) of 53 bits, from two integers, the high one first. */
  nextDouble() {
    const high = this.nextInteger() & 0x1fffff;
    return (high * 2 ** 32 + this.nextInteger()) / 2 ** 53;
  }

  /** Return a uniform integer of 32 bits (Matsumoto and Nishimura, 1998). */
  nextInteger() {
    if (this.next === STATE_SIZE) this.twist();
    let value = this.state[this.next++];
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  }

  twist() {
    const {state} = this;
    for (let index = 0; index < STATE_SIZE; index++) {
      const following = state[(index + 1) % STATE_SIZE];
      const mixed = (state[index] & 0x80000000) | (following & 0x7fffffff);
      const twisted = (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      state[index] = state[(index + SHIFT) % STATE_SIZE] ^ twisted;
    }
    this.next = 0;
  }
}

/**
 * Turn a block of uniform numbers into normal ones (Box and Muller, 1958): the first half gives the
 * radii, the second half the angles. Rounded to float32 where torch rounds: the angle's rounding
 * alone moves a number by up to 1e-6.
 * @param {Float32Array} values
 * @param {number} start
 */
function transformBlock(values, start) {
  const half = BLOCK / 2;
  for (let first = start; first < start + half; first++) {
    const radius = Math.fround(Math.sqrt(-2 * Math.fround(Math.log(1 - values[first]))));
    const angle = Math.fround(TWO_PI * values[first + half]);
    values[first] = radius * Math.cos(angle);
    values[first + half] = radius * Math.sin(angle);
  }
}
