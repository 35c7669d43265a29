"""Typed requests of the Play and Why blurry? tabs, checked when constructed."""

from dataclasses import dataclass

from fashion_ddpm.core.image_kind import CLASS_NAMES
from fashion_ddpm.core.requests import MAX_SEED, check_integer, check_number, class_label

STRENGTH_RANGE = (0.05, 1.0)
"""Share of the steps that redraw a drawing."""

NUM_LEVELS_RANGE = (10, 1000)
FIRST_BETA_RANGE = (1e-5, 0.01)
LAST_BETA_RANGE = (0.001, 0.3)
"""Bounds of T, the first beta and the last beta of a visitor's noise schedule."""


@dataclass(frozen=True)
class BlendRequest:
    """One seed, drawn as one class and then increasingly as another.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    first_class: str
    second_class: str
    seed: int
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self) -> None:
        class_label(self.first_class, self.class_names)
        class_label(self.second_class, self.class_names)
        check_integer("seed of the blend", self.seed, 0, MAX_SEED)


@dataclass(frozen=True)
class WalkRequest:
    """One class, drawn from one seed's noise and then increasingly from another's.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str
    first_seed: int
    second_seed: int
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self) -> None:
        class_label(self.class_name, self.class_names)
        check_integer("from seed", self.first_seed, 0, MAX_SEED)
        check_integer("to seed", self.second_seed, 0, MAX_SEED)


@dataclass(frozen=True)
class RedrawRequest:
    """The class that a drawing is redrawn as, and how strongly.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    class_name: str
    strength: float
    class_names: tuple[str, ...] = CLASS_NAMES

    def __post_init__(self) -> None:
        class_label(self.class_name, self.class_names)
        check_number("strength", self.strength, *STRENGTH_RANGE)


@dataclass(frozen=True)
class CustomScheduleRequest:
    """A visitor's noise schedule, and the class to draw with it.

    Raises:
        RequestError: a value has the wrong type or is out of bounds.
    """

    num_levels: int
    first_beta: float
    last_beta: float
    class_name: str

    def __post_init__(self) -> None:
        check_integer("T", self.num_levels, *NUM_LEVELS_RANGE)
        check_number("first beta", self.first_beta, *FIRST_BETA_RANGE)
        check_number("last beta", self.last_beta, *LAST_BETA_RANGE)
        class_label(self.class_name)
