// The types that the site's modules share, as JSDoc: what site.json, gallery.json and manifest.json
// hold, a request, a run, and the messages between the page and its worker. No code.

/**
 * The kind of images that the networks draw (core/image_kind.py).
 * @typedef {object} Kind
 * @property {string[]} class_names in label order
 * @property {number} image_size side in pixels
 * @property {number} channels 1 grey, 3 colour
 * @property {number} null_label the label that means "no class", for guidance
 * @property {string} class_noun "garment" or "class"
 * @property {string} class_nouns
 * @property {string} image_nouns "garments" or "images"
 * @property {boolean} is_fashion_mnist
 */

/**
 * A network of the site.
 * @typedef {object} Network
 * @property {string} file its path in the site
 * @property {string} model the start of the weights' checksum, as in links
 * @property {"v_prediction" | "epsilon" | "sample"} prediction_type
 */

/**
 * Sampling settings under a name.
 * @typedef {object} Preset
 * @property {string} name
 * @property {string} schedule
 * @property {string} sampler
 * @property {number} num_inference_steps
 */

/**
 * The scorer's image side, and the embeddings of its prompts, L2-normalised.
 * @typedef {object} Scorer
 * @property {string} name as in links
 * @property {string} file its path in the site
 * @property {number} image_size side of the pixels that it takes
 * @property {number[]} mean of the channels, in [0, 1]
 * @property {number[]} std of the channels
 * @property {number} scale factor of the similarities before the softmax
 * @property {string[]} label_prompts a prompt for each class
 * @property {number[][]} label_features [classes][D]
 * @property {string[][]} quality_prompts [classes][3]
 * @property {number[][][]} quality_features [classes][3][D]
 */

/**
 * The mean scores of real test images.
 * @typedef {object} Baseline
 * @property {number[][]} labels [classes][classes]: row c, of images of class c
 * @property {number[][]} quality [classes][3]
 */

/**
 * Bounds of what a request may ask.
 * @typedef {object} Limits
 * @property {number} max_images
 * @property {number} max_steps
 * @property {number} max_guidance
 * @property {number} max_seed
 */

/**
 * Numbers of diffusion/schedules.py.
 * @typedef {object} Constants
 * @property {number} min_alpha_bar the noisiest level that sampling visits
 * @property {number} max_sigma where karras and exponential start
 * @property {number} karras_rho
 * @property {number} max_terminal_alpha_bar the most that a good schedule leaves of the image
 */

/**
 * How many steps are enough, measured.
 * @typedef {object} Quality
 * @property {string} schedule on which it was measured
 * @property {number} most_steps the most that were measured
 * @property {Record<string, number | null>} enough_steps sampler → steps; null: more are still better
 */

/**
 * The settings of a request as plain values: field → value.
 * @typedef {object} Settings
 * @property {string} class_name
 * @property {number} num_images
 * @property {string} schedule
 * @property {string} sampler
 * @property {number} num_inference_steps
 * @property {number} guidance_scale
 * @property {number} guidance_low
 * @property {number} guidance_high
 * @property {number} seed
 */

/**
 * Everything about the site: data/site.json.gz.
 * @typedef {object} Site
 * @property {{name: string, images_seen: number | null}} checkpoint
 * @property {Kind} kind
 * @property {{base: Network, turbo?: Network}} networks
 * @property {number[]} alpha_bars of the noise schedule that the networks were trained on
 * @property {Record<string, number[] | null>} schedules alpha-bar of each; null: spaced by sigma
 * @property {string[]} offered_schedules those that the page's menu has
 * @property {Constants} constants
 * @property {string[]} samplers
 * @property {Limits} limits
 * @property {Record<string, string>} setting_names field of a request → its word in links
 * @property {Record<string, string>} old_words word of earlier links → field
 * @property {Record<string, string>} labels field of a request → its label on the page
 * @property {Settings} page_defaults
 * @property {Omit<Settings, "class_name">} link_defaults
 * @property {Preset[]} presets
 * @property {Quality | null} quality
 * @property {Scorer | null} scorer
 * @property {Baseline | null} baseline
 * @property {string[] | null} class_pictures a PNG data URL for each class
 * @property {Mistake | null} mistake
 * @property {{demo: string}} links address of the page with a server; ""
 */

