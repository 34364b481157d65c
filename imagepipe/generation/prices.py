"""What engines ask for their work: so much for a picture, so much for a second of computing.

Of the engines that were entered in the admin, and of ``IMAGEPIPE["ENGINE_PRICES"]``; in
``IMAGEPIPE["CURRENCY"]``. A backend without a price is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.formats import number_format

from imagepipe.conf import get_settings
from imagepipe.generation.engines import HERE
from imagepipe.generation.models import Engine

SMALLEST = Decimal("0.000001")
"""What amounts are rounded to, upwards."""
HIGHEST = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Price:
    """Of one picture, and of one second that the engine works on it."""

    picture: Decimal = Decimal(0)
    second: Decimal = Decimal(0)

    def cost(self, pictures: int, seconds: float) -> Decimal:
        whole = self.picture * pictures + self.second * Decimal(str(max(0.0, seconds)))
        return whole.quantize(SMALLEST, ROUND_UP)


FREE = Price()


def price_of(engine: str) -> Price:
    """Return the price of today; at most one query."""
    configured = get_settings().ENGINE_PRICES
    if engine in configured:
        return read_price(engine, configured[engine])
    if engine in HERE:
        return FREE
    row = Engine.objects.filter(name=engine).values_list(
        "price_per_picture", "price_per_second"
    )
    return Price(*row[0]) if row else FREE


def read_price(engine: str, values: Mapping[str, Any]) -> Price:
    """Return a price as settings write it. Raises ``ImproperlyConfigured``."""
    try:
        prices = {name: Decimal(str(value)) for name, value in values.items()}
        if all(price.is_finite() and 0 <= price <= HIGHEST for price in prices.values()):
            return Price(**prices)
    except (InvalidOperation, TypeError, AttributeError):
        pass
    raise ImproperlyConfigured(
        f"ENGINE_PRICES of {engine!r} has to be like "
        '{"picture": "0.04", "second": "0.0005"}, each from 0 to 10000.'
    )


def number_in_words(amount: Decimal) -> str:
    """As people write it, rounded up; fractions of a hundredth only where there are some."""
    exact = amount.quantize(Decimal("0.0001"), ROUND_UP)
    places = 2 if exact == exact.quantize(Decimal("0.01"), ROUND_UP) else 4
    return number_format(exact, decimal_pos=places)


def in_money(amount: Decimal) -> str:
    """With the currency: “0.16 EUR”."""
    return " ".join((number_in_words(amount), get_settings().CURRENCY))
