"""Registration tokens: format, life, sources, and the only door to what an operator offers."""
