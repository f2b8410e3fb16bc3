"""What came before, against what is made now: immutable fields, guards, upgrades, overlaps, comparisons."""
