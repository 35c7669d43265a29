"""The computations behind the page's tabs, without gradio."""
