"""Where the subject of a photograph is: x, y, width and height in shares of the picture.

Drawn by eye before any detector was chosen. It is the part that must not be cut: a face, the
heart of a flower, a bird; not everything that belongs to it. Photographs without one clear
subject have no label.
"""

from __future__ import annotations

Box = tuple[float, float, float, float]

LABELS: dict[str, Box] = {
    "Wine_by_Jakkub_Mede": (0.30, 0.50, 0.36, 0.24),
    "greentock_by_Peter_Nerlich": (0.52, 0.30, 0.32, 0.38),
    "seeding_by_Clements_Engelhardt": (0.14, 0.10, 0.31, 0.47),
    "Kleiber_by_Lukas_Baubkus": (0.41, 0.37, 0.13, 0.30),
    "Dragonfly_by_Bolly": (0.52, 0.33, 0.27, 0.40),
    "friends_by_Aitzol_Berasategi": (0.28, 0.23, 0.38, 0.42),
    "sunset_by_Aitzol_Berasategi": (0.43, 0.36, 0.16, 0.16),
    "free_by_Peter_Nerlich": (0.25, 0.58, 0.42, 0.28),
    "Picture_0B_by_freespace": (0.41, 0.33, 0.29, 0.42),
    "Garden": (0.45, 0.22, 0.40, 0.60),
    "Aqua": (0.55, 0.42, 0.30, 0.40),
    "TwoWings": (0.38, 0.35, 0.48, 0.35),
    "LadyBird": (0.65, 0.45, 0.10, 0.13),
    "FreshFlower": (0.36, 0.50, 0.26, 0.40),
    "YellowFlower": (0.72, 0.70, 0.28, 0.30),
    "FallenLeaf": (0.53, 0.38, 0.33, 0.42),
    "Kite": (0.63, 0.31, 0.08, 0.10),
    "OneStandsOut": (0.60, 0.43, 0.10, 0.13),
    "ColdRipple": (0.42, 0.38, 0.12, 0.15),
    "astronaut": (0.33, 0.05, 0.24, 0.34),
    "coffee": (0.29, 0.03, 0.41, 0.55),
    "chelsea": (0.28, 0.28, 0.50, 0.60),
    "rocket": (0.46, 0.30, 0.09, 0.55),
    "motorcycle_left": (0.20, 0.30, 0.60, 0.60),
}

#: Width to height of the crops that are judged.
ASPECTS: tuple[tuple[int, int], ...] = (
    *((1, 1), (4, 3), (3, 4), (16, 9), (9, 16), (2, 1), (1, 2), (3, 1)),
)
