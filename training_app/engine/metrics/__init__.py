"""Metric modules for `evaluate.load("./path/metric.py")`. Each is whole in itself: the loader copies single files."""
