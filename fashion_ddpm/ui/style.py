"""Style sheets and theme of the page."""

import gradio as gr

CSS = """
.pixels img { image-rendering: pixelated; }
.pixels .grid-wrap { min-height: 0 !important; max-height: none !important; }
.pixels .grid-container { grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)); }
.pixels .caption-label { font-size: 0.65rem; line-height: 1.1; padding: 0 0.2rem;
    inset: auto 0 0 auto; white-space: normal; text-align: right; }
#sheet, #quality { --block-padding: 0; }
#report-card td, #report-card th { word-break: normal; padding: 0.2rem 0.4rem; }
#report-card td:last-child, #report-card th:last-child { white-space: nowrap; }
#story { overflow: visible !important; }
.prose h2 { font-size: 1.15rem; }
.scores .output-class { font-size: 1.1rem; padding: 2rem 0 0.5rem; }
"""

HEAD = """<style>
.gradio-container { width: 100%; max-width: 1180px !important; margin: 0 auto !important; }
.dark [role=tab][aria-selected=true] { color: var(--primary-300) !important; }
.dark .empty > div { color: var(--neutral-300) !important; }
@media (max-width: 500px) {
  gradio-app .main { padding-inline: 12px !important; }
  gradio-app .tabs { max-width: calc(100vw - 24px); }
}
</style>"""
"""Rules that in CSS gradio would scope to the page's content: width on a phone, and contrast of the
selected tab and of an empty sketchpad's hint in dark mode."""

HIDE_UNTIL_LOADED = """<style>
@keyframes appear { to { visibility: visible; } }
gradio-app:not(:has(#preview img):has(#gallery img):has(#examples img):has(.scores .output-class))
  :is(.tabs, .tabs ~ *, footer) { visibility: hidden; animation: appear 0s 5s forwards; }
#preview { aspect-ratio: 5; }
</style>"""
"""For a page that opens with pictures: gradio inserts them one by one, and each would shift the
layout. So the tabs appear together, after five seconds in any case."""


def theme() -> gr.Theme:
    """Return gradio's soft theme with text that stands out enough (WCAG 2.1, level AA)."""
    return gr.themes.Soft().set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        button_secondary_background_fill_hover_dark="*primary_600",
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        checkbox_label_background_fill_selected="*primary_600",
        link_text_color_dark="*secondary_300",
        link_text_color_visited_dark="*secondary_300",
        link_text_color_active_dark="*secondary_300",
    )
