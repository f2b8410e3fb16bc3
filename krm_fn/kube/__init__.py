"""Kubernetes in general: names, labels, selectors, raw objects, flags and versions."""
