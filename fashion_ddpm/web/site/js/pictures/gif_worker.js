// The worker that makes an animated GIF, which may take seconds: a run comes in, a file goes out.

import {encodeGif} from "./trajectory_gif.js";

self.addEventListener("message", ({data: {noisy, clean, kind}}) => {
  const gif = encodeGif({noisy, clean}, kind);
  self.postMessage(gif, {transfer: [gif.buffer]});
});