/**
 * Ready-made images with the student's schedule and with cosine.
 * @typedef {object} Mistake
 * @property {string} class_name
 * @property {number} num_images
 * @property {string} sampler
 * @property {number} num_inference_steps
 * @property {number} seed
 * @property {Record<string, string>} images schedule → base64 of uint8 [B, H, W]
 */

/**
 * The images that the page opens with: data/gallery.json.gz.
 * @typedef {object} Gallery
 * @property {Settings} request
 * @property {string} model
 * @property {number[]} alpha_bar [K]
 * @property {string} noisy base64 of uint8 [K, B, H, W(, 3)]
 * @property {string} clean base64, of the same shape
 * @property {number[][][]} label_scores [K][B][classes]
 * @property {number[][]} quality_scores [B][3]
 */

/**
 * A file of the site.
 * @typedef {object} ManifestFile
 * @property {number} bytes as stored
 * @property {number} [unpacked_bytes] of a .gz file: of what is inside
 * @property {string} sha256 checksum of what the page uses: of a .gz file, of what is inside
 */

/**
 * The site's files: manifest.json.
 * @typedef {object} Manifest
 * @property {string} version
 * @property {Record<string, ManifestFile>} files path → file
 */

/**
 * A checked request: only checkRequest makes one.
 * @typedef {Readonly<Settings>} Request
 */

/**
 * What a link or a picture holds.
 * @typedef {object} SharedSettings
 * @property {Request} request
 * @property {string} model the start of the weights' checksum; "" if unknown
 * @property {string} scorer "" if unknown
 */

/**
 * A network as a function: noisy images [B, C, S, S], a timestep of the noise schedule it was
 * trained on, and B labels, to its output [B, C, S, S].
 * @callback Predict
 * @param {Float32Array} noisy
 * @param {number} timestep
 * @param {number[]} labels
 * @returns {Promise<Float32Array>}
 */

/**
 * A denoising step: x_t and the clean images predicted from it.
 * @typedef {object} DenoisingStep
 * @property {number} index 0 … K − 1
 * @property {number} alphaBar of noisy
 * @property {Float32Array} noisy [B, C, S, S], variance near 1
 * @property {Float32Array} clean [B, C, S, S], in [−1, 1]; the last one is the image
 */

/**
 * A denoising step as pixels, as the worker posts it.
 * @typedef {object} StepPixels
 * @property {number} index
 * @property {number} alphaBar
 * @property {Uint8Array} noisy [B, H, W(, 3)]
 * @property {Uint8Array} clean [B, H, W(, 3)]
 * @property {number} ms what this step took, in milliseconds
 */

/**
 * Finished images with every step that led to them.
 * @typedef {object} Run
 * @property {Request} request
 * @property {string} model
 * @property {number[]} alphaBars [K]
 * @property {Uint8Array[]} noisy K times [B, H, W(, 3)]
 * @property {Uint8Array[]} clean K times [B, H, W(, 3)]; the last are the images
 * @property {number} ms of the whole run
 * @property {number} msPerStep
 */

/**
 * How the networks are run.
 * @typedef {object} Runtime
 * @property {"webgpu" | "wasm"} provider
 * @property {number} threads
 * @property {string} [note] a sentence: WebGPU failed, or checksums could not be compared
 */

/**
 * Scores of images: label probabilities, and those of the three quality prompts.
 * @typedef {object} Scores
 * @property {Float32Array} labels [B · classes]
 * @property {Float32Array | null} quality [B · 3]
 */

/**
 * Called while a file loads.
 * @callback OnProgress
 * @param {{file: string, loaded: number, total: number}} progress in bytes
 * @returns {void}
 */

/**
 * A message of the page to the worker.
 * @typedef {{type: "start", base: string, lock: string, provider?: "webgpu" | "wasm"}
 *   | {type: "generate", id: number, request: Request}
 *   | {type: "stop", id: number}
 *   | {type: "score", id: number, images: Uint8Array, labels: number[] | null}
 * } WorkerOrder
 */

/**
 * A message of the worker to the page.
 * @typedef {{type: "progress", file: string, loaded: number, total: number}
 *   | ({type: "ready"} & Runtime)
 *   | ({type: "step", id: number} & StepPixels)
 *   | {type: "done", id: number, ms: number}
 *   | {type: "stopped", id: number}
 *   | ({type: "scores", id: number} & Scores)
 *   | {type: "error", id: number | null, message: string}
 * } WorkerReply
 */

export {};
