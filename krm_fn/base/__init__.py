"""Ground for every package: records, lazily compiled patterns, a digest; imports nothing of the project."""
