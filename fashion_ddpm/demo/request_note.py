"""What a request costs, whether its schedule works, and whether more steps would help."""

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.core.wording import format_number, quantity
from fashion_ddpm.demo.engine import Demo
from fashion_ddpm.demo.quality import MEASURED_SCHEDULE, advice, measurements_of
from fashion_ddpm.diffusion.schedule_check import check_schedule


def describe_request(demo: Demo, request: GenerateRequest) -> str:
    """Return all that is said of a request before it is generated, as Markdown."""
    cost = f"{demo.cost.sentence(request)} (limit {demo.limits.max_evaluations:,})"
    verdict = schedule_note(request.schedule, request.num_inference_steps)
    notes = [cost, _interval_note(request), verdict, _advice(demo, request)]
    return "\n\n".join(filter(None, notes))


def _interval_note(request: GenerateRequest) -> str:
    """Return where guidance acts; "" if it is off or acts everywhere."""
    low, high = request.guidance_low, request.guidance_high
    if request.guidance_scale == 1 or (low, high) == (0, 1):
        return ""
    return f"Guidance acts from {low:g} to {high:g} of the noise levels, and not outside."


def _advice(demo: Demo, request: GenerateRequest) -> str:
    """Return whether more steps would help, on the measured schedule; "" on others."""
    if request.schedule != MEASURED_SCHEDULE or request.guidance_scale != 1:
        return ""
    enough = advice(request.sampler, request.num_inference_steps, measurements_of(demo.model))
    source = f"Measured on {MEASURED_SCHEDULE}: [all samplers](#tab-compare)."
    return f"{enough} {source}" if enough else ""


def schedule_note(schedule: str, num_inference_steps: int) -> str:
    """Return the noise levels of a schedule and the verdict on it, as Markdown."""
    check = check_schedule(schedule, num_inference_steps)
    levels = format_number(check.first_sigma)
    if num_inference_steps > 1:
        levels += f" → {format_number(check.last_sigma)}"
    verdict, _, reason = check.verdict.partition(": ")
    return (
        f"**{check.name}**: noise-to-signal ratio σ {levels} in "
        f"{quantity(num_inference_steps, 'step')}. **{verdict.capitalize()}**: {reason}."
    )
