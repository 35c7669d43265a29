"""How a program asks the app for what a visitor sees: the same request in three languages."""

import json
import shlex

from fashion_ddpm.core.requests import PARAMETERS, SETTINGS, GenerateRequest
from fashion_ddpm.scoring.clip import EMBEDDED
from fashion_ddpm.server.allowlist import ENDPOINT

ORDER = (
    *("class_name", "schedule", "num_inference_steps", "sampler", "guidance_scale"),
    *("num_images", "seed", "scorer", "guidance_low", "guidance_high"),
)
"""Fields of a request, and the scorer, in the order of the endpoint's parameters: a new one comes
last, for programs send lists of values."""

ADDED = ("guidance_low", "guidance_high")
"""Those that programs may know nothing of, which were written before they were added."""


def api_examples(request: GenerateRequest, address: str, scorer: str = EMBEDDED) -> dict[str, str]:
    """Return a program for each of "python", "javascript" and "shell".

    Args:
        request: what shall be drawn.
        address: where the app is served, such as "http://127.0.0.1:7860".
        scorer: who scores the images.
    """
    values = {name: getattr(request, name) for name in SETTINGS} | {"scorer": scorer}
    arguments = {PARAMETERS[name]: values[name] for name in ORDER}
    return {
        "python": _python(arguments, address),
        "javascript": _javascript(arguments, address),
        "shell": _shell(list(arguments.values()), address),
    }


def _python(arguments: dict[str, object], address: str) -> str:
    lines = "".join(f"    {name}={value!r},\n" for name, value in arguments.items())
    return f"""from gradio_client import Client

client = Client("{address}")
result = client.predict(
{lines}    api_name="/{ENDPOINT}",
)
for picture in result[1]:
    print(picture["caption"], picture["image"])
"""


def _javascript(arguments: dict[str, object], address: str) -> str:
    return f"""import {{ Client }} from "@gradio/client";

const client = await Client.connect("{address}");
const result = await client.predict("/{ENDPOINT}", {json.dumps(arguments, indent=2)});
for (const picture of result.data[1]) console.log(picture.caption, picture.image.url);
"""


def _shell(values: list[object], address: str) -> str:
    url = f"{address}/gradio_api/call/{ENDPOINT}"
    return f"""event=$(curl -s {url} -H "Content-Type: application/json" \\
    -d {shlex.quote(json.dumps({"data": values}))} | cut -d '"' -f 4)
curl -sN {url}/$event
"""
