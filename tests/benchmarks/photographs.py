"""The photographs of the benchmarks: from Debian packages and scikit-image, never committed.

`fetch` downloads the packages with apt (no root needed) and unpacks them; drawings and
patterns of the same packages are left out by name.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

PACKAGES = ("lomiri-wallpapers-16.04", "mate-backgrounds", "plasma-workspace-wallpapers")

_LOMIRI = (
    "Picture_1A_by_freespace",
    "Wine_by_Jakkub_Mede",
    "greentock_by_Peter_Nerlich",
    "seeding_by_Clements_Engelhardt",
    "aitzgorri_by_Aitzol_Berasategi",
    "Kleiber_by_Lukas_Baubkus",
    "Dragonfly_by_Bolly",
    "friends_by_Aitzol_Berasategi",
    "sunset_by_Aitzol_Berasategi",
    "free_by_Peter_Nerlich",
    "picosdeeuropa_by_Aitzol_Berasategi",
    "Picture_0B_by_freespace",
    "life_by_Aitzol_Berasategi",
    "Bridge_by_Sander_Klootwijk",
)
_MATE = (
    *("Garden", "Dune", "Wood", "Aqua", "TwoWings", "Storm", "GreenMeadow", "RainDrops"),
    *("Blinds", "FreshFlower", "LadyBird", "YellowFlower"),
)
_PLASMA = (
    *("FallenLeaf", "Path", "DarkestHour", "summer_1am", "EveningGlow", "Grey", "Kite"),
    *("ColorfulCups", "OneStandsOut", "ColdRipple", "BytheWater"),
)
_SKIMAGE = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")


def fetch(folder: Path) -> None:
    """Unpack the packages into a folder, once."""
    if (folder / "usr").is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    packages = ["lomiri-wallpapers-20.04", *PACKAGES]
    subprocess.run(["apt-get", "download", *packages], cwd=folder, check=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package.name, "."], cwd=folder, check=True)


def photographs(folder: Path) -> dict[str, Path]:
    """Name to file, of all that are there."""
    import skimage

    share = folder / "usr/share"
    found = {name: share / f"backgrounds/{name}.jpg" for name in _LOMIRI}
    found |= {name: share / f"backgrounds/mate/nature/{name}.jpg" for name in _MATE}
    plasma = "wallpapers/{}/contents/images/2560x1600.jpg"
    found |= {name: share / plasma.format(name) for name in _PLASMA}
    data = Path(skimage.__file__).parent / "data"
    found |= {name.partition(".")[0]: data / name for name in _SKIMAGE}
    return {name: path for name, path in found.items() if path.is_file()}


def is_for_testing(name: str) -> bool:
    """Half of the photographs, chosen by name and never by result, are not used to fit."""
    return sum(name.encode()) % 2 == 0
