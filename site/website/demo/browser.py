"""A person at a browser without scripts: logs in, reads pages, fills in forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html

TIMEOUT = 60


class Unexpected(RuntimeError):
    """A page or form is not as it should be; the message says what was found."""


class Browser:
    """One log-in at the site. Addresses are paths or full addresses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def log_in(self, user: str, password: str) -> Browser:
        page = self.read("/admin/login/")
        values = {"username": user, "password": password}
        answer = self.submit(page.forms[0], values)
        if "/login" in answer.url:
            raise Unexpected(f"{user} could not log in")
        return self

    def get(self, address: str, **headers: str) -> requests.Response:
        """Any answer, also of refusals."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.get(urljoin(self.url, address), headers=named, timeout=TIMEOUT)

    def read(self, address: str) -> html.HtmlElement:
        """The parsed page. Raises Unexpected unless it answers 200."""
        return self._parse(self._require(self.get(address)))

    def read_json(self, address: str) -> Any:
        return self._require(self.get(address)).json()

    def form(self, page: html.HtmlElement, *names: str) -> html.FormElement:
        """The first form with fields of these names."""
        for form in page.forms:
            if all(name in form.fields for name in names):
                return form
        raise Unexpected(f"{page.base_url}: there is no form with {', '.join(names)}")

    def submit(self, form: html.FormElement, values: Mapping[str, Any]) -> requests.Response:
        """Send a form with what it holds, changed by ``values``; follows redirects."""
        data = [(name, value) for name, value in form.form_values() if name not in values]
        data += [(name, str(value)) for name, value in values.items()]
        address = urljoin(form.base_url or self.url, form.action or "")
        answer = self._session.post(
            address, data=data, headers={"Referer": address}, timeout=TIMEOUT
        )
        self._require(answer)
        page = self._parse(answer) if "html" in answer.headers.get("Content-Type", "") else None
        errors = [] if page is None else _errors(page)
        if errors:
            raise Unexpected(f"{answer.url}: {'; '.join(errors)}")
        return answer

    def parse(self, answer: requests.Response) -> html.HtmlElement:
        return self._parse(answer)

    def _require(self, answer: requests.Response) -> requests.Response:
        if answer.status_code != 200:
            raise Unexpected(f"{answer.url} answered {answer.status_code}")
        return answer

    def _parse(self, answer: requests.Response) -> html.HtmlElement:
        return html.fromstring(answer.content, base_url=answer.url)


def _errors(page: html.HtmlElement) -> list[str]:
    found = page.xpath(
        "//*[contains(@class, 'error-message') or contains(@class, 'errorlist')"
        " or contains(@class, 'messages')]"
        "//*[contains(@class, 'error')]|//*[contains(@class, 'error-message')]"
    )
    texts = (" ".join(element.text_content().split()) for element in found)
    return list(dict.fromkeys(text for text in texts if text))
