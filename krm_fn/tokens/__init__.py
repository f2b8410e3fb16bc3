"""Registration tokens: where they come from, whether they can work, and where they must not appear."""
