import math
import re

from tf_layered_gan.reporting.charts import line_chart, point_chart


def test_a_line_runs_from_corner_to_corner():
    chart = line_chart("Loss", {"G": [(0, 1.0), (10, 3.0)]}, "images")
    # The drawing has 400 x 230 pixels. Its margins are 52 (left), 18 (right), 8 (top) and 36 pixels (bottom).
    assert 'points="52.0,194.0 382.0,8.0"' in chart


def test_values_that_are_not_finite_are_left_out():
    chart = line_chart("Loss", {"G": [(0, 1.0), (5, math.nan), (7, math.inf), (10, 3.0)]}, "images")
    assert 'points="52.0,194.0 382.0,8.0"' in chart


def test_a_single_point_is_a_dot():
    assert "<circle" in line_chart("Loss", {"G": [(4, 1.0)]}, "images")


def test_a_line_without_a_value_is_named():
    assert "D (no value)" in line_chart("Loss", {"G": [(0, 1.0), (1, 2.0)], "D": [(0, math.nan)]}, "images")


def test_numbers_beside_the_axes_are_round():
    chart = line_chart("Loss", {"G": [(0, 0.13), (64_000, 0.87)]}, "images", y_range=(0, 1))
    assert re.findall(r"<text[^>]*>([^<]*)</text>", chart) == ["0", "0.5", "1", "0", "20k", "40k", "60k", "images"]


def test_charts_have_text_for_people_who_cannot_see_them():
    assert 'aria-label="Loss: G from 1 to 3"' in line_chart("Loss", {"G": [(0, 1.0), (10, 3.0)]}, "images")
    assert 'aria-label="Sizes: 2 points, IoU against area"' in point_chart("Sizes", [(0, 1), (1, 0)], "area", "IoU")


def test_names_are_escaped():
    assert "<script>" not in line_chart("<script>", {"<script>": [(0, 1.0)]}, "<script>")
