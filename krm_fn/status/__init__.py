"""The state of registration, from kubectl's objects."""
