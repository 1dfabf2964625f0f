"""A run's measurements as charts. Pure; it reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gptstudio.web.charts import LineChart, line_chart
from training_app.selectors.curves import Point

WIDEST = 400


def thinned(points: Sequence[Point], value: Callable[[Point], float | None]) -> list[tuple[float, float]]:
    """(step, value) where there is a value; long runs are thinned evenly, their last point kept."""
    found = [(float(point.step), float(y)) for point in points if (y := value(point)) is not None]
    stride = max(1, len(found) // WIDEST)
    return found[::stride] + ([found[-1]] if found and (len(found) - 1) % stride else [])


def loss_chart(points: Sequence[Point], *, total: int, width: int = 640) -> LineChart | None:
    """Training and validation loss over the steps, with room for those still to come."""
    series = [
        ("Training loss", thinned(points, lambda point: point.loss)),
        ("validation loss", thinned(points, lambda point: point.validation_loss)),
    ]
    return line_chart(series, x_end=total, x_unit="steps", width=width)


def rate_chart(points: Sequence[Point], *, total: int) -> LineChart | None:
    """The learning rate over the steps."""
    series = [("Learning rate", thinned(points, lambda point: point.learning_rate))]
    return line_chart(series, x_end=total, x_unit="steps", width=420, height=170, numbers=(4,))


def gradient_chart(points: Sequence[Point], *, total: int) -> LineChart | None:
    """The length of the gradient over the steps, before it is clipped."""
    series = [("Gradient norm", thinned(points, lambda point: point.grad_norm))]
    return line_chart(series, x_end=total, x_unit="steps", width=420, height=170, numbers=(5,))


def speed_chart(points: Sequence[Point], *, total: int) -> LineChart | None:
    """Tokens a second over the steps."""
    series = [("Tokens a second", thinned(points, lambda point: point.tokens_per_second))]
    return line_chart(series, x_end=total, x_unit="steps", width=420, height=170, numbers=(3,))
