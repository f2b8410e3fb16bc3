"""A Plan or a status as text for people and programs: table, Markdown, Mermaid, JSON, YAML."""
