"""YAML by libyaml's events: values typed as Kubernetes types them, edits that keep every other byte, writing."""
