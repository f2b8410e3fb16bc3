"""Folders, files and streams of manifests: reading them, and writing output."""
