"""The live side: kubectl dumps read into status and migration; shares no code path with rendering."""
