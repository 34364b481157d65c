"""Recipes replayed in new processes, and what is named when something was changed.

    python -m tests.campaigns.replays.campaign --count 20 --folder FOLDER

Pictures of different words, seeds, schedulers, steps and guidance are made by one process with
the trained model, accepted, and replayed by ``manage.py imagepipe replay`` in a new process
each. Then the same with another number of threads, with an older library in the record, and
with one byte of the weights changed in a copy of the model.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.sandbox import REPOSITORY, SANDBOX_SETTINGS, SANDBOX_SETUP, Sandbox

MODEL = REPOSITORY / "fixtures/models/pocket-objects"
SCHEDULERS = (
    "DDIMScheduler", "EulerDiscreteScheduler", "DPMSolverMultistepScheduler",
    "EulerAncestralDiscreteScheduler", "UniPCMultistepScheduler",
)  # fmt: skip
OBJECTS = ("teapot", "owl", "key", "balloon", "panda", "boat", "cactus")

MAKE = """
import json
from django.core.management import call_command
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.actions import AcceptCandidate, StartRun
from imagepipe.workflow.briefs import Brief
from imagepipe.workflow.models import Run
from imagepipe.workflow.runner import work_on
call_command("imagepipe", "register-model", {folder!r}, "--licence", "MIT", "--allow",
             "--slug", "pocket", verbosity=0)
made = []
for number, (thing, scheduler) in enumerate({jobs!r}):
    model = RegisteredModel.objects.get(slug="pocket")
    model.defaults = {{"scheduler": scheduler}}
    model.save()
    brief = Brief(prompt=f"a {{thing}} on a blue background", negative="text", candidates=1,
                  width=256 + 64 * (number % 3), height=256, steps=6 + number % 5,
                  guidance=2.5 + number % 4, seed=1000 + number, seed_policy="fixed")
    run = StartRun(Run(title=thing, model=model), None, brief=brief).execute()
    work_on(run.uid.hex)
    run.refresh_from_db()
    candidate = run.candidates.get()
    candidate.state = "offered"  # whatever the checks say of the picture
    candidate.save()
    made.append(AcceptCandidate(candidate, None).execute().asset.uid.hex)
print(json.dumps(made))
"""
OLDER = """
import json
from imagepipe.assets.models import AssetVersion
from imagepipe.generation.recipe import Recipe
version = AssetVersion.objects.get(asset__uid={uid!r})
recipe = version.recipe
recipe["environment"]["libraries"]["torch"] = "2.0.1"
AssetVersion.objects.filter(pk=version.pk).update(
    recipe=recipe, recipe_sha256=Recipe.from_dict(recipe).sha256)
"""


def prepare(folder: Path) -> Sandbox:
    """Make an installation with a copy of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sandbox_settings.py").write_text(SANDBOX_SETTINGS)
    sandbox = Sandbox(folder)
    sandbox.run(SANDBOX_SETUP)
    shutil.copytree(MODEL, folder / "model")
    return sandbox


def make(sandbox: Sandbox, count: int) -> list[str]:
    """Make and accept pictures; returns the UIDs of their assets."""
    jobs = [
        (OBJECTS[n % len(OBJECTS)], SCHEDULERS[n % len(SCHEDULERS)]) for n in range(count)
    ]
    return sandbox.run(MAKE.format(folder=str(sandbox.folder / "model"), jobs=jobs))


def replay(sandbox: Sandbox, uid: str, *options: str, **imagepipe: Any) -> dict[str, Any]:
    """Replay in a new process; returns the verdict with the sentence that names the reason."""
    code = (
        "import json, django; django.setup()\n"
        "from io import StringIO\n"
        "from django.core.management import CommandError, call_command\n"
        "written = StringIO()\n"
        "try:\n"
        f"    call_command('imagepipe', 'replay', {uid!r}, '--json', *{options!r}, "
        "stdout=written)\n"
        "except CommandError as error:\n"
        "    assert error.returncode == 3, error\n"
        "from imagepipe.workflow import replay_reasons\n"
        "output = json.loads(written.getvalue())\n"
        "print(json.dumps(output | {'reason': replay_reasons.reason(output)}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=sandbox.environment | {"SANDBOX_IMAGEPIPE": json.dumps(imagepipe)},
        cwd=sandbox.folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def damage(sandbox: Sandbox) -> Path:
    """Change one byte of the weights, in the middle of the largest file."""
    files = (sandbox.folder / "model").rglob("*.safetensors")
    weights = max(files, key=lambda path: path.stat().st_size)
    with weights.open("r+b") as file:
        file.seek(weights.stat().st_size // 2 | 3)  # exponent and sign of a float32
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x40]))
    return weights


def campaign(folder: Path, count: int, *, sample: bool = False) -> dict[str, Any]:
    """Return the verdicts of unchanged replays, and what is said of each change.

    A ``sample`` leaves out the changes that need another computation.
    """
    sandbox = prepare(folder)
    uids = make(sandbox, count)
    first, unchanged = uids[0], uids[:-1] if sample else uids
    found: dict[str, Any] = {"verdicts": [replay(sandbox, uid)["verdict"] for uid in unchanged]}
    sandbox.run(OLDER.format(uid=uids[-1]))
    found["threads"] = replay(sandbox, uids[-1], "--as-installed", TORCH_THREADS=2)
    if not sample:
        found["recorded threads"] = replay(sandbox, first, TORCH_THREADS=2)
        found["library"] = replay(sandbox, uids[-1])
    damage(sandbox)
    found["weights"] = replay(sandbox, first)
    if not sample:
        found["other weights"] = replay(sandbox, first, "--other-weights")
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    found = campaign(options.folder, options.count)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
