"""From the hub's discovery to a configuration of ours, from kubectl's objects."""
