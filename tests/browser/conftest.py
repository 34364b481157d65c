"""A browser, a live server and a real worker with the trained model, on folders of its own."""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.test import Client
from PIL import Image
from wagtail.models import Collection, Locale, Page

from imagepipe.prompts.models import PromptTemplate
from imagepipe.provenance.keys import KeyFolder, create_keys
from imagepipe.registry.models import RegisteredModel
from imagepipe.workflow.worker import Worker
from tests.browser.demonstration import demonstration

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext
    from playwright.sync_api import Page as BrowserPage

__all__ = ["demonstration"]

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "fixtures" / "models" / "pocket-objects"
SCREENSHOTS = REPOSITORY / "docs" / "screenshots"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE = 60_000
"""Milliseconds: pages of the admin load many scripts, and models take a while to load."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing")
    program = os.environ.get("IMAGEPIPE_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as started:
        # Playwright's own loop runs in this thread; the tests are not asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = started.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser-keys")
    create_keys(KeyFolder(folder))
    return folder


@pytest.fixture
def editor(transactional_db: None, settings: Any, tmp_path: Path, key_folder: Path) -> User:
    """An installation with the trained model and one template; its superuser."""
    pytest.importorskip("diffusers", reason="the extra “diffusers” is missing")
    settings.IMAGEPIPE = settings.IMAGEPIPE | {"KEYS": key_folder, "TASK_ENGINE": "database"}
    storages = {name: dict(options) for name, options in settings.STORAGES.items()}
    for alias, folder in (
        ("default", "media"),
        ("imagepipe_private", "private"),
        ("imagepipe_delivery", "delivery"),
    ):
        base_url = "/media/" if alias == "default" else None
        storages[alias]["OPTIONS"] = {"location": str(tmp_path / folder), "base_url": base_url}
    settings.STORAGES = storages
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.WAGTAIL_GRAVATAR_PROVIDER_URL = None
    Locale.objects.get_or_create(language_code="en")
    if not Collection.get_first_root_node():
        Collection.add_root(name="Root")
    if not Page.get_first_root_node():
        Page.add_root(title="Root", slug="root")
    call_command(
        "imagepipe", "register-model", str(MODEL), "--name", "Pocket objects",
        "--licence", "MIT", "--allow", verbosity=0, stdout=io.StringIO(),
    )  # fmt: skip
    PromptTemplate.objects.create(
        name="Product shot",
        slug="product",
        description="One object in front of a plain background, for teasers and cards.",
        subject="a {subject} on a blue background",
        light="{light}",
        variables=[
            {"name": "subject", "label": "Object"},
            {
                "name": "light",
                "label": "Light",
                "choices": ["soft light", "warm light"],
                "default": "soft light",
            },
        ],
        model=RegisteredModel.objects.get(slug="pocket-objects"),
        width=512,
        height=512,
        steps=12,
        guidance=4.0,
    )
    return User.objects.create_superuser("erika", "erika@example.com", "erika")


@pytest.fixture
def worker(editor: User) -> Iterator[Worker]:
    """The real worker loop, on a thread of this process."""
    worker = Worker(poll=0.1)

    def work() -> None:
        try:
            worker.run_forever()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    yield worker
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def open_browser(
    browser: Browser, live_server: Any, editor: User
) -> Iterator[Callable[..., BrowserPage]]:
    """Open a page of the admin as the editor; the console must stay free of errors."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_browser(path: str = "/admin/", **options: Any) -> BrowserPage:
        client = Client()
        client.force_login(editor)
        url = options.get("base_url", live_server.url)
        chosen = {"viewport": DESKTOP, "color_scheme": "light", "base_url": url} | options
        context = browser.new_context(**chosen)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield open_browser
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(open_browser: Callable[..., BrowserPage]) -> BrowserPage:
    return open_browser()


@pytest.fixture
def shoot() -> Callable[[BrowserPage, str], None]:
    """Keep a screenshot for the documentation, if IMAGEPIPE_SCREENSHOTS is set."""

    def shoot(page: BrowserPage, name: str) -> None:
        if not os.environ.get("IMAGEPIPE_SCREENSHOTS"):
            return
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        taken = page.screenshot(animations="disabled")
        picture = Image.open(io.BytesIO(taken)).convert("RGB")
        picture.save(SCREENSHOTS / f"{name}.webp", quality=88, method=6)

    return shoot
