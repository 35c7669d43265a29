// The page: reads what the site holds, builds the parts and connects them.

import {Comparison} from "./comparison.js";
import {Controls, settingSentence} from "./controls.js";
import {find, make} from "./elements.js";
import {Engine} from "../runtime/engine.js";
import {loadText} from "../runtime/model_files.js";
import {OfflineCopy} from "../runtime/offline.js";
import {CostMeter} from "./request_note.js";
import {Results} from "./results.js";
import {ScorePanel} from "./scores.js";
import {Session} from "./session.js";
import {parseLink} from "../settings/share_link.js";
import {SharePanel} from "./share_panel.js";
import {readGallery} from "./shown_run.js";
import {Status} from "./status.js";
import {TabIcon} from "./tab_icon.js";
import {TrajectoryPanel} from "./trajectory_panel.js";
import {errorSentence, quantity, seedRange} from "./wording.js";

/** @import {Gallery, OnProgress, SharedSettings, Site} from "../types.js" */

const IDLE_MS = 2000; // without an idle moment until then, the network is loaded all the same

/** Follow the visitor's choice of a dark page; the shared style of the player asks for a class. */
function followTheme() {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark", query.matches);
  query.addEventListener("change", apply);
  apply();
}

/**
 * Write what depends on the networks: title, introduction, links.
 * @param {Site} site
 */
function writeTexts(site) {
  if (!site.kind.is_fashion_mnist) {
    document.title = find("h1").textContent = "Images from noise";
    find("#data-link").previousSibling?.remove();
    find("#data-link").remove();
    const {images_seen: count} = site.checkpoint;
    const seen = count ? ` In training it saw ${quantity(count, "image")}.` : "";
    find("#introduction").textContent =
      `A small diffusion model, trained on its maker's own images, generates new ones from pure noise.${seen}`;
  }
  if (!site.scorer) find("#select-hint").textContent = "Press an image: how it emerged from noise is shown below.";
  const {demo: href} = site.links;
  const text = "the demo with a server: more to compare and to play";
  if (href) find("#links").prepend(make("a", {href, target: "_blank", rel: "noopener"}, text), " · ");
}

/**
 * Return the parts of the page, connected.
 * @param {Site} site
 * @param {string} playerHtml
 */
function buildSession(site, playerHtml) {
  const status = new Status();
  const offline = new OfflineCopy();
  const showProgress = (/** @type {Parameters<OnProgress>[0]} */ progress) => {
    status.showProgress(progress);
    offline.noteProgress(progress);
  };
  const engine = new Engine(site, showProgress, {
    onRuntime: (runtime) => {
      status.showRuntime(runtime);
      offline.keepFirst(runtime);
    },
    onRun: () => offline.keepRest(),
  });
  const cost = new CostMeter(site);
  /** @type {Session} */
  let session;
  const select = (/** @type {number} */ index) => session.select(index);
  const handlers = {
    generate: () => session.generate(),
    stop: () => session.stop(),
    change: () => status.forgetSetting(),
  };
  const restore = (/** @type {SharedSettings} */ settings) => session.restore(settings, "picture");
  const fail = (/** @type {unknown} */ error, /** @type {string} */ start) => {
    status.fail(`${start} ${settingSentence(error, site)}`);
  };
  const parts = {
    status,
    cost,
    controls: new Controls(site, cost, handlers),
    results: new Results(site, select),
    scores: new ScorePanel(site),
    trajectory: new TrajectoryPanel(site, playerHtml, select, status),
    share: new SharePanel(site, restore, fail),
    icon: new TabIcon(/** @type {HTMLLinkElement} */ (find("link[rel=icon]")), site.kind),
  };
  session = new Session(site, engine, parts);
  new Comparison(site, engine, {
    chosen: () => parts.controls.request(),
    finished: (run) => session.learn(run),
  });
  return session;
}

/**
 * Show the bundled images, and draw what a link asks for.
 * @param {Site} site
 * @param {Session} session
 * @param {Gallery | null} gallery
 */
function openFirst(site, session, gallery) {
  const {status} = session.parts;
  status.say("Press Generate.");
  if (gallery) {
    const shown = readGallery(gallery);
    const seeds = seedRange(shown.run.request);
    status.say(`Ready-made samples, one per class (${seeds}). Press Generate to make your own.`);
    session.show(shown, 0);
  }
  try {
    const settings = parseLink(location.search, site);
    if (settings) return session.restore(settings, "link");
  } catch (error) {
    status.fail(`The link could not be read. ${settingSentence(error, site)}`);
  }
  const saveData = /** @type {any} */ (navigator).connection?.saveData === true;
  if (saveData) return;
  const start = () => session.start();
  if ("requestIdleCallback" in window) requestIdleCallback(start, {timeout: IDLE_MS});
  else setTimeout(start, IDLE_MS);
}

/** Open the page. */
async function open() {
  followTheme();
  try {
    const paths = ["data/site.json.gz", "data/gallery.json.gz", "data/trajectory.html"];
    const [siteText, galleryText, playerHtml] = await Promise.all(paths.map(loadText));
    const site = /** @type {Site} */ (JSON.parse(siteText));
    writeTexts(site);
    const session = buildSession(site, playerHtml);
    openFirst(site, session, JSON.parse(galleryText));
    find("#content").hidden = false;
    find("#opening").remove();
  } catch (error) {
    find("#opening").textContent = `The page could not be opened. ${errorSentence(error)}`;
    find("#opening").classList.add("failed");
  }
}

open();
