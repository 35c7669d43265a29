// What gradio's components lack for keyboards and screen readers, and buttons that open a tab.
// Gradio renders parts of the page anew at any time, so everything is applied again after changes.

(() => {
  let storyRow = ""; // the chosen row of the story

  // Radio buttons of one group share a name: then arrow keys move in it, and it is one Tab stop.
  function groupRadios() {
    document.querySelectorAll("fieldset.block").forEach((group, index) => {
      const label = group.querySelector("[data-testid=block-info]");
      if (label) group.setAttribute("aria-label", label.textContent.trim());
      for (const radio of group.querySelectorAll("input[type=radio]"))
        if (radio.name !== `group-${index}`) radio.name = `group-${index}`;
    });
  }

  // Pictures are named by their captions, and say whether they are selected.
  function nameThumbnails() {
    for (const button of document.querySelectorAll("button.thumbnail-item")) {
      const caption = button.querySelector(".caption-label");
      if (caption) setAttribute(button, "aria-label", caption.textContent.trim());
      setAttribute(button, "aria-pressed", String(button.classList.contains("selected")));
    }
  }

  // What is said about a run is announced.
  function announceStatus() {
    for (const status of document.querySelectorAll("#status, #sketch-note"))
      setAttribute(status, "role", "status");
  }

  // The bars of scores are buttons to gradio, but nothing happens when they are pressed.
  function skipBars() {
    for (const bar of document.querySelectorAll(".scores button")) setAttribute(bar, "tabindex", "-1");
  }

  // Only the open tab is a Tab stop; arrow keys move to the others.
  function groupTabs() {
    for (const tab of document.querySelectorAll("[role=tablist] [role=tab]")) {
      const isOpen = tab.getAttribute("aria-selected") === "true";
      setAttribute(tab, "tabindex", isOpen ? "0" : "-1");
    }
  }

  function setAttribute(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  // The story is told by two switches, which show the same row.
  function syncStory() {
    if (!storyRow) return;
    for (const radio of document.querySelectorAll(`.story input[value="${storyRow}"]`))
      radio.checked = true;
  }

  function improve() {
    syncStory();
    nameThumbnails();
    announceStatus();
    skipBars();
    groupTabs();
  }

  function onKey(event) {
    const tab = event.target.closest?.("[role=tab]");
    const direction = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!tab || !direction) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
    const next = tabs[(tabs.indexOf(tab) + direction + tabs.length) % tabs.length];
    event.preventDefault();
    window.clickedSinceBack = true; // as after a click, the tab goes into the address
    next.click();
    next.focus();
  }

  function pressWhenShown(id, tries = 50) {
    const button = document.getElementById(id);
    if (button?.offsetParent) button.click();
    else if (tries) setTimeout(pressWhenShown, 100, id, tries - 1);
  }

  // Generate brings its images into view; what has data-opens-tab="why", and links to "#tab-why",
  // open the tab "why"; "#tab-why.button" also presses what has the id "button" there.
  function onClick(event) {
    if (event.target.closest?.("#generate")) {
      const results = document.querySelector("#results");
      const {top} = results.getBoundingClientRect();
      if (top < 0 || top > 0.7 * innerHeight) results.scrollIntoView();
    }
    const opener = event.target.closest?.('[data-opens-tab], a[href^="#tab-"]');
    const target = opener?.dataset.opensTab ?? opener?.hash.slice("#tab-".length);
    if (!target) return;
    const [name, button] = target.split(".");
    event.preventDefault();
    document.querySelector(`[role=tablist] [data-tab-id="${name}"]`).click();
    window.scrollTo({top: 0});
    if (button) pressWhenShown(button);
  }

  let isScheduled = false;
  function onChange() {
    groupRadios(); // at once: gradio renames them at every choice, and the next key may come soon
    if (isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(() => {
      isScheduled = false;
      improve();
    });
  }

  // A shared link opens on its images: head.css hides what would stand above them.
  if (new URLSearchParams(location.search).has("class"))
    document.documentElement.classList.add("shared-link");

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", ({target}) => {
    if (!target.matches(".story input")) return;
    storyRow = target.value;
    syncStory();
  });
  new MutationObserver(onChange).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["class", "aria-selected", "name"],
  });
})();
