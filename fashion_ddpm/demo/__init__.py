"""What the page's tabs compute, without gradio."""
