"""What the page's address holds: the settings last asked for, and the open tab."""

from collections.abc import Sequence

import gradio as gr

from fashion_ddpm.ui.components import NOW

TO_ADDRESS = """(query) => {
  if (!query) return;
  window.newestQuery = query;
  const settings = new URLSearchParams(query);
  for (const [name, value] of new URLSearchParams(location.search))
    if (name === "tab" || name.startsWith("__")) settings.append(name, value);
  history.replaceState(history.state, "", "?" + settings);
}"""
"""Keeps a query in the address bar, beside the tab and words of gradio's such as __theme: a reload,
also gradio's own after a lost connection, brings the settings back."""

TO_LINK = """(query) => query ? location.origin + location.pathname + query : "" """
"""Makes a link of a query."""

KEEP_TAB = """() => {
  if (!window.clickedSinceBack) return;  // opened by gradio at first, by Back or by Forward
  const address = new URL(location.href);
  if ((address.searchParams.get("tab") || "FIRST") === "TAB") return;
  if ("TAB" === "FIRST") address.searchParams.delete("tab");
  else address.searchParams.set("tab", "TAB");
  history.pushState(null, "", address);
}"""
"""Puts a tab that was opened into the address; the browser's Back goes to the one before."""

OPEN_TAB = """() => {
  const asked = new URLSearchParams(location.search).get("tab");
  return {__type__: "update", selected: TABS.includes(asked) ? asked : TABS[0]};
}"""
"""Opens the tab that the address names; gradio takes such an object for gr.update."""

ON_BACK = f"""() => {{
  const keepQuery = {TO_ADDRESS};
  addEventListener("click", (event) => {{  // a hand's, not that on #open-tab
    if (event.isTrusted) window.clickedSinceBack = true;
  }}, true);
  addEventListener("popstate", () => {{
    window.clickedSinceBack = false;
    keepQuery(window.newestQuery);
    document.querySelector("#open-tab").click();
  }});
}}"""
"""Back and Forward open the tab of an address; the settings stay those in view."""


def keep_tabs(page: gr.Blocks, tabs: gr.Tabs, each: Sequence[gr.Tab]) -> None:
    """Make every tab one that can be linked, reloaded and gone back to: ?tab=why."""
    names = [str(tab.id) for tab in each]
    for tab, name in zip(each, names, strict=True):
        keep = KEEP_TAB.replace("TAB", name).replace("FIRST", names[0])
        tab.select(None, None, None, js=keep, **NOW)
    open_tab = OPEN_TAB.replace("TABS", str(names))
    again = gr.Button(visible="hidden", elem_id="open-tab")
    again.click(None, None, tabs, js=open_tab, **NOW)
    page.load(None, None, tabs, js=open_tab, **NOW)
    page.load(None, None, None, js=ON_BACK, **NOW)
