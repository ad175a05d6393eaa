"""Plots, one a file: numbers, a size and a Look in, strips out. Pure; no widget, no app."""

from tui.plots.chart import ChartFrame, Mark, chart, chart_frame
from tui.plots.lines import Curve, lines
from tui.plots.scale import nice_top
from tui.plots.spark import spark
from tui.plots.stack import Layer, stack
from tui.plots.ticks import Tick, time_ticks
from tui.plots.trend import trend

__all__ = [
    "ChartFrame",
    "Curve",
    "Layer",
    "Mark",
    "Tick",
    "chart",
    "chart_frame",
    "lines",
    "nice_top",
    "spark",
    "stack",
    "time_ticks",
    "trend",
]
