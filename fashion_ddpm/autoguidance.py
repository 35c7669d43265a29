"""A weaker network guides a better one: two predictors become one."""

from torch import Tensor

from fashion_ddpm.objective import Predictor


def autoguided(predict: Predictor, guide: Predictor, scale: float) -> Predictor:
    """Return a predictor whose x_0 is guide + scale · (network − guide).

    Autoguidance (Karras et al., 2024, arXiv 2406.02507): away from a weaker network. At one noise
    level x_0 is linear in the output, whatever it predicts, so the outputs can be combined.

    Args:
        predict: the network.
        guide: a weaker one, trained on the same noise schedule to predict the same quantity.
        scale: w; 1.0 is off, anything else costs a call of either network each step.
    """
    if scale == 1.0:
        return predict

    def predict_guided(x: Tensor, timesteps: Tensor, labels: Tensor) -> Tensor:
        weaker = guide(x, timesteps, labels)
        return weaker + scale * (predict(x, timesteps, labels) - weaker)

    return predict_guided
