"""Draw load patterns of a power grid as small pictures, one folder per kind of connection.

Each picture is four weeks: 28 rows are days, Monday on top, 28 columns are the hours of a day
(each 24/28 h wide), and brightness is power, from none (black) to the connection's peak (white).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.random import Generator, default_rng
from PIL import Image

SIDE = 28
HOURS = (np.arange(SIDE) + 0.5) * 24 / SIDE
DAYS = np.arange(SIDE)
WORKDAY = DAYS % 7 < 5


def bump(hour: np.ndarray | float, width: np.ndarray | float) -> np.ndarray:
    """Return a peak around an hour of the day, periodic over 24 h: [days or 1, SIDE]."""
    distance = (HOURS - np.reshape(hour, (-1, 1)) + 12) % 24 - 12
    return np.exp(-0.5 * (distance / np.reshape(width, (-1, 1))) ** 2)


def step(begin: np.ndarray, end: np.ndarray, slope: float) -> np.ndarray:
    """Return 1 between two hours of each day and 0 outside, with soft edges: [days, SIDE]."""
    rise, fall = ((HOURS - np.reshape(hour, (-1, 1))) / slope for hour in (begin, end))
    return 1 / (1 + np.exp(-rise)) / (1 + np.exp(fall))


def residential(rng: Generator) -> np.ndarray:
    """Return a household: a morning and a larger evening peak, later mornings at weekends."""
    late = np.where(WORKDAY, 0, rng.uniform(1, 2.5))
    morning = bump(rng.uniform(6.3, 8) + late + rng.normal(0, 0.3, SIDE), 1.0)
    evening = bump(rng.uniform(18, 20.5) + rng.normal(0, 0.4, SIDE), rng.uniform(1.6, 2.4))
    midday = np.where(WORKDAY, 0.1, rng.uniform(0.3, 0.5))[:, None] * bump(13, 2)
    daily = rng.uniform(0.75, 1, (SIDE, 1))
    return 0.15 + daily * (rng.uniform(0.3, 0.6) * morning + 0.75 * evening + midday)


def office(rng: Generator) -> np.ndarray:
    """Return an office: a plateau on workdays with a dip at noon, almost zero at weekends."""
    begin = rng.uniform(6.5, 8.5) + rng.normal(0, 0.2, SIDE)
    end = rng.uniform(16.5, 18.5) + rng.normal(0, 0.3, SIDE)
    day = step(begin, end, 0.5) * (1 - rng.uniform(0.1, 0.25) * bump(12.5, 0.7))
    weekly = np.where(WORKDAY, rng.uniform(0.75, 0.95, SIDE), rng.uniform(0, 0.08, SIDE))
    return 0.08 + weekly[:, None] * day


def industry(rng: Generator) -> np.ndarray:
    """Return a factory in one, two or three shifts: flat and high, sometimes on Saturdays too."""
    shifts = int(rng.integers(1, 4))
    begin, end = np.full(SIDE, 6.0), np.full(SIDE, 6.0 + 8 * shifts)
    running = step(begin, end, 0.25) if shifts < 3 else np.ones((SIDE, SIDE))
    works = WORKDAY | ((DAYS % 7 == 5) & (rng.random() < 0.5))
    height = np.where(works, rng.uniform(0.75, 0.9), rng.uniform(0.1, 0.2))
    return 0.1 + height[:, None] * running + rng.normal(0, 0.03, (SIDE, SIDE))


def solar(rng: Generator) -> np.ndarray:
    """Return solar feed-in: nothing at night, a bell by day, each day with its own clouds."""
    half_day = rng.uniform(4, 8) + np.linspace(0, rng.uniform(-0.5, 0.5), SIDE)
    from_noon = (HOURS - rng.uniform(12.2, 13.4)) / half_day[:, None]
    clear = np.cos(np.clip(from_noon, -1, 1) * np.pi / 2) ** 1.5
    sky = np.where(rng.random(SIDE) < 0.55, 1, rng.uniform(0.2, 0.7, SIDE))
    flicker = 1 - (1 - sky)[:, None] * rng.uniform(0, 1, (SIDE, SIDE))
    return clear * sky[:, None] * flicker


def charging(rng: Generator) -> np.ndarray:
    """Return a car charger: at full power for some hours of some nights, else off."""
    begin = rng.uniform(18, 22) + rng.normal(0, 0.5, SIDE)
    hours = rng.uniform(2, 6, SIDE) * (rng.random(SIDE) < rng.uniform(0.4, 0.9))
    since = (HOURS - begin[:, None]) % 24
    return np.where(since < hours[:, None], rng.uniform(0.8, 0.95), 0.02)


KINDS = {
    "residential": residential,
    "office": office,
    "industry": industry,
    "solar": solar,
    "charging": charging,
}


def draw(kind: str, rng: Generator) -> Image.Image:
    """Return one connection's four weeks as a grey picture."""
    power = KINDS[kind](rng) + rng.normal(0, 0.015, (SIDE, SIDE))
    return Image.fromarray((255 * power.clip(0, 1)).round().astype(np.uint8))


def main() -> None:
    """Write the folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="folder to fill, one folder a class")
    parser.add_argument("--images-per-class", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for number, kind in enumerate(KINDS):
        folder = arguments.output / kind
        folder.mkdir(parents=True, exist_ok=True)
        rng = default_rng([arguments.seed, number])
        for index in range(arguments.images_per_class):
            draw(kind, rng).save(folder / f"{index:05d}.png")


if __name__ == "__main__":
    main()
