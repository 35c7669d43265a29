"""The page as gradio builds it, except that whatever fails there is told in a sentence."""

from typing import Any

import gradio as gr
from gradio import processing_utils

from fashion_ddpm.supervision import NOT_YOUR_FAULT
from fashion_ddpm.ui.saving import save_whole

processing_utils.save_pil_to_cache = save_whole  # all components write their pictures with it

NO_ROOM = "The server has no room left for pictures; please try again in a few minutes."


class Page(gr.Blocks):
    """Blocks whose inputs and outputs fail readably; handlers do so themselves, with `told`."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        """Reads what was sent; whatever the components cannot read is the visitor's mistake."""
        try:
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:
            labels = [str(block.label) for block in block_fn.inputs if getattr(block, "label", "")]
            raise gr.Error(
                f"One of the inputs ({', '.join(labels)}) cannot be read: it must be what the page "
                "itself would send; reload the page and try again.",
                print_exception=False,
            ) from error

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Writes pictures to files, for which there may be no room."""
        try:
            return await super().postprocess_data(block_fn, predictions, state)
        except Exception as error:
            if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                raise gr.Error(NO_ROOM, print_exception=False) from error
            raise gr.Error(NOT_YOUR_FAULT) from error
